import ActorCore
import ActorTesting
import Testing

@Suite struct MailboxMachineTests {
    let start = Timestamp(milliseconds: 1_000_000)

    func envelope(_ sequence: Int64, attempts: Int = 0, deliverAt: Timestamp? = nil) -> Envelope {
        Envelope(
            sequence: sequence,
            message: NewMessage(
                actor: ActorID("a"), execution: ExecutionID("e\(sequence)"), body: [], sender: "t",
                deliverAt: deliverAt, received: start),
            attempts: attempts)
    }

    @Test func deliversInTheOrderOfTheStore() {
        var mailbox = MailboxMachine(bound: 4)
        for sequence in 1...3 { mailbox.committed(envelope(Int64(sequence))) }
        for sequence in 1...3 {
            expect(mailbox.next(now: start, ordered: true), .deliver(envelope(Int64(sequence))))
        }
        expect(mailbox.next(now: start, ordered: true), .empty)
        #expect(mailbox.waiting == 0)
    }

    @Test func holdsNoMoreThanItsBoundAndReadsTheRest() {
        var mailbox = MailboxMachine(bound: 2)
        for sequence in 1...5 { mailbox.committed(envelope(Int64(sequence))) }
        #expect(mailbox.waiting == 5)
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(1)))
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(2)))
        expect(mailbox.next(now: start, ordered: true), .refill(after: 2))
        mailbox.refilled([envelope(3), envelope(4)], limit: 2)
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(3)))
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(4)))
        expect(mailbox.next(now: start, ordered: true), .refill(after: 4))
        mailbox.refilled([envelope(5)], limit: 2)
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(5)))
        expect(mailbox.next(now: start, ordered: true), .empty)
    }

    @Test func aMessageCommittedWhileTheStoreIsReadIsNeitherLostNorDoubled() {
        var mailbox = MailboxMachine(bound: 2, backlog: 1)
        expect(mailbox.next(now: start, ordered: true), .refill(after: 0))
        mailbox.committed(envelope(8))
        // The read did not see it: it is read for again.
        mailbox.refilled([envelope(7)], limit: 2)
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(7)))
        expect(mailbox.next(now: start, ordered: true), .refill(after: 7))
        mailbox.refilled([envelope(8)], limit: 2)
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(8)))
        expect(mailbox.next(now: start, ordered: true), .empty)
        // The read saw it: it is not delivered twice.
        mailbox.committed(envelope(9))
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(9)))
        mailbox.refilled([envelope(9)], limit: 2)
        expect(mailbox.next(now: start, ordered: true), .empty)
    }

    @Test func aRetryHoldsBackThoseBehindItOnlyWhenOrderCounts() {
        let later = start.adding(milliseconds: 500)
        for ordered in [true, false] {
            var mailbox = MailboxMachine(bound: 4)
            mailbox.committed(envelope(1))
            mailbox.committed(envelope(2))
            expect(mailbox.next(now: start, ordered: ordered), .deliver(envelope(1)))
            mailbox.returned(envelope(1, attempts: 1, deliverAt: later))
            let next = mailbox.next(now: start, ordered: ordered)
            #expect(next == (ordered ? .wait(until: later) : .deliver(envelope(2))))
            expect(mailbox.next(now: later, ordered: ordered), .deliver(envelope(1, attempts: 1, deliverAt: later)))
        }
    }

    @Test func aMessageThatItsSenderDelayedHoldsBackNobody() {
        let later = start.adding(milliseconds: 500)
        var mailbox = MailboxMachine(bound: 4)
        mailbox.committed(envelope(1, deliverAt: later))
        mailbox.committed(envelope(2))
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(2)))
        expect(mailbox.next(now: start, ordered: true), .wait(until: later))
        expect(mailbox.next(now: later, ordered: true), .deliver(envelope(1, deliverAt: later)))
    }

    /// A model run: every committed message is delivered exactly once, in order, whatever the interleaving.
    @Test(arguments: [1, 2, 3, 5, 8, 13, 21, 34] as [UInt64]) func modelRun(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var store: [Int64] = []
        var mailbox = MailboxMachine(bound: 3)
        var delivered: [Int64] = []
        var sequence: Int64 = 0
        var pendingRead: Int64?
        for _ in 0..<2000 {
            switch UInt8.random(in: 0..<4, using: &random) {
            case 0, 1:
                sequence += 1
                store.append(sequence)
                mailbox.committed(envelope(sequence))
            default:
                if let after = pendingRead {
                    mailbox.refilled(store.filter { $0 > after }.prefix(3).map { envelope($0) }, limit: 3)
                    pendingRead = nil
                    continue
                }
                switch mailbox.next(now: start, ordered: true) {
                case .deliver(let envelope):
                    delivered.append(envelope.sequence)
                    store.removeAll { $0 == envelope.sequence }
                case .refill(let after): pendingRead = after
                case .wait, .empty: break
                }
            }
            #expect(mailbox.waiting == store.count, "seed \(seed)")
        }
        #expect(delivered == Array(1..<Int64(delivered.count + 1)), "seed \(seed)")
        #expect(delivered.count > 500, "seed \(seed)")
    }
}
