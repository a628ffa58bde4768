internal import DequeModule

/// Who may run next: round robin over the actors that have work, within per-actor and global limits.
package struct DispatchMachine: Sendable {
    package enum Action: Sendable, Equatable {
        /// Take the next message of this mailbox and run it; the slot is taken already.
        case start(ActorID)
    }

    private enum Phase: Sendable {
        /// Work is started as it comes. May go to `draining`.
        case open
        /// No new work is started; what runs may end. Final.
        case draining
    }

    private struct Line: Sendable {
        var limit: Int
        var running = 0
        /// In `queue`, waiting for a slot.
        var isQueued = false
        /// Has (or may have) messages that can run now.
        var hasWork = false
        /// A slot was started that has not said yet what it found: no other is, for there may be but one message.
        var isSearching = false
        var isPaused = false
    }

    private var phase = Phase.open
    private var lines: [ActorID: Line] = [:]
    /// Actors that have work and a free slot of their own, in the order of their turn.
    private var queue: Deque<ActorID> = []
    private let maxRunning: Int
    package private(set) var running = 0

    package init(maxRunning: Int) { self.maxRunning = max(1, maxRunning) }

    package var isDraining: Bool { phase == .draining }
    package func running(_ actor: ActorID) -> Int { lines[actor]?.running ?? 0 }

    /// An actor exists, or its limit changed.
    package mutating func configured(_ actor: ActorID, limit: Int) -> [Action] {
        lines[actor, default: Line(limit: 0)].limit = max(1, limit)
        enqueue(actor)
        return turn()
    }

    /// An actor that may not run for now (it is gone, or in error); its mail is kept.
    package mutating func paused(_ actor: ActorID, _ isPaused: Bool) -> [Action] {
        lines[actor]?.isPaused = isPaused
        enqueue(actor)
        return turn()
    }

    /// A mailbox has something that can run now.
    package mutating func ready(_ actor: ActorID) -> [Action] {
        guard lines[actor] != nil else { return [] }
        lines[actor]?.hasWork = true
        enqueue(actor)
        return turn()
    }

    /// A slot that was started has something to do.
    ///
    /// - Parameter more: the mailbox may have more that can run now, for another slot.
    package mutating func found(_ actor: ActorID, more: Bool) -> [Action] {
        lines[actor]?.isSearching = false
        lines[actor]?.hasWork = more
        enqueue(actor)
        return turn()
    }

    /// The slot was for nothing: the mailbox had no message that can run now.
    package mutating func idle(_ actor: ActorID) -> [Action] {
        guard lines[actor] != nil else { preconditionFailure("idle from an actor that was never configured") }
        lines[actor]?.hasWork = false
        release(actor)
        return turn()
    }

    /// The holder of a slot gives it back so that others get their turn; its mailbox may have more that can run now.
    package mutating func finished(_ actor: ActorID) -> [Action] {
        release(actor)
        lines[actor]?.hasWork = true
        enqueue(actor)
        return turn()
    }

    package mutating func drain() { phase = .draining }

    /// Whether who holds a slot of this actor may go on to the next message without giving it back.
    package func keepsSlot(_ actor: ActorID) -> Bool {
        guard phase == .open, queue.isEmpty, let line = lines[actor] else { return false }
        return !line.isPaused && line.running <= line.limit
    }

    private mutating func release(_ actor: ActorID) {
        guard let line = lines[actor], line.running > 0 else {
            preconditionFailure("a slot was given back that was never taken")
        }
        lines[actor]?.running -= 1
        // Perhaps another slot does still: then there may be one too many, and never one too few.
        lines[actor]?.isSearching = false
        running -= 1
    }

    private mutating func enqueue(_ actor: ActorID) {
        guard let line = lines[actor], line.hasWork, !line.isQueued, !line.isSearching, !line.isPaused,
            line.running < line.limit
        else { return }
        lines[actor]?.isQueued = true
        queue.append(actor)
    }

    private mutating func turn() -> [Action] {
        var actions: [Action] = []
        while phase == .open, running < maxRunning, let actor = queue.popFirst() {
            lines[actor]?.isQueued = false
            guard let line = lines[actor], line.hasWork, !line.isPaused, line.running < line.limit else { continue }
            lines[actor]?.running += 1
            lines[actor]?.isSearching = true
            running += 1
            actions.append(.start(actor))
        }
        return actions
    }
}
