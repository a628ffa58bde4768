import ActorCore

/// Bounds of waiting mail: counted exactly, told apart, given back.
extension StoreSuite {
    static let quotaChecks: [Check] = [
        Check("a full mailbox refuses and takes again what fits", mailboxFull),
        Check("a sender has a bound of its own in each mailbox", senderFull),
        Check("the bytes of all bodies are bounded", bytesFull),
        Check("quotas are counted exactly under 200 concurrent appends", concurrent),
        Check("a refused message leaves neither key nor nonce use behind", refusal),
        Check("room is given back however a message leaves", givenBack),
        Check("mail between actors is not held to the bounds of senders", internalMail),
    ]

    /// A message of one sender, with a body of so many bytes.
    private static func mail(_ sender: String, bytes: Int = 1, to actor: ActorID = actor) -> NewMessage {
        NewMessage(
            actor: actor, body: Array(repeating: 0x20, count: bytes), sender: sender, received: noon)
    }

    private static func mailboxFull(_ store: any Store) async throws {
        let rules = AcceptRules(maxMailbox: 2)
        let full = AcceptResult.overQuota(.mailbox(limit: 2))
        let results = try await store.append(
            [message("e1"), message("e2"), message("e3"), message("e4", to: other)], rules: rules)
        try equal(results[2], full, "the third message of a mailbox of two")
        try equal(accepted(results).count, 3, "what was accepted: another mailbox is not full")
        _ = try await store.withdraw(accepted(results)[0].execution, at: after(1))
        let room = try await store.append([message("e5"), message("e6")], rules: rules)
        try equal(texts(accepted(room)), ["e5"], "what fits again")
        try equal(room[1], full, "the mailbox, full again")
        let running = try await ready(in: store)[0]
        try await store.begin(running, attempt: 1, at: after(1))
        let still = try await store.append([message("e7")], rules: rules)
        try equal(still, [full], "a mailbox whose first message runs")
        try await store.complete(completion(of: running))
        let last = try await store.append([message("e8")], rules: rules)
        try equal(accepted(last).count, 1, "what fits when it has ended")
    }

    private static func senderFull(_ store: any Store) async throws {
        // Counting may begin at the first message that is measured: what came before is counted too.
        _ = try await accept(mail("ann"), in: store)
        let rules = AcceptRules(maxPerSender: 2)
        let results = try await store.append(
            [mail("ann"), mail("ann"), mail("bob"), mail("ann", to: other)], rules: rules)
        try equal(results[1], .overQuota(.sender(limit: 2)), "ann's third message")
        try equal(accepted(results).count, 3, "what was accepted")
        try equal(store.held(by: actor), 3, "messages in the mailbox")
        let first = try await ready(in: store)[0]
        try await store.complete(completion(of: first, hasBegun: false))
        let room = try await store.append([mail("ann"), mail("ann")], rules: rules)
        try equal(accepted(room).count, 1, "what of ann's fits again")
    }

    private static func bytesFull(_ store: any Store) async throws {
        let rules = AcceptRules(maxWaitingBytes: 100)
        let full = AcceptResult.overQuota(.bytes(limit: 100))
        let results = try await store.append(
            [mail("ann", bytes: 60), mail("ann", bytes: 41, to: other), mail("ann", bytes: 40, to: other)],
            rules: rules)
        try equal(results[1], full, "the hundred-and-first byte")
        try equal(accepted(results).count, 2, "what was accepted")
        let empty = try await store.append([mail("ann", bytes: 0), mail("ann", bytes: 1)], rules: rules)
        try equal(accepted(empty).count, 1, "an empty message")
        try equal(empty[1], full, "one byte more")
        try await store.complete(completion(of: accepted(results)[0], hasBegun: false))
        let room = try await store.append([mail("ann", bytes: 61), mail("ann", bytes: 60)], rules: rules)
        try equal(room[0], full, "more than was given back")
        try equal(accepted(room).count, 1, "as much as was given back")
    }

    private static func concurrent(_ store: any Store) async throws {
        let boxes = try await atOnce(200, store, rules: AcceptRules(maxMailbox: 17)) { message("e\($0)") }
        try equal(accepted(boxes).count, 17, "messages of a mailbox of 17")
        try equal(boxes.count { $0 == .overQuota(.mailbox(limit: 17)) }, 183, "refusals")
        try equal(store.held(by: actor), 17, "messages in the mailbox")
        let senders = try await atOnce(200, store, rules: AcceptRules(maxPerSender: 5)) { number in
            mail("sender\(number % 4)", to: other)
        }
        try equal(accepted(senders).count, 20, "messages of four senders")
        let purged = try await store.purge(actor, at: after(1)) + store.purge(other, at: after(1))
        try equal(purged, 37, "purged messages")
        let bytes = try await atOnce(200, store, rules: AcceptRules(maxWaitingBytes: 999)) { number in
            mail("ann", bytes: 100, to: number % 2 == 0 ? actor : other)
        }
        try equal(accepted(bytes).count, 9, "messages of 100 bytes in 999")
    }

    private static func refusal(_ store: any Store) async throws {
        try await store.create(nonce("many", uses: -1))
        _ = try await accept(message("e1"), in: store)
        let tight = [
            AcceptRules(maxMailbox: 1), AcceptRules(maxPerSender: 1), AcceptRules(maxWaitingBytes: 3),
        ]
        for rules in tight {
            let refused = try await store.append([message("e2", idempotency: "k", nonce: "many")], rules: rules)
            guard case .overQuota = refused[0] else { throw SuiteFailure("taken: \(refused)", line: #line) }
        }
        let uses = try await store.nonce(NonceID("many"))?.currentUses
        try equal(uses, 0, "uses of the nonce of refused messages")
        let all = try await store.executions(of: nil, before: nil, limit: 9)
        try equal(all.count, 1, "executions")
        let first = try await accept(message("e2", idempotency: "k", nonce: "many"), in: store)
        // A repeat is answered, even where nothing new fits.
        let again = try await store.append(
            [message("e2", idempotency: "k", nonce: "many")], rules: AcceptRules(maxMailbox: 1))
        try equal(again, [.repeated(first.execution)], "a repeat to a full mailbox")
    }

    private static func givenBack(_ store: any Store) async throws {
        let rules = AcceptRules(maxMailbox: 4, maxPerSender: 4, maxWaitingBytes: 40)
        func fill() async throws -> [Envelope] {
            let results = try await store.append(Array(repeating: mail("ann", bytes: 10), count: 5), rules: rules)
            try equal(accepted(results).count, 4, "messages that fit into an empty mailbox of four")
            return accepted(results)
        }
        let first = try await fill()
        try await store.begin(first[0], attempt: 1, at: after(1))
        try await store.complete(completion(of: first[0]))
        try await store.complete(completion(of: first[1], .park(reason: "r"), hasBegun: false, outcome: .failed))
        _ = try await store.withdraw(first[2].execution, at: after(2))
        _ = try await store.purge(actor, at: after(3))
        let second = try await fill()
        // None of these lets anything go.
        try await store.complete(completion(of: second[0], .release, hasBegun: false))
        try await store.complete(
            completion(of: second[1], .retry(at: after(9)), hasBegun: false, outcome: .failed))
        try await store.begin(second[2], attempt: 1, at: after(1))
        _ = try await store.recover(at: after(2))
        let still = try await store.append([mail("ann")], rules: rules)
        try equal(still, [.overQuota(.mailbox(limit: 4))], "a mailbox that nothing left")
        let purged = try await store.purge(actor, at: after(3))
        try equal(purged, 4, "purged messages")
        _ = try await fill()
    }

    private static func internalMail(_ store: any Store) async throws {
        let rules = AcceptRules(maxMailbox: 1, maxPerSender: 1, maxWaitingBytes: 1)
        let results = try await store.append([mail("suite", to: other)], rules: rules)
        try equal(accepted(results).count, 1, "what was accepted")
        let envelope = try await start(message("e1"), in: store)
        var effects = Effects()
        effects.mail = (1...5).map { message("m\($0)", to: other) }
        try await store.complete(completion(of: envelope, effects: effects))
        try equal(store.held(by: other), 6, "messages in the mailbox")
        // They count for others all the same.
        let next = try await store.append([mail("bob", to: other)], rules: AcceptRules(maxMailbox: 6))
        try equal(next, [.overQuota(.mailbox(limit: 6))], "the next message from outside")
    }
}
