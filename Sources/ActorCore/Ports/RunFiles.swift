/// Small files of one execution: the message handed in, the log handed out.
package protocol RunFiles: Sendable {
    /// Makes `runs/<execution>/work` and answers the absolute path of `runs/<execution>`.
    func prepare(_ execution: ExecutionID) async throws(ActorError) -> String
    func write(_ bytes: [UInt8], to path: String) async throws(ActorError)
    /// The first `limit` bytes; empty when there is no such file.
    func read(_ path: String, limit: Int) async -> [UInt8]
}
