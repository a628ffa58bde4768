import Dispatch

/// Runs blocking file and process-table calls one after another on a thread of its own, never on the Swift pool.
final class FileQueue: Sendable {
    // A serial queue gets its own thread; a concurrent one would take the pool's.
    let queue = DispatchQueue(label: "executor.files")

    func perform<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }

    /// Waits even in a cancelled task: the grace time of a process counts after its task was cancelled.
    func pause(milliseconds: Int) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { continuation.resume() }
        }
    }

    /// Calls `body` every `milliseconds` until `stop()`.
    func every(milliseconds: Int, _ body: @escaping @Sendable () -> Void) -> Repetition {
        Repetition(queue: queue, milliseconds: milliseconds, body)
    }

    /// A call that is repeated until it is stopped.
    struct Repetition {
        private let timer: any DispatchSourceTimer

        fileprivate init(queue: DispatchQueue, milliseconds: Int, _ body: @escaping @Sendable () -> Void) {
            timer = DispatchSource.makeTimerSource(queue: queue)
            timer.setEventHandler(handler: body)
            timer.schedule(
                deadline: .now() + .milliseconds(milliseconds), repeating: .milliseconds(milliseconds),
                leeway: .milliseconds(milliseconds / 4))
            timer.resume()
        }

        func stop() { timer.cancel() }
    }
}
