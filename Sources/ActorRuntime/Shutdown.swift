internal import ServiceLifecycle

/// Waits for the end without polling for it.
package enum Shutdown {
    /// Returns when a graceful shutdown is asked for, or the task is cancelled.
    package static func wait() async {
        let (stream, sink) = AsyncStream.makeStream(of: Void.self)
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                for await _ in stream {}
            } onCancel: {
                sink.finish()
            }
        } onGracefulShutdown: {
            sink.finish()
        }
    }
}
