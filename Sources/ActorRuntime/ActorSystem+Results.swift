package import ActorCore

extension ActorSystem {
    /// Removes the oldest result that a program of an execution has sent, and answers it.
    package func takeResult(of execution: ExecutionID) async -> [UInt8]? {
        await environment.runFiles.takeResult(of: execution)
    }
}
