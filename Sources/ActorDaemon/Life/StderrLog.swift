internal import ActorCore
internal import Foundation
internal import Logging

/// Log lines on standard error: text at a terminal, one JSON object a line otherwise. Known secrets are struck out.
struct StderrLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let label: String
    private let isTerminal: Bool
    private let scrub: @Sendable (String) -> String

    init(label: String, level: Logger.Level, scrub: @escaping @Sendable (String) -> String) {
        self.label = label
        self.logLevel = level
        self.isTerminal = isatty(STDERR_FILENO) == 1
        self.scrub = scrub
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let time = SystemTimekeeper().now().iso8601
        let line: String
        if isTerminal {
            let pairs = all.map { " \($0.key)=\($0.value)" }.joined()
            line = "\(time) \(event.level.rawValue.uppercased()) \(event.message)\(pairs)"
        } else {
            var members: [JSONValue.Member] = [
                JSONValue.Member("time", .string(time)), JSONValue.Member("level", .string(event.level.rawValue)),
                JSONValue.Member("logger", .string(label)),
                JSONValue.Member("message", .string(event.message.description)),
            ]
            members += all.map { JSONValue.Member($0.key, .string("\($0.value)")) }
            line = JSONWriter.string(.object(members))
        }
        // One write a line, so that lines of several threads do not mix.
        let bytes = Array((scrub(line) + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
