/// When the messages of one actor's schedule are sent: each due moment once, whatever happens to daemon and clock.
///
/// Due moments that were missed (the daemon was down, the clock was set forward) are made up for by one message. A
/// clock that is set back sends nothing again: the plan stays ahead of it, unless it goes back by more than a day, in
/// which case it had been wrong before.
package struct ScheduleMachine: Sendable {
    package enum Action: Sendable, Equatable {
        /// Store the plan, call ``kept()``, look again. The plan comes before the message: its due moment is the
        /// message's idempotency key, so a crash between the two sends the same message.
        case keep(ScheduleRecord)
        /// Send the message of this due moment, call ``sent(_:now:)``, look again.
        case send(due: Timestamp)
        /// The previous run has not ended: this due moment is left out. Look again.
        case skip(due: Timestamp)
        case wait(until: Timestamp)
        /// It is never due again; the plan may be forgotten.
        case rest
    }

    private enum State: Sendable, Equatable {
        /// No plan, or one of another schedule. Goes to `unkept` or `over`.
        case unplanned
        /// The plan is not stored yet. Goes to `kept`.
        case unkept
        /// The plan is stored: nothing, or a message, is due. Goes to `sending`, `unkept`, `over`.
        case kept
        /// The message of the plan's due moment is on its way. Goes to `unkept`, or is asked again as `kept`.
        case sending
        /// There is no due moment any more. Final.
        case over
    }

    /// How far a clock may go back and still be believed to have been right before.
    package static let believedSetback: Int64 = 86_400_000

    private let schedule: Schedule
    private let overlap: OverlapPolicy
    private var state: State
    private var record: ScheduleRecord

    /// When this process began: what was due before it was missed.
    private let began: Timestamp
    /// So long nobody looks whether the run before one that was missed has ended.
    private static let patience: Int64 = 5000

    /// - Parameters:
    ///   - stored: what was kept for this actor, perhaps of another schedule.
    ///   - began: when this process began.
    package init(
        schedule: Schedule, overlap: OverlapPolicy, stored: ScheduleRecord?,
        began: Timestamp = Timestamp(milliseconds: .min)
    ) {
        self.schedule = schedule
        self.began = began
        self.overlap = overlap
        let zero = Timestamp(milliseconds: 0)
        self.record = stored ?? ScheduleRecord(schedule: "", anchor: zero, next: zero)
        let isOurs = stored.map { $0.schedule == schedule.description || $0.schedule.isEmpty } ?? false
        self.state = isOurs ? .kept : .unplanned
    }

    /// The execution that the next look depends on: nil when nothing is due, or when it does not matter.
    package func previous(now: Timestamp) -> ExecutionID? {
        guard overlap == .skip, state == .kept || state == .sending, record.next <= now else { return nil }
        return record.last
    }

    /// - Parameter previousRuns: the execution that ``previous(now:)`` named still waits or runs.
    package mutating func look(now: Timestamp, previousRuns: Bool) -> Action {
        switch state {
        case .over: return .rest
        case .unplanned: return plan(now: now)
        case .unkept: return .keep(record)
        case .kept, .sending: break
        }
        if let done = record.done, done.since(now) > Self.believedSetback { return plan(now: now) }
        guard record.next <= now else { return .wait(until: record.next) }
        if previousRuns, overlap == .skip {
            let due = record.next
            // Nobody could say while the daemon was down whether the run before it had ended in time: it is made up for
            // once that has.
            if due < began { return .wait(until: now.adding(milliseconds: Self.patience)) }
            advance(now: now)
            return .skip(due: due)
        }
        state = .sending
        return .send(due: record.next)
    }

    package mutating func kept() {
        guard state == .unkept else { preconditionFailure("a plan was kept that was not asked to be") }
        state = .kept
    }

    /// The message is on disk, as this execution.
    package mutating func sent(_ execution: ExecutionID, now: Timestamp) {
        guard state == .sending else { preconditionFailure("a message was sent that was not due") }
        record.last = execution
        advance(now: now)
    }

    private mutating func plan(now: Timestamp) -> Action {
        guard let first = schedule.first(at: now) else {
            state = .over
            return .rest
        }
        // The run of the plan before it, if there is one, still counts as the previous one.
        record = ScheduleRecord(
            schedule: schedule.description, anchor: now, next: first, done: now, last: record.last)
        state = .unkept
        return .keep(record)
    }

    private mutating func advance(now: Timestamp) {
        record.schedule = schedule.description
        // What was made up for was due long before: it is the clock of now that the plan believes.
        record.done = max(now, record.next)
        guard let next = schedule.next(after: max(now, record.next), anchor: record.anchor) else {
            state = .over
            return
        }
        record.next = next
        state = .unkept
    }
}
