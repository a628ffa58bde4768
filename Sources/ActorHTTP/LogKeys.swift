/// Every metadata key of the front's log lines.
enum LogKeys {
    static let error = "error"
    static let file = "file"
    static let path = "path"
    static let reason = "reason"
}
