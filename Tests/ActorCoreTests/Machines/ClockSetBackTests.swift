import ActorCore
import Testing

/// Moments that were chosen before the clock was set back are not waited for.
struct ClockSetBackTests {
    private static let hour: Int64 = 3_600_000

    private func moment(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    private func envelope(deliverAt: Int64? = nil) -> Envelope {
        Envelope(
            sequence: 1, execution: ExecutionID("e"),
            message: NewMessage(
                actor: ActorID("a"), body: [], kind: .text, sender: "s", deliverAt: deliverAt.map(moment),
                received: moment(0)))
    }

    @Test(
        arguments: [
            // A next attempt within the longest backoff is waited for, one beyond it is due.
            (1, 5000, true), (1, Self.hour, false),
            // What the sender asked for is a moment of the calendar.
            (0, Self.hour, true),
        ] as [(Int, Int64, Bool)])
    func nextAttempts(_ attempts: Int, _ deliverAt: Int64, _ waits: Bool) {
        var mailbox = MailboxMachine(bound: 4)
        let before = moment(deliverAt - 1)
        var envelope = envelope(deliverAt: attempts == 0 ? deliverAt : nil)
        mailbox.committed(envelope, now: before)
        if attempts > 0 {
            expect(mailbox.next(now: before, ordered: true), .deliver(envelope))
            envelope.attempts = attempts
            envelope.notBefore = moment(deliverAt)
            mailbox.returned(envelope, now: before)
        }
        let next = mailbox.next(now: moment(0), ordered: true, longestBackoff: 10000)
        #expect(next == (waits ? .wait(until: moment(deliverAt)) : .deliver(envelope)))
    }

    /// The clock is set back, and another worker has asked since, while an attempt fails by the old time.
    @Test func anAttemptThatEndsAfterTheClockWasSet() {
        var mailbox = MailboxMachine(bound: 4)
        var failing = envelope(deliverAt: nil)
        mailbox.committed(failing, now: moment(Self.hour))
        let given = mailbox.next(now: moment(Self.hour), ordered: false, longestBackoff: 10000)
        #expect(given == .deliver(failing))
        let meanwhile = mailbox.next(now: moment(0), ordered: false, longestBackoff: 10000)
        #expect(meanwhile == .empty)
        failing.attempts = 1
        failing.notBefore = moment(Self.hour + 500)
        mailbox.returned(failing, now: moment(1))
        let next = mailbox.next(now: moment(1), ordered: false, longestBackoff: 10000)
        #expect(next == .deliver(failing))
    }

    @Test func uploadsSettle() {
        var machine = InboxMachine(settleMilliseconds: 1000)
        let entry = InboxEntry(name: "u", bytes: 1, files: 1, modified: moment(0), isMarkedDone: false)
        expect(machine.seen([entry], now: moment(Self.hour)), [])
        expect(machine.seen([entry], now: moment(0)), [])
        expect(machine.seen([entry], now: moment(1000)), [.check(entry)])
    }
}
