/// Small files of one execution: the message handed in, the log handed out.
package protocol RunFiles: Sendable {
    /// Makes `runs/<execution>/work` and answers the absolute path of `runs/<execution>`.
    func prepare(_ execution: ExecutionID) async throws(ActorError) -> String
    func write(_ bytes: [UInt8], to path: String) async throws(ActorError)
    /// Puts bytes behind what a log holds, and makes it when there is none.
    func append(_ bytes: [UInt8], to path: String) async throws(ActorError)
    /// The first `limit` bytes; empty when there is no such file.
    func read(_ path: String, limit: Int) async -> [UInt8]

    /// Makes the socket to which a program of this execution sends its results, each datagram one (actors API, section
    /// 3.4), and answers its path; nil when there can be none.
    func openResults(of execution: ExecutionID) async -> String?
    /// What has been sent until now is kept; nothing more is taken.
    func closeResults(of execution: ExecutionID) async
    /// Removes the oldest result; nil when there is none.
    func takeResult(of execution: ExecutionID) async -> [UInt8]?
}

/// Where there are no files, there are no results, and a log is small enough to be written anew.
extension RunFiles {
    package func append(_ bytes: [UInt8], to path: String) async throws(ActorError) {
        try await write(await read(path, limit: .max) + bytes, to: path)
    }

    package func openResults(of execution: ExecutionID) async -> String? { nil }
    package func closeResults(of execution: ExecutionID) async {}
    package func takeResult(of execution: ExecutionID) async -> [UInt8]? { nil }
}
