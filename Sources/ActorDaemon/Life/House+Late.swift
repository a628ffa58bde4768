internal import ActorRuntime
internal import Synchronization

extension House {
    /// What is known only after the start.
    final class Late: Sendable {
        private struct Binding {
            var port: Int?
            /// The port is known, or there will be none.
            var isDecided = false
            var waiters: [AsyncStream<Void>.Continuation] = []
        }

        private let binding = Mutex(Binding())
        let updatesNonce = Mutex<String?>(nil)
        /// Knows what is still in the inbox.
        let watcher = Mutex<InboxWatcher?>(nil)
        let bell = BucketBell()

        var port: Int? { binding.withLock(\.port) }

        func bind(_ port: Int) { decide { $0.port = port } }

        /// There will be no port any more.
        func giveUp() { decide { _ in } }

        private func decide(_ change: (inout Binding) -> Void) {
            let waiters = binding.withLock { binding in
                change(&binding)
                binding.isDecided = true
                return binding.waiters
            }
            for waiter in waiters { waiter.finish() }
        }

        /// True when the port is known; false when the task was cancelled before, or there will be none.
        func wait() async -> Bool {
            let (stream, sink) = AsyncStream.makeStream(of: Void.self)
            let isDecided = binding.withLock { binding in
                binding.waiters.append(sink)
                return binding.isDecided
            }
            if isDecided { sink.finish() }
            for await _ in stream {}
            return port != nil
        }
    }
}
