package import ActorCore
internal import Synchronization

/// One actor's mailbox in memory: plays its ``MailboxMachine`` for the writer that fills it and the slots that empty
/// it.
package final class Mailbox: Sendable {
    private struct State {
        var machine: MailboxMachine
        /// Somebody was told that there is work, and has not answered yet that there is none.
        var isSignalled = false
        var suspects: Suspects
    }

    /// What may have been running when an earlier process ended: so many of the first deliveries of its messages.
    package struct Suspects: Sendable {
        package static let none = Suspects(count: 0, lastSequence: 0)

        var count: Int
        /// Later messages were not there then.
        let lastSequence: Int64

        package init(count: Int, lastSequence: Int64) {
            self.count = count
            self.lastSequence = lastSequence
        }

        /// One that has begun before says so itself.
        mutating func takes(_ envelope: Envelope) -> Bool {
            guard count > 0, envelope.attempts == 0, envelope.sequence <= lastSequence else { return false }
            count -= 1
            return true
        }
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - bound: messages kept in memory; the store holds the rest.
    ///   - mayHoldMail: the store may hold messages from before this start.
    ///   - suspects: which deliveries may be of messages that ran when an earlier process ended.
    package init(bound: Int, mayHoldMail: Bool = false, suspects: Suspects = .none) {
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
    /// - Parameters:
    ///   - longestBackoff: no wait between two attempts is longer, in milliseconds.
    ///   - idle: called under the lock when there is nothing to run, so that a message which is committed
    ///     meanwhile signals afterwards and cannot be overlooked.
    package func next(
        now: Timestamp, ordered: Bool, longestBackoff: Int64 = .max, idle: () -> Void
    ) -> MailboxMachine.Next {
        state.withLock { state in
            let next = state.machine.next(now: now, ordered: ordered, longestBackoff: longestBackoff)
            switch next {
            case .deliver(var envelope):
                envelope.isSuspect = state.suspects.takes(envelope)
                return .deliver(envelope)
            case .wait, .empty:
                state.isSignalled = false
                idle()
            case .expire, .read: break
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
