import ActorCore
import ActorTesting
import Synchronization
import Testing

@testable import ActorRuntime

@Suite("A mailbox between whoever fills it and whoever empties it")
struct MailboxTests {
    private static let start = Timestamp(milliseconds: 1_700_000_000_000)

    private static func envelope(
        _ sequence: Int64, sender: String = "a", key: String? = nil, priority: Int = 0, deliverAt: Timestamp? = nil
    ) -> Envelope {
        let message = NewMessage(
            actor: ActorID("one"), body: [], sender: sender, key: key, priority: priority, deliverAt: deliverAt,
            received: start)
        return Envelope(sequence: sequence, execution: ExecutionID("e\(sequence)"), message: message)
    }

    /// What comes is told to the machine in crowds, and late; nobody may see a difference.
    @Test("it says what a machine says that is told of every message at once", arguments: 0..<200)
    func sameAsTheMachine(seed: UInt64) {
        var dice = SeededGenerator(seed: seed)
        let mailbox = Mailbox(bound: 1000)
        var machine = MailboxMachine(bound: 1000)
        let ordered = Bool.random(using: &dice)
        let oddOnes = [0, 0, 30, 3].randomElement(using: &dice) ?? 0
        var now = Self.start
        var sequence: Int64 = 0
        var running: [Envelope] = []
        for _ in 0..<400 {
            switch Int.random(in: 0..<10, using: &dice) {
            case 0..<4:
                for _ in 0..<Int.random(in: 1...5, using: &dice) {
                    sequence += 1
                    let isOdd = oddOnes > 0 && Int.random(in: 0..<oddOnes, using: &dice) == 0
                    let wait = isOdd && Bool.random(using: &dice) ? Int64.random(in: 1...50, using: &dice) : nil
                    let come = Self.envelope(
                        sequence, key: [nil, "k", "l"].randomElement(using: &dice) ?? nil,
                        priority: isOdd ? Int.random(in: -2...2, using: &dice) : 0,
                        deliverAt: wait.map { now.adding(milliseconds: $0) })
                    _ = mailbox.committed(come, now: now)
                    machine.committed(come, now: now)
                }
            case 4..<7:
                let said = mailbox.next(now: now, ordered: ordered, idle: {})
                #expect(said == machine.next(now: now, ordered: ordered))
                if case .deliver(let envelope) = said { running.append(envelope) }
            case 7, 8:
                guard let index = running.indices.randomElement(using: &dice) else { continue }
                let envelope = running.remove(at: index)
                var returned: Envelope?
                if oddOnes > 0, Bool.random(using: &dice) {
                    returned = envelope
                    returned?.attempts += 1
                    returned?.notBefore = now.adding(milliseconds: 20)
                }
                mailbox.ended(envelope, returned: returned, now: now)
                if let returned { machine.returned(returned, now: now) } else { machine.ended(envelope) }
            default:
                now = now.adding(milliseconds: Int64.random(in: 0...30, using: &dice))
                guard Int.random(in: 0..<5, using: &dice) == 0, sequence > 0 else { continue }
                let withdrawn = Int64.random(in: 1...sequence, using: &dice)
                mailbox.removed(withdrawn, now: now)
                machine.removed(withdrawn)
            }
        }
    }

    /// What came while a page was read joins the rest after that page, when the doorstep has long forgotten it.
    @Test func theLessUrgentThatCameDuringAReadStandsBehindWhatComesLater() {
        let mailbox = Mailbox(bound: 10, mayHoldMail: true)
        func next() -> MailboxMachine.Next { mailbox.next(now: Self.start, ordered: false, idle: {}) }
        for _ in 0..<2 {
            guard case .read = next() else { break }
            mailbox.read([], limit: 10, now: Self.start)
        }
        #expect(next() == .read(.ready(after: .first)))
        _ = mailbox.committed(Self.envelope(1, priority: -2), now: Self.start)
        #expect(next() == .empty)
        mailbox.read([], limit: 10, now: Self.start)
        let usual = Self.envelope(2)
        _ = mailbox.committed(usual, now: Self.start)
        #expect(next() == .deliver(usual))
    }

    /// A page may show a message whose commit is told a moment later, when it has been run by then.
    @Test func whatWasReadAndHasEndedDoesNotComeBackWithTheWordOfItsCommit() {
        let mailbox = Mailbox(bound: 2, mayHoldMail: true)
        func next() -> MailboxMachine.Next { mailbox.next(now: Self.start, ordered: false, idle: {}) }
        for _ in 0..<2 {
            guard case .read = next() else { break }
            mailbox.read([], limit: 2, now: Self.start)
        }
        let (first, second) = (Self.envelope(1), Self.envelope(2))
        #expect(next() == .read(.ready(after: .first)))
        mailbox.read([first, second], limit: 2, now: Self.start)
        #expect(next() == .deliver(first))
        mailbox.ended(first, returned: nil, now: Self.start)
        #expect(next() == .deliver(second))
        _ = mailbox.committed(second, now: Self.start)
        mailbox.ended(second, returned: nil, now: Self.start)
        guard case .read(let page) = next() else {
            Issue.record("there may be more in the store")
            return
        }
        #expect(page == .ready(after: second.rank))
        mailbox.read([], limit: 2, now: Self.start)
        #expect(next() == .empty)
    }

    @Test func aLongBodyDoesNotWaitInMemory() {
        let mailbox = Mailbox(bound: 10)
        let message = NewMessage(
            actor: ActorID("one"), body: Array(repeating: 1, count: NewMessage.mostKept + 1), sender: "a",
            received: Self.start)
        let come = Envelope(sequence: 1, execution: ExecutionID("e1"), message: message)
        _ = mailbox.committed(come, now: Self.start)
        for attempt in 1...2 {
            guard case .deliver(var envelope) = mailbox.next(now: Self.start, ordered: true, idle: {}) else {
                Issue.record("attempt \(attempt) does not run")
                return
            }
            #expect(envelope.message.body.isEmpty && envelope.message.bodyBytes == message.body.count)
            envelope = envelope.whole(message)
            #expect(envelope == come)
            mailbox.ended(envelope, returned: envelope, now: Self.start)
        }
    }

    private final class Numbers: Sendable {
        private let last = Atomic<Int64>(0)
        func take() -> Int64 { last.add(1, ordering: .relaxed).newValue }
    }

    @Test("two who send at once and one who takes: nothing is lost, and everybody's order is kept")
    func atOnce() async {
        let mailbox = Mailbox(bound: .max)
        let each: Int64 = 20_000
        let numbers = Numbers()
        // Each signal stands for somebody who is told to look.
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        await withTaskGroup(of: Void.self) { group in
            for sender in ["a", "b"] {
                group.addTask {
                    for _ in 0..<each {
                        let number = numbers.take()
                        if mailbox.committed(Self.envelope(number, sender: sender), now: Self.start) { signal.yield() }
                    }
                }
            }
            var last: [String: Int64] = [:]
            var taken: Int64 = 0
            for await _ in signals {
                while case .deliver(let envelope) = mailbox.next(now: Self.start, ordered: true, idle: {}) {
                    #expect(last[envelope.message.sender, default: 0] < envelope.sequence)
                    last[envelope.message.sender] = envelope.sequence
                    taken += 1
                    mailbox.ended(envelope, returned: nil, now: Self.start)
                }
                if taken == 2 * each { break }
            }
            #expect(taken == 2 * each)
        }
    }
}
