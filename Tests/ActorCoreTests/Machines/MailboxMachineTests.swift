import ActorCore
import ActorTesting
import Testing

@Suite struct MailboxMachineTests {
    let start = Timestamp(milliseconds: 1_000_000)

    func after(_ milliseconds: Int64) -> Timestamp { start.adding(milliseconds: milliseconds) }

    func envelope(
        _ sequence: Int64, key: String? = nil, priority: Int = 0, at moment: Int64? = nil, expires: Int64? = nil,
        attempts: Int = 0
    ) -> Envelope {
        Envelope(
            sequence: sequence, execution: ExecutionID("e\(sequence)"),
            message: NewMessage(
                actor: ActorID("a"), body: [], sender: "t", key: key, priority: priority, deliverAt: moment.map(after),
                expires: expires.map(after), received: start),
            attempts: attempts)
    }

    func rank(_ sequence: Int64, _ priority: Int = 0) -> Rank { Rank(priority: priority, sequence: sequence) }

    /// What a mailbox delivers, one after another, each ending at once.
    func drain(_ mailbox: inout MailboxMachine, ordered: Bool = true, now: Timestamp? = nil) -> [Int64] {
        var delivered: [Int64] = []
        while case .deliver(let envelope) = mailbox.next(now: now ?? start, ordered: ordered) {
            delivered.append(envelope.sequence)
            mailbox.ended(envelope)
        }
        return delivered
    }

    /// Answers the pages that a mailbox of a store asks for when it starts, until it asks for nothing.
    func started(_ rows: [Envelope], bound: Int = 4, limit: Int = 4) -> (MailboxMachine, MailboxMachine.Next) {
        var mailbox = MailboxMachine(bound: bound, mayHoldMail: true)
        let store = SortedStore(rows)
        while true {
            let next = mailbox.next(now: start, ordered: true)
            guard case .read(let page) = next else { return (mailbox, next) }
            mailbox.read(store.page(page, now: start, limit: limit), limit: limit, now: start)
        }
    }

    @Test func deliversInTheOrderOfTheStore() {
        var mailbox = MailboxMachine(bound: 4)
        for sequence in 1...3 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        #expect(mailbox.inMemory == 3)
        expect(drain(&mailbox), [1, 2, 3])
        expect(mailbox.next(now: start, ordered: true), .empty)
        #expect(mailbox.inMemory == 0)
    }

    @Test func holdsNoMoreThanItsBoundAndReadsTheRest() {
        var mailbox = MailboxMachine(bound: 2)
        for sequence in 1...5 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        #expect(mailbox.inMemory == 2)
        expect(drain(&mailbox, ordered: false), [1, 2])
        // The last was asked for by the drain.
        mailbox.read([envelope(3), envelope(4)], limit: 2, now: start)
        expect(drain(&mailbox, ordered: false), [3, 4])
        mailbox.read([envelope(5)], limit: 2, now: start)
        expect(drain(&mailbox, ordered: false), [5])
        expect(mailbox.next(now: start, ordered: false), .empty)
    }

    @Test func aPageIsAskedForFromWhereTheLastEnded() {
        var mailbox = MailboxMachine(bound: 2)
        for sequence in 1...5 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        _ = mailbox.next(now: start, ordered: false)
        _ = mailbox.next(now: start, ordered: false)
        expect(mailbox.next(now: start, ordered: false), .read(.ready(after: rank(2))))
        expect(mailbox.next(now: start, ordered: false), .empty)
        mailbox.readFailed()
        expect(mailbox.next(now: start, ordered: false), .read(.ready(after: rank(2))))
        mailbox.read([envelope(3), envelope(4)], limit: 2, now: start)
        expect(drain(&mailbox, ordered: false), [3, 4])
    }

    @Test func aMessageCommittedWhileAPageIsReadIsNeitherLostNorDoubled() {
        for pageShowsIt in [false, true] {
            var mailbox = MailboxMachine(bound: 2)
            for sequence in 1...3 { mailbox.committed(envelope(Int64(sequence)), now: start) }
            expect(drain(&mailbox, ordered: false), [1, 2])
            mailbox.committed(envelope(8), now: start)
            mailbox.committed(envelope(9, priority: 5), now: start)
            let page = [envelope(9, priority: 5), envelope(3), envelope(8)]
            mailbox.read(pageShowsIt ? page : [envelope(3)], limit: 4, now: start)
            expect(drain(&mailbox, ordered: false), [9, 3, 8])
            expect(mailbox.next(now: start, ordered: false), .empty)
        }
    }

    @Test func anUrgentMessageThatAFullPageMissesComesAllTheSame() {
        var mailbox = MailboxMachine(bound: 2)
        for sequence in 1...5 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        expect(drain(&mailbox, ordered: false), [1, 2])
        mailbox.committed(envelope(6, priority: 1), now: start)
        mailbox.read([envelope(3), envelope(4)], limit: 2, now: start)
        expect(drain(&mailbox, ordered: false), [6, 3, 4])
    }

    @Test func theWordOfACommitMayComeAfterThePageThatShowsIt() {
        var mailbox = MailboxMachine(bound: 2)
        for sequence in 1...3 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        expect(drain(&mailbox, ordered: false), [1, 2])
        mailbox.read([envelope(3), envelope(4)], limit: 3, now: start)
        expect(mailbox.next(now: start, ordered: false), .deliver(envelope(3)))
        mailbox.committed(envelope(4), now: start)
        mailbox.ended(envelope(3))
        expect(mailbox.next(now: start, ordered: false), .deliver(envelope(4)))
        mailbox.committed(envelope(4), now: start)
        mailbox.ended(envelope(4))
        expect(mailbox.next(now: start, ordered: false), .empty)
    }

    @Test func theUrgentComeFirst() {
        var mailbox = MailboxMachine(bound: 8)
        for (index, priority) in [0, -9, 0, 9, 3, 9].enumerated() {
            mailbox.committed(envelope(Int64(index + 1), priority: priority), now: start)
        }
        expect(drain(&mailbox), [4, 6, 5, 1, 3, 2])
    }

    @Test func keysSerialiseWhileOthersGoOn() {
        var mailbox = MailboxMachine(bound: 8)
        let a1 = envelope(1, key: "a"), a2 = envelope(2, key: "a"), b1 = envelope(3, key: "b"), plain = envelope(4)
        for envelope in [a1, a2, b1, plain] { mailbox.committed(envelope, now: start) }
        expect(mailbox.next(now: start, ordered: false), .deliver(a1))
        expect(mailbox.next(now: start, ordered: false), .deliver(b1))
        expect(mailbox.next(now: start, ordered: false), .deliver(plain))
        expect(mailbox.next(now: start, ordered: false), .empty)
        #expect(mailbox.running == 3)
        mailbox.ended(b1)
        expect(mailbox.next(now: start, ordered: false), .empty)
        mailbox.ended(a1)
        expect(mailbox.next(now: start, ordered: false), .deliver(a2))
    }

    @Test func aRetryHoldsItsLaneOnly() {
        for ordered in [true, false] {
            var mailbox = MailboxMachine(bound: 8)
            for sequence in 1...2 { mailbox.committed(envelope(Int64(sequence)), now: start) }
            mailbox.committed(envelope(3, key: "k"), now: start)
            expect(mailbox.next(now: start, ordered: ordered), .deliver(envelope(1)))
            let again = envelope(1, at: 500, attempts: 1)
            mailbox.returned(again, now: start)
            expect(drain(&mailbox, ordered: ordered), (ordered ? [3] : [2, 3]))
            expect(mailbox.next(now: start, ordered: ordered), .wait(until: after(500)))
            expect(mailbox.next(now: after(500), ordered: ordered), .deliver(again))
            mailbox.ended(again)
            expect(drain(&mailbox, ordered: ordered, now: after(500)), (ordered ? [2] : []))
        }
    }

    @Test func aMessageThatItsSenderDelayedHoldsBackNobody() {
        var mailbox = MailboxMachine(bound: 4)
        mailbox.committed(envelope(1, at: 500), now: start)
        mailbox.committed(envelope(2), now: start)
        mailbox.committed(envelope(3, at: 200), now: start)
        expect(drain(&mailbox), [2])
        expect(mailbox.next(now: start, ordered: true), .wait(until: after(200)))
        expect(drain(&mailbox, now: after(300)), [3])
        expect(drain(&mailbox, now: after(500)), [1])
    }

    @Test func droppedMessagesComeBackByThePageOfTheirLane() {
        var mailbox = MailboxMachine(bound: 2)
        for sequence in 1...4 { mailbox.committed(envelope(Int64(sequence), key: "a"), now: start) }
        mailbox.committed(envelope(5, key: "b"), now: start)
        mailbox.committed(envelope(6, key: "a"), now: start)
        expect(mailbox.next(now: start, ordered: false), .deliver(envelope(1, key: "a")))
        expect(mailbox.next(now: start, ordered: false), .read(.ready(after: rank(2))))
        mailbox.read([envelope(3, key: "a"), envelope(4, key: "a")], limit: 2, now: start)
        expect(mailbox.next(now: start, ordered: false), .read(.ready(after: rank(4))))
        mailbox.read([envelope(5, key: "b"), envelope(6, key: "a")], limit: 2, now: start)
        expect(mailbox.next(now: start, ordered: false), .deliver(envelope(5, key: "b")))
        #expect(mailbox.inMemory <= 2)
        mailbox.ended(envelope(1, key: "a"))
        // What is in memory of the lane is not its first: that is read before.
        expect(mailbox.next(now: start, ordered: false), .read(.lane("a", after: rank(1))))
        mailbox.read([envelope(2, key: "a"), envelope(3, key: "a")], limit: 2, now: start)
        expect(drain(&mailbox, ordered: false), [2, 3])
        mailbox.read([envelope(4, key: "a"), envelope(6, key: "a")], limit: 3, now: start)
        expect(drain(&mailbox, ordered: false), [4, 6])
    }

    @Test func aStartReadsWhatWaitsForAnAttemptFirst() {
        var mailbox = MailboxMachine(bound: 4, mayHoldMail: true)
        expect(mailbox.next(now: start, ordered: false), .read(.retrying(after: 0)))
        expect(mailbox.next(now: start, ordered: false), .empty)
        mailbox.read([envelope(1, key: "a", at: 500, attempts: 1)], limit: 4, now: start)
        var store = SortedStore([
            envelope(1, key: "a", at: 500, attempts: 1), envelope(2, key: "a"), envelope(3, key: "b"),
            envelope(4, at: -5), envelope(5, at: 900),
        ])
        var delivered: [Int64] = []
        var moments: [Timestamp] = []
        var now = start
        while store.count > 0, delivered.count + moments.count < 20 {
            switch mailbox.next(now: now, ordered: false) {
            case .read(let page): mailbox.read(store.page(page, now: now, limit: 4), limit: 4, now: now)
            case .deliver(let envelope):
                delivered.append(envelope.sequence)
                store.remove(envelope.sequence)
                mailbox.ended(envelope)
            case .wait(let moment):
                moments.append(moment)
                now = moment
            case .expire, .empty: Issue.record("stuck after \(delivered)")
            }
        }
        // Of different keys, either may come first; the key that waits for its next attempt comes after both.
        #expect(Set(delivered.prefix(2)) == [3, 4])
        #expect(delivered.dropFirst(2) == [1, 2, 5])
        #expect(moments == [after(500), after(900)])
    }

    @Test func anEmptyStoreIsFoundEmpty() {
        let (_, next) = started([])
        #expect(next == .empty)
        let (_, late) = started((1...9).map { envelope($0, at: 100 * $0) })
        #expect(late == .wait(until: after(100)))
    }

    @Test func delayedOnesThatDidNotFitAreReadInTime() {
        var mailbox = MailboxMachine(bound: 2)
        let rows = (1...6).map { envelope($0, at: 100 * $0) }
        for row in rows.reversed() { mailbox.committed(row, now: start) }
        #expect(mailbox.inMemory == 2)
        var store = SortedStore(rows)
        var now = start
        var delivered: [Int64] = []
        while store.count > 0 {
            switch mailbox.next(now: now, ordered: true) {
            case .read(let page): mailbox.read(store.page(page, now: now, limit: 2), limit: 2, now: now)
            case .deliver(let envelope):
                #expect(envelope.notBefore == now)
                delivered.append(envelope.sequence)
                store.remove(envelope.sequence)
                mailbox.ended(envelope)
            case .wait(let moment): now = moment
            case .expire, .empty:
                Issue.record("stuck after \(delivered)")
                return
            }
        }
        #expect(delivered == [1, 2, 3, 4, 5, 6])
    }

    @Test func aLongWaitForAnAttemptHidesNothingThatIsDueBefore() {
        var mailbox = MailboxMachine(bound: 1)
        mailbox.committed(envelope(1, key: "a"), now: start)
        expect(mailbox.next(now: start, ordered: false), .deliver(envelope(1, key: "a")))
        mailbox.returned(envelope(1, key: "a", at: 9000, attempts: 1), now: start)
        for sequence in 2...9 { mailbox.committed(envelope(Int64(sequence), at: 100), now: start) }
        #expect(mailbox.inMemory <= 2)
        let place = DuePlace(moment: after(100), sequence: 1)
        expect(mailbox.next(now: start, ordered: false), .read(.delayed(after: place)))
        mailbox.read([envelope(2, at: 100)], limit: 1, now: start)
        expect(mailbox.next(now: start, ordered: false), .wait(until: after(100)))
    }

    @Test func memoryIsBoundedWhateverFails() {
        var mailbox = MailboxMachine(bound: 4)
        for sequence in 1...500 {
            let row = envelope(Int64(sequence))
            mailbox.committed(row, now: start)
            if case .deliver = mailbox.next(now: start, ordered: false) {
                mailbox.returned(envelope(Int64(sequence), at: 60000, attempts: 1), now: start)
            }
        }
        #expect(mailbox.inMemory <= 8)
    }

    @Test func aMessageWhoseTimeIsOverIsEndedUnrun() {
        var mailbox = MailboxMachine(bound: 4)
        mailbox.committed(envelope(1, key: "a", expires: 900), now: start)
        mailbox.committed(envelope(2, key: "a", expires: 100), now: start)
        expect(mailbox.next(now: after(99), ordered: false), .deliver(envelope(1, key: "a", expires: 900)))
        expect(mailbox.next(now: after(99), ordered: false), .empty)
        // Also while its lane is held.
        expect(mailbox.next(now: after(100), ordered: false), .expire(envelope(2, key: "a", expires: 100)))
        mailbox.ended(envelope(2, key: "a", expires: 100))
        let again = envelope(1, key: "a", at: 950, expires: 900, attempts: 1)
        mailbox.returned(again, now: after(100))
        mailbox.committed(envelope(3, key: "a"), now: after(100))
        expect(mailbox.next(now: after(100), ordered: false), .wait(until: after(950)))
        expect(mailbox.next(now: after(950), ordered: false), .expire(again))
        expect(mailbox.next(now: after(950), ordered: false), .empty)
        mailbox.ended(again)
        expect(mailbox.next(now: after(950), ordered: false), .deliver(envelope(3, key: "a")))
    }

    @Test func aWithdrawnMessageFreesItsLane() {
        var mailbox = MailboxMachine(bound: 4)
        for sequence in 1...3 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(1)))
        mailbox.returned(envelope(1, at: 500, attempts: 1), now: start)
        mailbox.removed(2)
        expect(mailbox.next(now: start, ordered: true), .wait(until: after(500)))
        mailbox.removed(1)
        expect(drain(&mailbox), [3])
    }

    @Test func aPageDoesNotBringBackWhatWasWithdrawnMeanwhile() {
        var mailbox = MailboxMachine(bound: 1)
        for sequence in 1...3 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        expect(drain(&mailbox), [1])
        mailbox.removed(2)
        mailbox.committed(envelope(4), now: start)
        mailbox.removed(4)
        mailbox.read([envelope(2), envelope(3)], limit: 9, now: start)
        expect(drain(&mailbox), [3])
        expect(mailbox.next(now: start, ordered: true), .empty)
    }

    @Test func aPurgedMailboxIsReadAnew() {
        var mailbox = MailboxMachine(bound: 2)
        for sequence in 1...4 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        expect(mailbox.next(now: start, ordered: false), .deliver(envelope(1)))
        _ = mailbox.next(now: start, ordered: false)
        expect(mailbox.next(now: start, ordered: false), .read(.ready(after: rank(2))))
        mailbox.purged()
        #expect(mailbox.inMemory == 0)
        // The page that was under way is of the time before.
        mailbox.read([envelope(3), envelope(4)], limit: 2, now: start)
        mailbox.ended(envelope(1))
        expect(mailbox.next(now: start, ordered: false), .read(.retrying(after: 0)))
        mailbox.read([], limit: 2, now: start)
        expect(mailbox.next(now: start, ordered: false), .read(.delayed(after: .first)))
        mailbox.read([], limit: 2, now: start)
        expect(mailbox.next(now: start, ordered: false), .read(.ready(after: .first)))
        mailbox.read([envelope(7)], limit: 2, now: start)
        expect(drain(&mailbox, ordered: false), [7])
    }

    @Test func aReleasedMessageComesFirstAgain() {
        var mailbox = MailboxMachine(bound: 4)
        for sequence in 1...2 { mailbox.committed(envelope(Int64(sequence)), now: start) }
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(1)))
        mailbox.returned(envelope(1), now: start)
        #expect(mailbox.running == 0)
        expect(drain(&mailbox), [1, 2])
    }

    @Test func aClockSetBackLosesNothingThatWasDropped() {
        let rows = [envelope(1), envelope(2, at: 100), envelope(3, at: 100)]
        var mailbox = MailboxMachine(bound: 1)
        var store = SortedStore(rows)
        for row in rows { mailbox.committed(row, now: start) }
        var delivered: [Int64] = []
        expect(mailbox.next(now: start, ordered: true), .deliver(envelope(1)))
        for now in [start, after(200), after(200), after(200), after(50)] {
            if case .read(let page) = mailbox.next(now: now, ordered: true) {
                mailbox.read(store.page(page, now: now, limit: 1), limit: 1, now: now)
            }
        }
        store.remove(1)
        mailbox.ended(envelope(1))
        var now = after(50)
        for _ in 0..<20 {
            switch mailbox.next(now: now, ordered: true) {
            case .read(let page): mailbox.read(store.page(page, now: now, limit: 1), limit: 1, now: now)
            case .wait(let moment): now = moment
            case .deliver(let envelope):
                delivered.append(envelope.sequence)
                store.remove(envelope.sequence)
                mailbox.ended(envelope)
            case .expire, .empty: break
            }
        }
        #expect(delivered.sorted() == [2, 3])
    }

    @Test func soManyKeysWaitForAnAttemptThatNoOtherBeginsAndItIsSaidWhy() {
        let most = Int64(MailboxMachine.maxLanes)
        var mailbox = MailboxMachine(bound: 2 * MailboxMachine.maxLanes)
        for sequence in 1...most {
            mailbox.committed(envelope(sequence, key: "k\(sequence)"), now: start)
            expect(
                mailbox.next(now: start, ordered: false), .deliver(envelope(sequence, key: "k\(sequence)")))
            mailbox.returned(
                envelope(sequence, key: "k\(sequence)", at: 500 + sequence, attempts: 1), now: start)
        }
        let (crowdedOut, follower) = (envelope(most + 1, key: "new"), envelope(most + 2, key: "k1"))
        mailbox.committed(crowdedOut, now: start)
        mailbox.committed(follower, now: start)
        expect(mailbox.next(now: start, ordered: false), .wait(until: after(501)))
        #expect(mailbox.obstacle(before: crowdedOut, ordered: false) == .crowded(until: after(501)))
        let holder = envelope(1, key: "k1", at: 501, attempts: 1)
        #expect(mailbox.obstacle(before: follower, ordered: false) == .held(by: 1, waiting: holder))
        #expect(mailbox.obstacle(before: holder, ordered: false) == nil)
        #expect(mailbox.obstacle(before: envelope(most + 3), ordered: false) == nil)
        expect(mailbox.next(now: after(501), ordered: false), .deliver(holder))
        mailbox.ended(holder)
        expect(mailbox.next(now: after(501), ordered: false), .deliver(crowdedOut))
    }

    @Test func aPageThatNobodyAskedForIsAFault() async {
        await #expect(processExitsWith: .failure) {
            var mailbox = MailboxMachine(bound: 1)
            mailbox.read([], limit: 1, now: Timestamp(milliseconds: 0))
        }
    }
}
