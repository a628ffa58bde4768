import ActorCore

/// Ends of messages whose attempt was never put on disk, and of messages that are gone.
extension StoreSuite {
    static let unbegunChecks: [Check] = [
        Check("a message may end without a durable begin", acknowledge),
        Check("a retry without a durable begin counts its attempt", retry),
        Check("giving back what never began changes nothing", release),
        Check("an expired message ends unrun", expire),
        Check("what is gone or stands otherwise is a conflict and changes nothing", conflict),
        Check("effects in the middle need a durable begin", commit),
        Check("an interrupted attempt and the next one are both on record", interrupted),
    ]

    private static func effects(_ mark: String) -> Effects {
        var effects = Effects()
        effects.mail = [message("mail-\(mark)", to: other)]
        effects.state = ["mark": .string(mark)]
        return effects
    }

    private static func acknowledge(_ store: any Store) async throws {
        let envelope = try await accept(message("e1"), in: store)
        try await store.complete(
            completion(of: envelope, hasBegun: false, effects: effects("a"), result: ["answer": 42]))
        let record = try unwrap(try await store.execution(envelope.execution), "the execution")
        let expected = ExecutionRecord(
            id: envelope.execution, actor: actor, sequence: envelope.sequence, status: .complete, outcome: .succeeded,
            exitCode: 0, attempts: 1, sender: "suite", received: noon, started: after(1), finished: after(2),
            result: ["answer": 42])
        try equal(record, expected, "the execution")
        let attempts = try await store.attempts(of: envelope.execution)
        try equal(attempts, [completion(of: envelope).attempt], "its attempts")
        let log = try await store.log(of: envelope.execution)
        try equal(log, completion(of: envelope).log, "its log")
        let left = try await ready(in: store)
        try equal(left, [], "the mailbox")
        let mail = try await ready(other, in: store)
        try equal(texts(mail), ["mail-a"], "the mail")
        let state = try await store.state(of: actor)
        try equal(state, ["mark": "a"], "the state")
        try equal([store.held(by: actor), store.held(by: other)], [0, 1], "messages in the mailboxes")
    }

    private static func retry(_ store: any Store) async throws {
        let envelope = try await accept(message("e1"), in: store)
        var steps = Effects()
        steps.steps = [StepResult(name: "s", value: 1)]
        try await store.complete(
            completion(of: envelope, .retry(at: after(60)), hasBegun: false, outcome: .failed, effects: steps))
        let waiting = try await delayed(in: store)
        try equal(waiting.map(\.attempts), [1], "attempts begun before")
        let retrying = try await store.page(.retrying(after: 0), of: actor, now: noon, limit: 10)
        try equal(retrying, waiting, "what waits for a further attempt")
        let record = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(record.status, .submitted, "its status")
        try equal(record.attempts, 1, "its attempts")
        let kept = try await store.steps(of: envelope.execution)
        try equal(kept, steps.steps, "the steps between two attempts")
        try await store.complete(completion(of: waiting[0], hasBegun: false, attempt: 2))
        let attempts = try await store.attempts(of: envelope.execution)
        try equal(attempts.map(\.number), [1, 2], "the attempts")
        let done = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(done.attempts, 2, "the number of attempts")
        try equal(done.outcome, .succeeded, "the outcome")
        let gone = try await store.steps(of: envelope.execution)
        try equal(gone, [], "the steps of an ended execution")
    }

    private static func release(_ store: any Store) async throws {
        let envelope = try await accept(message("e1"), in: store)
        let before = try await store.execution(envelope.execution)
        try await store.complete(
            completion(of: envelope, .release, hasBegun: false, outcome: .cancelled, effects: effects("r")))
        let waiting = try await ready(in: store)
        try equal(waiting, [envelope], "the mailbox")
        let record = try await store.execution(envelope.execution)
        try equal(record, before, "the execution")
        let attempts = try await store.attempts(of: envelope.execution)
        try equal(attempts, [], "attempts on record")
        let state = try await store.state(of: actor)
        try equal(state, nil, "the state")
    }

    private static func expire(_ store: any Store) async throws {
        // Of no attempt, one and two before: what ends unrun adds none and replaces none.
        for failures in 0...2 {
            var old = message("e\(failures)")
            old.expires = after(100)
            var envelope = try await accept(old, in: store)
            try equal(envelope.expires, after(100), "its last moment")
            for number in 0..<failures {
                try await store.complete(
                    completion(
                        of: envelope, .retry(at: after(9)), hasBegun: false, attempt: number + 1, outcome: .failed))
                envelope = try unwrap(try await delayed(in: store).first, "the message between two attempts")
                try equal(envelope.expires, after(100), "its last moment")
            }
            let attempt = AttemptRecord(
                execution: envelope.execution, number: failures, started: after(200), finished: after(200),
                outcome: .expired, reason: "its time was over")
            try await store.complete(
                Completion(envelope, hasBegun: false, attempt: attempt, disposition: .acknowledge, status: .complete))
            let record = try unwrap(try await store.execution(envelope.execution), "the execution")
            let expected = ExecutionRecord(
                id: envelope.execution, actor: actor, sequence: envelope.sequence, status: .complete,
                outcome: .expired, reason: "its time was over", attempts: failures, sender: "suite", received: noon,
                started: failures == 0 ? nil : after(1), finished: after(200))
            try equal(record, expected, "an expired execution")
            let attempts = try await store.attempts(of: envelope.execution)
            try equal(attempts.map(\.number), Array(1..<failures + 1), "its attempts")
            try equal(attempts.count { $0.outcome == .failed }, failures, "failed attempts")
            try equal(store.held(by: actor), 0, "messages in the mailbox")
        }
    }

    private static func conflict(_ store: any Store) async throws {
        let ends: [Completion.Disposition] = [.acknowledge, .park(reason: "r"), .retry(at: after(9))]
        let gone = try await accept(message("gone"), in: store)
        _ = try await store.withdraw(gone.execution, at: after(1))
        let waiting = try await accept(message("waiting"), in: store)
        let running = try await start(message("running"), in: store)
        let records = try await store.executions(of: actor, before: nil, limit: 9)
        for end in ends {
            for (envelope, hasBegun) in [(gone, true), (gone, false), (waiting, true), (running, false)] {
                try await expect(.conflict, "\(end) of \(texts([envelope])), begun: \(hasBegun)") {
                    try await store.complete(
                        completion(of: envelope, end, hasBegun: hasBegun, effects: effects("c")))
                }
            }
        }
        for envelope in [gone, waiting] {
            try await expect(.conflict, "giving back what does not run") {
                try await store.complete(completion(of: envelope, .release))
            }
        }
        for envelope in [gone, running] {
            try await expect(.conflict, "beginning what does not wait") {
                try await store.begin(envelope, attempt: 1, at: after(3))
            }
        }
        let same = try await store.executions(of: actor, before: nil, limit: 9)
        try equal(same, records, "the executions after conflicts")
        for envelope in [gone, waiting, running] {
            let attempts = try await store.attempts(of: envelope.execution)
            let log = try await store.log(of: envelope.execution)
            try equal(attempts, [], "attempts after conflicts")
            try equal(log, nil, "logs after conflicts")
        }
        let letters = try await store.deadLetters(limit: 9)
        try equal(letters, [], "dead letters after conflicts")
        let left = try await ready(in: store)
        try equal(left, [waiting], "the mailbox after conflicts")
        let state = try await store.state(of: actor)
        try equal(state, nil, "the state after conflicts")
        try equal([store.held(by: actor), store.held(by: other)], [2, 0], "messages after conflicts")
    }

    private static func commit(_ store: any Store) async throws {
        let envelope = try await accept(message("e1"), in: store)
        try await expect(.conflict, "effects of what has not begun") {
            try await store.commit(effects("m"), of: envelope, at: after(1))
        }
        try await store.begin(envelope, attempt: 1, at: after(1))
        try await store.commit(effects("m"), of: envelope, at: after(1))
        let state = try await store.state(of: actor)
        try equal(state, ["mark": "m"], "the state")
        let mail = try await ready(other, in: store)
        try equal(texts(mail), ["mail-m"], "the mail")
        try await store.complete(completion(of: envelope))
        try await expect(.conflict, "effects of what has ended") {
            try await store.commit(effects("n"), of: envelope, at: after(3))
        }
    }

    private static func interrupted(_ store: any Store) async throws {
        let envelope = try await start(message("e1"), in: store)
        let recovery = try await store.recover(at: after(9))
        try await store.complete(completion(of: recovery.interrupted[0], hasBegun: false, attempt: 2))
        let attempts = try await store.attempts(of: envelope.execution)
        try equal(attempts.map(\.number), [1, 2], "the attempts")
        try equal(attempts.map(\.outcome), [.interrupted, .succeeded], "their outcomes")
        let record = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(record.attempts, 2, "the number of attempts")
        try equal(record.started, after(1), "the start of the first")
    }
}
