import Dispatch
import Glibc
import Synchronization

/// Waits for the end of something, or for a nudge; the wait goes on in a cancelled task.
final class EndWatch: Sendable {
    private struct State {
        var hasEnded = false
        var wasNudged = false
        var waiter: (continuation: CheckedContinuation<Void, Never>, takesNudges: Bool)?
    }

    private let state = Mutex(State())

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    func end() { change { $0.hasEnded = true } }
    func nudge() { change { $0.wasNudged = true } }

    func untilEnd() async { await wait(takesNudges: false) }
    func untilEndOrNudge() async { await wait(takesNudges: true) }

    /// One waiter at a time.
    private func wait(takesNudges: Bool) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.hasEnded || (takesNudges && state.wasNudged) { return true }
                state.waiter = (continuation, takesNudges)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func change(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            guard let waiter = state.waiter, state.hasEnded || waiter.takesNudges else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
    }
}

/// The reading end of a pipe that another process holds until its end; what it writes before is kept.
final class PipeEnd: Sendable {
    private let text = Mutex<[UInt8]>([])
    private let source: Mutex<any DispatchSourceRead>

    /// Takes the descriptor over.
    init(_ descriptor: Int32, queue: DispatchQueue, _ watch: EndWatch) {
        source = Mutex(DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue))
        source.withLock { source in
            source.setCancelHandler { _ = Glibc.close(descriptor) }
            // Keeps this object until the other end is closed, or it was left.
            source.setEventHandler { self.take(from: descriptor, watch) }
            source.resume()
        }
    }

    private func take(from descriptor: Int32, _ watch: EndWatch) {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        if count > 0 { return text.withLock { $0 = Array(($0 + bytes.prefix(count)).prefix(4096)) } }
        leave()
        watch.end()
    }

    var words: String { String(decoding: text.withLock { $0 }, as: UTF8.self) }

    func leave() { source.withLock { $0.cancel() } }
}
