import ActorCore
import NIOPosix

/// Runs blocking calls on threads made for them, never on the few threads that all async code shares.
struct BlockingWork: Sendable {
    let pool: NIOThreadPool

    /// Returns what `body` returns. `body` is not interrupted when the task is cancelled: it may be half-way through.
    func callAsFunction<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ActorError) -> Value
    ) async throws(ActorError) -> Value {
        do {
            return try await pool.runIfActive(body)
        } catch let error as ActorError {
            throw error
        } catch is CancellationError {
            throw ActorError(.cancelled, "cancelled before the files were touched")
        } catch {
            throw ActorError(.unavailable, "the threads for file work have stopped", cause: error)
        }
    }
}
