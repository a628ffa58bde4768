import ActorCore

/// What of uploads is still to come over HTTP, as it lies in the inbox's folder of parts.
enum ReceivedParts {
    /// By upload.
    static func standing(in inbox: borrowing Folder) throws(ActorError) -> [String: InboxReceiving] {
        guard try inbox.status(InboxParts.folder)?.kind == .folder else { return [:] }
        let parts = try inbox.folder(InboxParts.folder)
        var found: [String: InboxReceiving] = [:]
        for name in try parts.names() {
            guard let (upload, kind) = InboxParts.read(name), let status = try parts.status(name) else { continue }
            found[upload, default: InboxReceiving()].note(kind, at: status.modified)
        }
        return found
    }
}
