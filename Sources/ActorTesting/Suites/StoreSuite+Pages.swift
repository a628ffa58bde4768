import ActorCore

/// Which messages a mailbox is read by, and in which order.
extension StoreSuite {
    static let pageChecks: [Check] = [
        Check("the urgent come first, then the older", priorities),
        Check("delayed messages come in the order in which they are due, due ones among them", delayedPages),
        Check("a lane holds the messages of one key that may run", lanes),
        Check("messages between two attempts are found by themselves", retrying),
        Check("what runs is in no page", running),
        Check("a waiting message knows its place", places),
        Check("a page ends at its limit and goes on behind any place", limits),
    ]

    private static func mail(
        _ text: String, key: String? = nil, priority: Int = 0, at moment: Timestamp? = nil
    ) -> NewMessage {
        var message = message(text)
        message.key = key
        message.priority = priority
        message.deliverAt = moment
        return message
    }

    private static func page(
        _ page: MailboxRead, now: Timestamp = noon, limit: Int = 100, _ store: any Store
    ) async throws -> [String] {
        texts(try await store.page(page, of: actor, now: now, limit: limit))
    }

    private static func priorities(_ store: any Store) async throws {
        let envelopes = try await accept(
            [
                mail("a"), mail("low", priority: -9), mail("b"), mail("high", priority: 9),
                mail("later", priority: 9, at: after(60)), mail("c"), mail("high2", priority: 9),
            ], in: store)
        let all = try await store.page(.ready(after: .first), of: actor, now: noon, limit: 100)
        try equal(texts(all), ["high", "high2", "a", "b", "c", "low"], "the ready ones")
        try equal(all[0], envelopes[3], "a message of high priority")
        for (index, envelope) in all.enumerated() {
            let rest = try await page(.ready(after: envelope.rank), store)
            try equal(rest, Array(texts(all).dropFirst(index + 1)), "what is behind \(texts([envelope]))")
        }
        let inside = try await page(.ready(after: Rank(priority: 5, sequence: .max)), store)
        try equal(inside, ["a", "b", "c", "low"], "what is behind a place that no message has")
    }

    private static func delayedPages(_ store: any Store) async throws {
        _ = try await accept(
            [
                mail("d9", at: after(9)), mail("now"), mail("d3", at: after(3)),
                mail("d9-urgent", priority: 9, at: after(9)), mail("past", at: after(-5)),
            ], in: store)
        let all = try await store.page(.delayed(after: .first), of: actor, now: after(5), limit: 100)
        try equal(texts(all), ["past", "d3", "d9", "d9-urgent"], "the delayed ones")
        try equal(all.map(\.notBefore), [after(-5), after(3), after(9), after(9)], "their moments")
        try equal(all.map(\.message.deliverAt), all.map(\.notBefore), "the same, in their messages")
        for (index, envelope) in all.enumerated() {
            let moment = try unwrap(envelope.notBefore, "its moment")
            let place = DuePlace(moment: moment, sequence: envelope.sequence)
            let rest = try await page(.delayed(after: place), store)
            try equal(rest, Array(texts(all).dropFirst(index + 1)), "what is behind \(texts([envelope]))")
        }
        let ready = try await page(.ready(after: .first), now: after(100), store)
        try equal(ready, ["now"], "the ready ones, whatever the time")
    }

    private static func lanes(_ store: any Store) async throws {
        let envelopes = try await accept(
            [
                mail("a1", key: "a"), mail("b1", key: "b"), mail("-1"), mail("a2", key: "a", at: after(5)),
                mail("a3", key: "a", priority: 3), mail("-2", priority: 1), mail("-3", at: after(5)),
                mail("a4", key: "a"),
            ], in: store)
        let early = try await page(.lane("a", after: .first), store)
        try equal(early, ["a3", "a1", "a4"], "the lane before its delayed one is due")
        let late = try await page(.lane("a", after: .first), now: after(5), store)
        try equal(late, ["a3", "a1", "a2", "a4"], "the lane when it is due")
        let rest = try await page(.lane("a", after: envelopes[0].rank), now: after(5), limit: 1, store)
        try equal(rest, ["a2"], "one message behind a1")
        let unkeyed = try await page(.lane(nil, after: .first), store)
        try equal(unkeyed, ["-2", "-1"], "messages without a key")
        let due = try await page(.lane(nil, after: envelopes[5].rank), now: after(6), store)
        try equal(due, ["-1", "-3"], "messages without a key, behind one, when all are due")
        let none = try await page(.lane("none", after: .first), store)
        try equal(none, [], "an unknown lane")
    }

    private static func retrying(_ store: any Store) async throws {
        let envelopes = try await accept(
            [mail("e1"), mail("e2", at: after(3)), mail("e3"), mail("e4", priority: 9)], in: store)
        // The one that comes first is due last.
        for (envelope, wait) in [(envelopes[3], 10), (envelopes[0], 60)] {
            try await store.begin(envelope, attempt: 1, at: after(1))
            try await store.complete(completion(of: envelope, .retry(at: after(Int64(wait))), outcome: .failed))
        }
        let retrying = try await page(.retrying(after: 0), store)
        try equal(retrying, ["e1", "e4"], "those between two attempts, in order of acceptance")
        let one = try await page(.retrying(after: 0), limit: 1, store)
        try equal(one, ["e1"], "one of them")
        let rest = try await page(.retrying(after: envelopes[0].sequence), store)
        try equal(rest, ["e4"], "those behind it")
        let delayed = try await page(.delayed(after: .first), store)
        try equal(delayed, ["e2", "e4", "e1"], "the delayed ones")
        let ready = try await page(.ready(after: .first), store)
        try equal(ready, ["e3"], "the ready ones")
    }

    private static func running(_ store: any Store) async throws {
        let envelopes = try await accept([mail("r", key: "k"), mail("d", key: "k", at: noon)], in: store)
        try await store.complete(completion(of: envelopes[1], .retry(at: noon), hasBegun: false, outcome: .failed))
        let pages: [MailboxRead] = [
            .retrying(after: 0), .ready(after: .first), .delayed(after: .first), .lane("k", after: .first),
        ]
        let before = try await store.page(pages[3], of: actor, now: noon, limit: 9)
        try equal(texts(before), ["r", "d"], "the lane before")
        for envelope in before {
            try await store.begin(envelope, attempt: envelope.attempts + 1, at: after(1))
        }
        for read in pages {
            let found = try await page(read, now: after(9), store)
            try equal(found, [], "\(read) while all run")
        }
        try equal(store.held(by: actor), 2, "messages in the mailbox")
        let mailboxes = try await store.mailboxes()
        try equal(mailboxes, [actor], "mailboxes that hold messages")
        for envelope in before {
            try await store.complete(completion(of: envelope, attempt: envelope.attempts + 1))
        }
        let none = try await store.mailboxes()
        try equal(none, [], "mailboxes at the end")
    }

    private static func places(_ store: any Store) async throws {
        let envelopes = try await accept(
            [mail("a"), mail("low", priority: -1), mail("d", at: after(9)), mail("b"), mail("high", priority: 1)],
            in: store)
        for (index, before) in [1, 3, 2, 2, 0].enumerated() {
            let place = try await store.place(of: envelopes[index].execution, countingTo: 10)
            try equal(place, WaitingPlace(envelope: envelopes[index], before: before), "place \(index)")
        }
        let bounded = try await store.place(of: envelopes[1].execution, countingTo: 2)?.before
        try equal(bounded, 2, "messages before the last, of two that are counted")
        let unknown = try await store.place(of: ExecutionID("none"), countingTo: 9)
        try equal(unknown, nil, "the place of nobody")
        try await store.complete(completion(of: envelopes[0], hasBegun: false))
        let ended = try await store.place(of: envelopes[0].execution, countingTo: 9)
        try equal(ended, nil, "the place of what has ended")
    }

    private static func limits(_ store: any Store) async throws {
        _ = try await accept((0..<50).map { mail("e\($0)", key: "k", priority: $0 % 3) }, in: store)
        _ = try await accept((50..<80).map { mail("e\($0)", at: after(Int64($0 % 4))) }, in: store)
        let whole = try await store.page(.ready(after: .first), of: actor, now: noon, limit: 100)
        let lane = try await store.page(.lane("k", after: .first), of: actor, now: noon, limit: 100)
        try equal(whole, lane, "the ready ones, which all are of one key")
        try equal(whole.map(\.rank), whole.map(\.rank).sorted(), "their order")
        var pieces: [Envelope] = []
        while let piece = try await next(.ready(after: pieces.last?.rank ?? .first), store) { pieces += piece }
        try equal(pieces, whole, "the ready ones, seven by seven")
        let places = try await store.page(.delayed(after: .first), of: actor, now: noon, limit: 100)
        pieces = []
        var place = DuePlace.first
        while let piece = try await next(.delayed(after: place), store), let last = piece.last {
            pieces += piece
            place = DuePlace(moment: try unwrap(last.notBefore, "its moment"), sequence: last.sequence)
        }
        try equal(pieces, places, "the delayed ones, seven by seven")
        try equal(places.count, 30, "delayed messages")
        let none = try await page(.ready(after: .first), limit: 0, store)
        try equal(none, [], "a page of nothing")
    }

    private static func next(_ read: MailboxRead, _ store: any Store) async throws -> [Envelope]? {
        let page = try await store.page(read, of: actor, now: noon, limit: 7)
        if page.count > 7 { throw SuiteFailure("a page of \(page.count)", line: #line) }
        return page.isEmpty ? nil : page
    }
}
