internal import ActorCore

/// The secrets of deleted actors whose webhooks may still have events to come: these are signed like those before them.
/// As long as such events are tried, and no more than so many. Pure.
struct DepartedWebhooks: Sendable, Equatable {
    /// Where the store keeps them.
    static let setting = "webhooks.departed"
    private static let most = 256

    private struct Entry: Sendable, Equatable {
        let actor: String
        let secret: String
        let until: Int64
    }

    private var entries: [Entry]

    /// What cannot be read is nothing.
    init(_ text: String?) {
        let items = text.flatMap { try? JSONReader.read(Array($0.utf8)) }?.array ?? []
        entries = items.compactMap { item in
            guard let actor = item["actor"]?.string, let secret = item["secret"]?.string, let until = item["until"]?.int
            else { return nil }
            return Entry(actor: actor, secret: secret, until: Int64(until))
        }
    }

    var text: String {
        JSONWriter.string(
            .array(
                entries.map { ["actor": .string($0.actor), "secret": .string($0.secret), "until": .int($0.until)] }))
    }

    mutating func add(_ secret: WebhookSecret, of actor: ActorID, now: Timestamp, days: Double) {
        let until = now.adding(milliseconds: Int64(min(days, 36_500) * 86_400_000))
        entries.removeAll { $0.until < now.milliseconds || $0.actor == actor.rawValue }
        entries.append(Entry(actor: actor.rawValue, secret: secret.reveal(), until: until.milliseconds))
        entries = Array(entries.suffix(Self.most))
    }

    func secret(of actor: ActorID) -> WebhookSecret? {
        entries.last { $0.actor == actor.rawValue }.flatMap { WebhookSecret($0.secret) }
    }
}
