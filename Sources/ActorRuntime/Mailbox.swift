package import ActorCore
internal import DequeModule
internal import Synchronization

/// One actor's mailbox in memory: plays its ``MailboxMachine`` for the writer that fills it and the slots that empty
/// it.
///
/// Two locks, always taken in this order: the machine's, then the doorstep's. Whoever commits holds the second one for
/// as long as it takes to put a message down, however many others decide at the same time what runs next.
package final class Mailbox: Sendable {
    private struct State {
        var machine: MailboxMachine
        /// Emptied and kept, to be exchanged for a full one.
        var spare: Deque<Envelope> = []
        /// The most that came at one time since room was last given back.
        var most = 0
    }

    /// What was committed and the machine was not told of yet.
    private struct Doorstep {
        var envelopes: Deque<Envelope> = []
        /// Somebody was told that there is work, and has not answered yet that there is none.
        var isSignalled = false
    }

    /// Room that an idle mailbox keeps; one that was busy gives the rest back.
    private static let few = 16

    private let state: Mutex<State>
    /// Whoever puts down the last of so many clears the doorstep: it may be long until somebody comes for them, and no
    /// more of them are to lie here than in the machine.
    private let crowd: Int
    /// Messages up to here may have been running when an earlier process ended.
    private let suspectsEnd: Int64
    private let doorstep = Mutex(Doorstep())
    /// Something lies on the doorstep; read without its lock.
    private let hasCome = Atomic(false)
    /// Some on the doorstep is not plain: it may stand before what is known.
    private let isUrgent = Atomic(false)

    /// - Parameters:
    ///   - bound: messages kept in memory; the store holds the rest.
    ///   - mayHoldMail: the store may hold messages from before this start.
    ///   - suspectsUpTo: the last message that was there when an earlier process did not end by itself: any of those
    ///     may be what ended it, for what came first then need not come first now.
    package init(bound: Int, mayHoldMail: Bool = false, suspectsUpTo: Int64 = 0) {
        state = Mutex(State(machine: MailboxMachine(bound: bound, mayHoldMail: mayHoldMail)))
        crowd = max(1, bound)
        suspectsEnd = suspectsUpTo
    }

    /// Takes a committed message. True when whoever hands out slots has to be told.
    package func committed(_ envelope: Envelope, now: Timestamp) -> Bool {
        let (isNews, isCrowded) = doorstep.withLock { doorstep in
            doorstep.envelopes.append(envelope.waiting)
            if !envelope.isPlain { isUrgent.store(true, ordering: .relaxed) }
            if doorstep.envelopes.count == 1 { hasCome.store(true, ordering: .releasing) }
            defer { doorstep.isSignalled = true }
            return (!doorstep.isSignalled, doorstep.envelopes.count % crowd == 0)
        }
        // Whoever decides just now clears it in a moment; nobody waits for that.
        if isCrowded { _ = state.withLockIfAvailable { takeIn(&$0, now) } }
        return isNews
    }

    /// What to do next.
    ///
    /// - Parameters:
    ///   - longestBackoff: no wait between two attempts is longer, in milliseconds.
    ///   - isSearching: the slot was started for this mailbox and asks for the first time: it says what it found.
    ///   - found: called under the lock when there is something to do; whether there may be more.
    ///   - idle: called under the lock when there is nothing to run, so that a message which is committed
    ///     meanwhile signals afterwards and cannot be overlooked.
    package func next(
        now: Timestamp, ordered: Bool, longestBackoff: Int64 = .max, isSearching: Bool = false,
        found: (Bool) -> Void = { _ in }, idle: () -> Void
    ) -> MailboxMachine.Next {
        state.withLock { state in
            if state.machine.isMixed || !state.machine.hasReady || isUrgent.load(ordering: .relaxed) {
                takeIn(&state, now)
            }
            while true {
                let next = state.machine.next(now: now, ordered: ordered, longestBackoff: longestBackoff)
                switch next {
                case .wait, .empty:
                    guard standDown(&state, idle) else {
                        takeIn(&state, now)
                        continue
                    }
                    return next
                case .deliver, .expire, .read:
                    if isSearching { tell(state.machine.isBare, found) }
                    return suspectsEnd > 0 ? suspecting(next) : next
                }
            }
        }
    }

    /// Says whether there may be more than what was found; when there is none, the next that comes is news.
    private func tell(_ isBare: Bool, _ found: (Bool) -> Void) {
        doorstep.withLock { doorstep in
            let isLast = isBare && doorstep.envelopes.isEmpty
            if isLast { doorstep.isSignalled = false }
            found(!isLast)
        }
    }

    private func suspecting(_ next: MailboxMachine.Next) -> MailboxMachine.Next {
        guard case .deliver(var envelope) = next, envelope.sequence <= suspectsEnd else { return next }
        // One that has begun before says so itself.
        envelope.isSuspect = envelope.attempts == 0
        return .deliver(envelope)
    }

    /// The slot is given back without an answer from the machine.
    func standDown(_ idle: () -> Void) {
        doorstep.withLock { doorstep in
            doorstep.isSignalled = false
            idle()
        }
    }

    /// False when something has come meanwhile.
    private func standDown(_ state: inout State, _ idle: () -> Void) -> Bool {
        doorstep.withLock { doorstep in
            guard doorstep.envelopes.isEmpty else { return false }
            doorstep.isSignalled = false
            if state.most > Self.few {
                state.most = 0
                state.spare = []
                state.machine.shrink()
                doorstep.envelopes = []
            }
            idle()
            return true
        }
    }

    /// Tells the machine of everything that was committed.
    private func takeIn(_ state: inout State, _ now: Timestamp) {
        guard hasCome.load(ordering: .acquiring) else { return }
        let arePlain = doorstep.withLock { doorstep in
            swap(&doorstep.envelopes, &state.spare)
            hasCome.store(false, ordering: .relaxed)
            return !isUrgent.exchange(false, ordering: .relaxed)
        }
        state.most = max(state.most, state.spare.count)
        if arePlain { return state.machine.committed(plain: &state.spare, now: now) }
        while let envelope = state.spare.popFirst() { state.machine.committed(envelope, now: now) }
    }

    private func decide<Answer>(_ now: Timestamp, _ body: (inout MailboxMachine) -> Answer) -> Answer {
        state.withLock { state in
            takeIn(&state, now)
            return body(&state.machine)
        }
    }

    package func read(_ page: [Envelope], limit: Int, now: Timestamp) {
        decide(now) { $0.read(page.map(\.waiting), limit: limit, now: now) }
    }

    func readFailed() { state.withLock { $0.machine.readFailed() } }

    /// A delivered message has left the mailbox, or comes back to it as `returned`.
    package func ended(_ envelope: Envelope, returned: Envelope?, now: Timestamp) {
        state.withLock { state in
            // A page may have shown it before the word of its commit came: that word must not come after its end.
            if envelope.sequence <= state.machine.highestRead { takeIn(&state, now) }
            if let returned {
                state.machine.returned(returned.waiting, now: now)
            } else {
                state.machine.ended(envelope)
            }
        }
    }

    func removed(_ sequence: Int64, now: Timestamp) { decide(now) { $0.removed(sequence) } }
    func purged(now: Timestamp) { decide(now) { $0.purged() } }
    func obstacle(before envelope: Envelope, ordered: Bool) -> MailboxMachine.Obstacle? {
        state.withLock { $0.machine.obstacle(before: envelope, ordered: ordered) }
    }

    var running: Int { state.withLock { $0.machine.running } }
}
