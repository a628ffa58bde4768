/// What is kept of an actor's schedule between starts.
package struct ScheduleRecord: Sendable, Equatable {
    /// The schedule that this belongs to, with its zone; another one is planned anew. Empty: not known.
    package var schedule: String
    /// When the schedule was first seen.
    package var anchor: Timestamp
    package var next: Timestamp
    /// Up to here all that was due was sent, made up for or skipped; nil: not known.
    package var done: Timestamp?
    /// The execution of the last message that was sent.
    package var last: ExecutionID?

    package init(
        schedule: String, anchor: Timestamp, next: Timestamp, done: Timestamp? = nil, last: ExecutionID? = nil
    ) {
        self.schedule = schedule
        self.anchor = anchor
        self.next = next
        self.done = done
        self.last = last
    }
}
