import ActorCore
import ActorTesting
import Testing

/// A mailbox as the store has it: rows in an array, pages by sorting.
struct SortedStore {
    private var rows: [Int64: Envelope] = [:]

    init(_ rows: [Envelope] = []) { for row in rows { self.rows[row.sequence] = row } }

    var count: Int { rows.count }
    var all: [Envelope] { rows.values.sorted { $0.sequence < $1.sequence } }
    func row(_ sequence: Int64) -> Envelope? { rows[sequence] }
    mutating func put(_ envelope: Envelope) { rows[envelope.sequence] = envelope }
    mutating func remove(_ sequence: Int64) { rows[sequence] = nil }
    mutating func removeAll() { rows = [:] }

    func page(_ read: MailboxRead, now: Timestamp, limit: Int) -> [Envelope] {
        let found: [Envelope] =
            switch read {
            case .retrying(let after):
                all.filter { $0.attempts > 0 && $0.notBefore != nil && after < $0.sequence }
            case .ready(let after):
                all.filter { $0.notBefore == nil && after < $0.rank }.sorted { $0.rank < $1.rank }
            case .delayed(let after):
                all.filter { row in place(row).map { after < $0 } ?? false }
                    .sorted { (place($0) ?? .first) < (place($1) ?? .first) }
            case .lane(let key, let after):
                all.filter { $0.key == key && after < $0.rank && ($0.notBefore ?? now) <= now }
                    .sorted { $0.rank < $1.rank }
            }
        return Array(found.prefix(limit))
    }

    private func place(_ row: Envelope) -> DuePlace? {
        row.notBefore.map { DuePlace(moment: $0, sequence: row.sequence) }
    }
}

/// A mailbox under random events, beside a store that knows the truth.
struct MailboxModel {
    /// What a run is made of.
    struct Traits: Sendable {
        var isOrdered = false
        var keys: [String?] = [nil]
        var priorities = [0]
        /// In a hundred.
        var delayed = 0
        var failing = 0
        var clockSetBack = false
        var bound = 3
        var limit = 3
    }

    let traits: Traits
    var random: SeededGenerator
    var mailbox: MailboxMachine
    var store = SortedStore()
    var now = Timestamp(milliseconds: 1_000_000)
    var sequence: Int64 = 0
    /// Committed, and the mailbox has not heard of it.
    var untold: [Envelope] = []
    var running: [Int64: Envelope] = [:]
    var pending: MailboxRead?
    /// What the page will show; nil while it was not looked at.
    var seen: [Envelope]?
    var ended = 0
    var withdrawn = 0
    var faults: [String] = []

    init(_ traits: Traits, seed: UInt64) {
        self.traits = traits
        random = SeededGenerator(seed: seed)
        mailbox = MailboxMachine(bound: traits.bound)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: commit()
        case 30..<40: tell()
        case 40..<62: ask()
        case 62..<70: look()
        case 70..<78: answer()
        case 78..<95: finish()
        case 95: withdraw()
        case 96: if chance(10) { purge() }
        case 97: if chance(20) { restart() }
        default: moveClock()
        }
        let most = 6 * (traits.bound + traits.limit)
        // What waits for an attempt and holds its lane stays in memory.
        if mailbox.inMemory > most,
            mailbox.inMemory > most + Set(store.all.filter { $0.attempts > 0 }.map(\.key)).count
        {
            faults.append("\(mailbox.inMemory) in memory")
        }
    }

    private mutating func commit() {
        sequence += 1
        let wait = chance(traits.delayed) ? Int64.random(in: -50...300, using: &random) : nil
        let envelope = Envelope(
            sequence: sequence, execution: ExecutionID("e\(sequence)"),
            message: NewMessage(
                actor: ActorID("a"), body: [], sender: "t", key: traits.keys.randomElement(using: &random) ?? nil,
                priority: traits.priorities.randomElement(using: &random) ?? 0,
                deliverAt: wait.map { now.adding(milliseconds: $0) }, received: now))
        store.put(envelope)
        untold.append(envelope)
        if chance(80) { tell() }
    }

    private mutating func tell() {
        for envelope in untold { mailbox.committed(envelope, now: now) }
        untold = []
    }

    private mutating func ask() {
        switch mailbox.next(now: now, ordered: traits.isOrdered) {
        case .read(let page):
            if pending != nil { faults.append("two pages at a time") }
            pending = page
            seen = nil
            if chance(50) { look() }
        case .deliver(let envelope): deliver(envelope)
        case .expire(let envelope): faults.append("\(envelope.sequence) expired, which nothing does here")
        case .wait(let moment): if moment <= now { faults.append("a wait for the past") }
        case .empty: break
        }
    }

    private mutating func deliver(_ envelope: Envelope) {
        let lane = lane(of: envelope)
        if store.row(envelope.sequence) != envelope { faults.append("\(envelope.sequence) is not as it was delivered") }
        if running[envelope.sequence] != nil { faults.append("\(envelope.sequence) delivered twice") }
        if let moment = envelope.notBefore, moment > now {
            faults.append("\(envelope.sequence) delivered too early")
        }
        if let lane {
            if running.values.contains(where: { self.lane(of: $0) == lane }) {
                faults.append("\(envelope.sequence) delivered while its lane is held")
            }
            for row in store.all where self.lane(of: row) == lane && row.sequence != envelope.sequence {
                if row.attempts > 0, row.notBefore != nil {
                    faults.append("\(envelope.sequence) delivered before \(row.sequence), which waits for an attempt")
                }
                let isBefore = row.notBefore == nil && row.sequence < envelope.sequence
                if isBefore, envelope.notBefore == nil, traits.priorities == [0] {
                    faults.append("\(envelope.sequence) delivered before \(row.sequence)")
                }
            }
        }
        running[envelope.sequence] = envelope
    }

    private func lane(of envelope: Envelope) -> String? { envelope.key ?? (traits.isOrdered ? "" : nil) }

    /// The page is read at some moment between question and answer.
    private mutating func look() {
        guard let pending, seen == nil else { return }
        seen = store.page(pending, now: now, limit: traits.limit)
    }

    private mutating func answer() {
        guard pending != nil else { return }
        if chance(5) {
            mailbox.readFailed()
        } else {
            look()
            mailbox.read(seen ?? [], limit: traits.limit, now: now)
        }
        pending = nil
        seen = nil
    }

    private mutating func finish() {
        guard let number = running.keys.sorted().randomElement(using: &random), let envelope = running[number]
        else { return }
        // The store tells of commits in their order, so all of those before this one's end are known.
        tell()
        running[number] = nil
        if store.row(number) == nil {
            // Withdrawn or purged while it ran without a durable begin.
            mailbox.ended(envelope)
        } else if chance(traits.failing) {
            var again = Envelope(
                sequence: number, execution: envelope.execution, message: envelope.message,
                attempts: envelope.attempts + 1)
            again.notBefore = now.adding(milliseconds: Int64.random(in: 0...400, using: &random))
            store.put(again)
            mailbox.returned(again, now: now)
        } else if chance(5) {
            mailbox.returned(envelope, now: now)
        } else {
            store.remove(number)
            ended += 1
            mailbox.ended(envelope)
        }
    }

    private mutating func withdraw() {
        guard let row = store.all.randomElement(using: &random) else { return }
        tell()
        store.remove(row.sequence)
        withdrawn += 1
        mailbox.removed(row.sequence)
    }

    private mutating func purge() {
        tell()
        withdrawn += store.count
        store.removeAll()
        mailbox.purged()
    }

    private mutating func restart() {
        running = [:]
        untold = []
        pending = nil
        seen = nil
        mailbox = MailboxMachine(bound: traits.bound, mayHoldMail: true)
    }

    private mutating func moveClock() {
        now = now.adding(milliseconds: Int64.random(in: 1...200, using: &random))
        if traits.clockSetBack, chance(20) { now = now.adding(milliseconds: -1000) }
    }

    /// Everything that waits is delivered in the end.
    mutating func settle() {
        tell()
        for _ in 0..<20 * (store.count + running.count + 10) where store.count > 0 {
            ask()
            answer()
            while !running.isEmpty, faults.isEmpty { finish() }
            now = now.adding(milliseconds: 50)
        }
        if store.count > 0 { faults.append("never delivered: \(store.all.map(\.sequence))") }
        if Int64(ended + withdrawn) != sequence { faults.append("\(ended) ended of \(sequence)") }
    }
}

@Suite struct MailboxModelTests {
    static let traits: [MailboxModel.Traits] = [
        .init(), .init(isOrdered: true), .init(keys: [nil, "a", "b", "c"], failing: 20),
        .init(isOrdered: true, keys: [nil, nil, "a"], failing: 30, bound: 2, limit: 5),
        .init(priorities: [-1, 0, 0, 0, 9], bound: 1, limit: 1), .init(delayed: 60, failing: 20, bound: 2, limit: 2),
        .init(isOrdered: true, delayed: 30, failing: 30, bound: 4, limit: 2),
        .init(
            keys: [nil, "a", "b"], priorities: [-1, 0, 0, 3], delayed: 40, failing: 30, clockSetBack: true, bound: 2),
        .init(isOrdered: true, keys: [nil, "a"], delayed: 50, failing: 10, clockSetBack: true, bound: 5, limit: 3),
    ]

    /// Nothing lost, nothing doubled, lanes in order and one at a time, memory bounded, whatever the interleaving.
    @Test(arguments: traits.indices, [1, 2, 3, 5, 8] as [UInt64])
    func modelRun(traits: Int, seed: UInt64) {
        var model = MailboxModel(Self.traits[traits], seed: seed)
        var steps = 0
        while steps < 2000, model.faults.isEmpty {
            model.step()
            steps += 1
        }
        if model.faults.isEmpty { model.settle() }
        #expect(model.faults.isEmpty, "seed \(seed), traits \(traits), step \(steps): \(model.faults)")
        #expect(model.ended > 0, "seed \(seed)")
    }
}
