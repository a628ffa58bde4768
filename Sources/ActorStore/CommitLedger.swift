import ActorCore

/// What the changes of one commit will have to tell once they are on disk, and the numbers they use: what a
/// transaction rolls back in the database, ``undo(to:)`` rolls back here.
struct CommitLedger {
    /// A place in the ledger to go back to.
    struct Mark {
        fileprivate var envelopes = 0
        fileprivate var events = 0
        fileprivate var changes = 0
        fileprivate var news = 0

        static let start = Mark()
    }

    let counts: MailCounts
    let numbers: ExecutionNumbers
    let hot: HotStatements
    private var lastSequence: Int64
    private var changes: [(item: MailCounts.Item, times: Int)] = []
    private(set) var envelopes: [Envelope] = []
    private(set) var events: [CommittedEvent] = []
    private var news: [CommitNews.Item] = []

    init(counts: MailCounts, numbers: ExecutionNumbers, hot: HotStatements, lastSequence: Int64) {
        self.counts = counts
        self.numbers = numbers
        self.hot = hot
        self.lastSequence = lastSequence
    }

    var mark: Mark { Mark(envelopes: envelopes.count, events: events.count, changes: changes.count, news: news.count) }

    /// A number that was never given before. One that a rolled-back change took is not given again.
    mutating func nextSequence() -> Int64 {
        lastSequence += 1
        return lastSequence
    }

    /// The highest number that was given.
    var highestSequence: Int64 { lastSequence }

    mutating func accepted(_ envelope: Envelope) {
        let message = envelope.message
        count(MailCounts.Item(actor: message.actor, sender: message.sender, bytes: message.body.count), times: 1)
        envelopes.append(envelope)
        events.append(.messageAccepted(actor: envelope.actor, execution: envelope.execution))
    }

    mutating func left(_ item: MailCounts.Item) { count(item, times: -1) }

    mutating func note(_ event: CommittedEvent) { events.append(event) }

    /// To be called once the commit is on disk.
    mutating func after(_ announcer: Announcer?, _ tell: @escaping @Sendable (Announcer) -> Void) {
        guard let announcer else { return }
        news.append { tell(announcer) }
    }

    mutating func undo(to mark: Mark) {
        while changes.count > mark.changes {
            let change = changes.removeLast()
            counts.add(change.item, times: -change.times)
        }
        envelopes.removeLast(envelopes.count - mark.envelopes)
        events.removeLast(events.count - mark.events)
        news.removeLast(news.count - mark.news)
    }

    /// What the commit has to tell; the counts stay.
    mutating func take() -> CommitNews {
        defer {
            changes.removeAll(keepingCapacity: true)
            envelopes = []
            events = []
            news = []
        }
        return CommitNews(envelopes: envelopes, events: events, others: news)
    }

    private mutating func count(_ item: MailCounts.Item, times: Int) {
        changes.append((item, times))
        counts.add(item, times: times)
    }
}

/// What a commit tells those who do not wait for its answers, once it is on disk.
struct CommitNews: Sendable {
    typealias Item = @Sendable () -> Void

    let envelopes: [Envelope]
    let events: [CommittedEvent]
    let others: [Item]
}
