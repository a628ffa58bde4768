package import ActorCore
internal import Synchronization

/// One actor's mailbox in memory: plays its ``MailboxMachine`` for the writer that fills it and the slots that empty it.
package final class Mailbox: Sendable {
    private struct State {
        var machine: MailboxMachine
        /// Somebody was told that there is work, and has not answered yet that there is none.
        var isSignalled = false
        /// So many deliveries may be of messages that ran when an earlier process ended.
        var suspects: Int
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - bound: messages kept in memory; the store holds the rest.
    ///   - mayHoldMail: the store may hold messages from before this start.
    ///   - suspects: how many of the first deliveries may be of messages that ran when an earlier process ended.
    package init(bound: Int, mayHoldMail: Bool = false, suspects: Int = 0) {
        state = Mutex(
            State(machine: MailboxMachine(bound: bound, mayHoldMail: mayHoldMail), suspects: suspects))
    }

    /// Takes a committed message. True when whoever hands out slots has to be told.
    package func committed(_ envelope: Envelope, now: Timestamp) -> Bool {
        state.withLock { state in
            state.machine.committed(envelope, now: now)
            defer { state.isSignalled = true }
            return !state.isSignalled
        }
    }

    /// What to do next.
    ///
    /// - Parameter idle: called under the lock when there is nothing to run, so that a message which is committed
    ///   meanwhile signals afterwards and cannot be overlooked.
    package func next(now: Timestamp, ordered: Bool, idle: () -> Void) -> MailboxMachine.Next {
        state.withLock { state in
            let next = state.machine.next(now: now, ordered: ordered)
            switch next {
            case .deliver(var envelope) where state.suspects > 0:
                state.suspects -= 1
                envelope.isSuspect = true
                return .deliver(envelope)
            case .wait, .empty:
                state.isSignalled = false
                idle()
            case .deliver, .expire, .read: break
            }
            return next
        }
    }

    /// The slot is given back without an answer from the machine.
    func standDown(_ idle: () -> Void) {
        state.withLock { state in
            state.isSignalled = false
            idle()
        }
    }

    package func read(_ page: [Envelope], limit: Int, now: Timestamp) {
        state.withLock { $0.machine.read(page, limit: limit, now: now) }
    }

    func readFailed() { state.withLock { $0.machine.readFailed() } }

    /// A delivered message has left the mailbox, or comes back to it as `returned`.
    package func ended(_ envelope: Envelope, returned: Envelope?, now: Timestamp) {
        state.withLock { state in
            if let returned {
                state.machine.returned(returned, now: now)
            } else {
                state.machine.ended(envelope)
            }
        }
    }

    func removed(_ sequence: Int64) { state.withLock { $0.machine.removed(sequence) } }
    func purged() { state.withLock { $0.machine.purged() } }
    func holder(before envelope: Envelope, ordered: Bool) -> (sequence: Int64, waiting: Envelope?)? {
        state.withLock { $0.machine.holder(before: envelope, ordered: ordered) }
    }

    var running: Int { state.withLock { $0.machine.running } }
}
