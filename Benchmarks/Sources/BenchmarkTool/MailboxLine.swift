import ActorCore
import ActorRuntime
import CMemory
import Synchronization

/// In-process messages through the daemon's mailboxes, without a store.
///
/// Everything that is measured is ``Mailbox`` of ActorRuntime as the dispatcher uses it: a message is put in with
/// `committed`, whoever hands out slots is told when it has to be, and a slot takes one message after the other.
/// What a message says was made before, as an Erlang process is sent a number here, which nobody has to make either. A
/// sender lets others run after every thousand, as Erlang's scheduler does by itself.
enum MailboxLine {
    static let senders = 2
    /// Messages of a sender between two looks at who else wants to run.
    static let turn = 1000
    static let moment = Timestamp(milliseconds: 1_600_000_000_000)

    /// Two senders to `actors` mailboxes, in turn, until every message was taken.
    static func fanIn(actors: Int, messages: Int) async -> [(String, Double)] {
        let each = messages / (senders * actors)
        let total = each * senders * actors
        let house = MailboxHouse(actors: actors, expected: total)
        let began = monotonicNanoseconds()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<senders {
                group.addTask {
                    let contents = (0..<turn).map { _ in MailboxHouse.content() }
                    var sent = 0
                    for _ in 0..<each {
                        for actor in 0..<actors {
                            house.post(contents[sent], to: actor)
                            sent += 1
                            if sent == turn {
                                sent = 0
                                await Task.yield()
                            }
                        }
                    }
                }
            }
        }
        await house.untilAllTaken()
        let time = Double(monotonicNanoseconds() - began)
        return [
            ("messages", Double(total)), ("per_second", Double(total) * 1e9 / time),
            ("nanoseconds", time / Double(total)),
        ]
    }

    /// There and back between two mailboxes: whoever takes a message from one puts the next into the other.
    static func roundTrip(count: Int) async -> [(String, Double)] {
        let warm = MailboxHouse(actors: 2, expected: 2000, bounces: true)
        warm.post(MailboxHouse.content(), to: 0)
        await warm.untilAllTaken()
        let house = MailboxHouse(actors: 2, expected: 2 * count, bounces: true)
        let began = monotonicNanoseconds()
        house.post(MailboxHouse.content(), to: 0)
        await house.untilAllTaken()
        return [
            ("count", Double(count)), ("nanoseconds", Double(monotonicNanoseconds() - began) / Double(count)),
        ]
    }

    /// What a mailbox takes that holds nothing, its place in the table of mailboxes included.
    static func idle(actors: Int) -> [(String, Double)] {
        let names = (0..<actors).map { ActorID("actor-\($0)") }
        // What the first one of its kind brings along for all.
        _ = Mailbox(bound: 64)
        let before = memory_in_use()
        let mailboxes = Dictionary(uniqueKeysWithValues: names.map { ($0, Mailbox(bound: 64)) })
        let bytes = Double(memory_in_use()) - Double(before)
        return withExtendedLifetime(mailboxes) {
            [("actors", Double(mailboxes.count)), ("bytes", bytes / Double(actors))]
        }
    }
}

/// Mailboxes, and slots that empty those which have something to run.
final class MailboxHouse: Sendable {
    private struct Work {
        var runnable: [Int] = []
        var slots = 0
        var taken = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    /// As many as there are threads to run them.
    private static let slots = 2

    private let mailboxes: [Mailbox]
    private let execution = ExecutionID("bench")
    private let nextSequence = Atomic<Int64>(0)
    private let expected: Int
    private let bounces: Bool
    private let work = Mutex(Work())

    init(actors: Int, expected: Int, bounces: Bool = false) {
        // No store stands behind these: they keep all that they are given.
        mailboxes = (0..<actors).map { _ in Mailbox(bound: .max) }
        self.expected = expected
        self.bounces = bounces
    }

    static func content() -> NewMessage {
        NewMessage(
            actor: ActorID("bench"), body: Array("{}".utf8), sender: "bench", received: MailboxLine.moment)
    }

    func post(_ content: NewMessage, to actor: Int) {
        let envelope = Envelope(
            sequence: nextSequence.wrappingAdd(1, ordering: .relaxed).newValue, execution: execution, message: content)
        guard mailboxes[actor].committed(envelope, now: MailboxLine.moment) else { return }
        let starts = work.withLock { work in
            work.runnable.append(actor)
            guard work.slots < Self.slots else { return false }
            work.slots += 1
            return true
        }
        if starts { Task { self.runSlot() } }
    }

    func untilAllTaken() async {
        await withCheckedContinuation { continuation in
            let isDone = work.withLock { work in
                if work.taken == expected { return true }
                work.waiter = continuation
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    /// Empties what became runnable meanwhile, then what became so while that was done.
    private func runSlot() {
        var taken = 0
        while true {
            let (batch, waiter) = work.withLock { work in
                work.taken += taken
                let batch = work.runnable
                work.runnable = []
                if batch.isEmpty { work.slots -= 1 }
                let waiter = work.taken == expected ? work.waiter : nil
                if waiter != nil { work.waiter = nil }
                return (batch, waiter)
            }
            waiter?.resume()
            if batch.isEmpty { return }
            taken = batch.reduce(0) { $0 + empty($1) }
        }
    }

    private func empty(_ actor: Int) -> Int {
        let mailbox = mailboxes[actor]
        var count = 0
        while case .deliver(let envelope) = mailbox.next(now: MailboxLine.moment, ordered: true, idle: {}) {
            mailbox.ended(envelope, returned: nil, now: MailboxLine.moment)
            count += 1
            if bounces, envelope.sequence < Int64(expected) {
                post(envelope.message, to: 1 - actor)
            }
        }
        return count
    }
}
