import ActorCore
import ActorTesting
import Testing

/// What only thousands of simulated lives have shown, each with the seed that found it.
extension MailboxMachineTests {
    /// Seed 8686: a purge took the message after its failed attempt, and was told before that attempt's end.
    @Test func whatReturnsAfterAPurgeHoldsNoLaneOnItsWord() {
        var mailbox = MailboxMachine(bound: 4)
        mailbox.committed(envelope(1, key: "k"), now: start)
        expect(mailbox.next(now: start, ordered: false), .deliver(envelope(1, key: "k")))
        mailbox.purged()
        mailbox.returned(envelope(1, key: "k", at: 60_000, attempts: 1), now: start)
        mailbox.committed(envelope(2, key: "k"), now: start)
        let store = SortedStore([envelope(2, key: "k")])
        expect(deliveries(&mailbox, store, bound: 4, ordered: false), [2])
    }

    /// Seed 5079: what was due is delayed again, beside what was delayed before.
    @Test func aClockSetBackKeepsMemoryBounded() {
        var mailbox = MailboxMachine(bound: 2)
        for sequence in 1...2 { mailbox.committed(envelope(Int64(sequence), at: 10), now: after(20)) }
        for sequence in 3...4 { mailbox.committed(envelope(Int64(sequence), at: 50), now: after(20)) }
        #expect(mailbox.inMemory == 4)
        _ = mailbox.next(now: start, ordered: false)
        #expect(mailbox.inMemory == 2)
    }

    /// Seed 21720: the first of two ended, the second was due and stood behind one of a higher priority.
    @Test func severalThatWaitForAnAttemptHoldTheirLaneOneAfterTheOther() {
        let rows = [
            envelope(1, at: 0, attempts: 1), envelope(7, priority: -1, at: 0, attempts: 1), envelope(23, priority: 2),
        ]
        var mailbox = MailboxMachine(bound: 2, mayHoldMail: true)
        expect(deliveries(&mailbox, SortedStore(rows), bound: 2, ordered: true), [1, 7, 23])
    }

    /// What is delivered, one after another, with every page answered from the store.
    private func deliveries(
        _ mailbox: inout MailboxMachine, _ store: SortedStore, bound: Int, ordered: Bool
    ) -> [Int64] {
        var store = store
        var delivered: [Int64] = []
        while true {
            switch mailbox.next(now: start, ordered: ordered) {
            case .deliver(let envelope):
                delivered.append(envelope.sequence)
                store.remove(envelope.sequence)
                mailbox.ended(envelope)
            case .read(let page):
                mailbox.read(store.page(page, now: start, limit: bound), limit: bound, now: start)
            case .expire, .wait, .empty: return delivered
            }
        }
    }
}
