import ActorCore

/// Completing: acknowledge, retry, release, park, and what is committed with it.
extension StoreSuite {
    static let completionChecks: [Check] = [
        Check("an acknowledgement commits the record and all effects", acknowledge),
        Check("a conflict leaves nothing of a completion behind", conflict),
        Check("mail that was sent before is not sent again", repeatedMail),
        Check("a retry is visible with the moment before which it may not run", retry),
        Check("a released attempt does not count", release),
        Check("a parked message can be replayed once", park),
        Check("dead letters are listed by actor, by age, and by whether they were replayed", deadLetters),
        Check("steps are kept until the execution ends", steps),
    ]

    private static func everything(_ mark: String, revision: Int) -> Effects {
        var effects = Effects()
        effects.mail = [message("mail-\(mark)", to: other, idempotency: "mail-\(mark)")]
        effects.state = ["mark": .string(mark)]
        effects.jobs = [
            .registerPipeline(
                PipelineRecord(uuid: PipelineID("pipeline"), name: "p", components: [1, nil], created: noon)),
            .create(job("job-\(mark)"), entry("create")),
            .move(JobID("job-\(mark)"), revision: revision, to: .running, by: .run, entry("run")),
        ]
        effects.calls = [call("call-\(mark)", order: "o")]
        effects.documents = [
            Document(kind: "k", id: "doc-\(mark)", body: ["mark": .string(mark)], created: noon, updated: noon)
        ]
        effects.steps = [StepResult(name: "s", value: .string(mark))]
        return effects
    }

    static func call(_ key: String, order: String) -> OutgoingCall {
        OutgoingCall(
            url: "https://example.org/\(key)", contentType: "application/json", body: [], orderKey: order,
            idempotencyKey: key)
    }

    private static func acknowledge(_ store: any Store) async throws {
        let envelope = try await start(message("e1"), in: store)
        var done = completion(of: envelope, effects: everything("a", revision: 0), result: ["answer": 42])
        done.worker = "worker"
        done.use = ResourceUse(cpu: 7, io: 11)
        try await store.complete(done)
        let record = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(record.worker, "worker", "who handled it")
        try equal(record.use, ResourceUse(cpu: 7, io: 11), "what it used")
        let listed = try await store.executions(of: actor, before: nil, limit: 1)
        try equal(listed, [record], "the execution in a list")
        try equal(record.status, .complete, "its status")
        try equal(record.outcome, .succeeded, "its outcome")
        try equal(record.exitCode, 0, "its exit code")
        try equal(record.finished, after(2), "its end")
        try equal(record.result, ["answer": 42], "its result")
        let attempts = try await store.attempts(of: envelope.execution)
        try equal(attempts, [completion(of: envelope).attempt], "its attempts")
        let log = try await store.log(of: envelope.execution)
        try equal(log, completion(of: envelope).log, "its log")
        let left = try await ready(in: store)
        try equal(left, [], "the mailbox")
        try equal(store.held(by: actor), 0, "messages in the mailbox")
        let mail = try await ready(other, in: store)
        try equal(texts(mail), ["mail-a"], "the mail")
        let state = try await store.state(of: actor)
        try equal(state, ["mark": "a"], "the state")
        let stored = try unwrap(try await store.job(JobID("job-a")), "the job")
        try equal(stored.status, .running, "the job's status")
        try equal(stored.lastEvent, .run, "the job's last event")
        try equal(stored.revision, 1, "the job's revision")
        try equal(stored.updated, after(3), "the job's change")
        let outbox = try await store.dueHeads(limit: 10)
        try equal(outbox.map(\.call), [call("call-a", order: "o")], "the outbox")
        try equal(outbox.map(\.execution), [envelope.execution], "where the call came from")
        let document = try await store.document("k", "doc-a")
        try equal(document?.body, ["mark": "a"], "the document")
        let steps = try await store.steps(of: envelope.execution)
        try equal(steps, [], "the steps of an ended execution")
    }

    private static func conflict(_ store: any Store) async throws {
        let envelope = try await start(message("e1"), in: store)
        let wrong = completion(of: envelope, effects: everything("b", revision: 7))
        try await expect(.conflict, "a move from another revision") { try await store.complete(wrong) }
        try await nothing(of: "b", envelope, in: store)
        try await expect(.conflict, "the same in the middle of an execution") {
            try await store.commit(everything("b", revision: 7), of: envelope, at: after(2))
        }
        try await nothing(of: "b", envelope, in: store)
        // It still runs, so it can be completed otherwise.
        try await store.complete(completion(of: envelope, effects: everything("c", revision: 0)))
        let second = try await start(message("e2"), in: store)
        var twice = Effects()
        twice.state = ["mark": "d"]
        twice.jobs = [.create(job("job-c"), entry("create"))]
        try await expect(.conflict, "a job that exists") {
            try await store.complete(completion(of: second, effects: twice))
        }
        var unknown = Effects()
        unknown.jobs = [.refuse(JobID("none"), entry("finish", refusal: "no"))]
        try await expect(.conflict, "a refusal by an unknown job") {
            try await store.complete(completion(of: second, effects: unknown))
        }
        let state = try await store.state(of: actor)
        try equal(state, ["mark": "c"], "the state")
        let history = try await store.history(of: JobID("job-c"))
        try equal(history.map(\.name), ["create", "run"], "the job's history")
    }

    private static func nothing(of mark: String, _ envelope: Envelope, in store: any Store) async throws {
        let status = try await store.execution(envelope.execution)?.status
        try equal(status, .running, "the status after a conflict")
        let attempts = try await store.attempts(of: envelope.execution)
        try equal(attempts, [], "attempts after a conflict")
        let log = try await store.log(of: envelope.execution)
        try equal(log, nil, "the log after a conflict")
        let mail = try await ready(other, in: store)
        try equal(mail, [], "mail after a conflict")
        try equal(store.held(by: other), 0, "messages that a conflict left in a mailbox")
        let state = try await store.state(of: actor)
        try equal(state, nil, "the state after a conflict")
        let job = try await store.job(JobID("job-\(mark)"))
        try equal(job, nil, "the job after a conflict")
        let pipelines = try await store.pipelines(after: nil, limit: 9).pipelines
        try equal(pipelines, [], "pipelines after a conflict")
        let outbox = try await store.dueHeads(limit: 10)
        try equal(outbox, [], "the outbox after a conflict")
        let document = try await store.document("k", "doc-\(mark)")
        try equal(document, nil, "the document after a conflict")
        let steps = try await store.steps(of: envelope.execution)
        try equal(steps, [], "the steps after a conflict")
    }

    private static func repeatedMail(_ store: any Store) async throws {
        let envelope = try await start(message("e1"), in: store)
        var effects = Effects()
        effects.mail = [message("m1", to: other, idempotency: "k"), message("m2", to: other, idempotency: "l")]
        try await store.commit(effects, of: envelope, at: after(1))
        effects.mail = [message("m3", to: other, idempotency: "k"), message("m4", to: other, idempotency: "n")]
        try await store.complete(completion(of: envelope, effects: effects))
        let mail = try await ready(other, in: store)
        try equal(texts(mail), ["m1", "m2", "m4"], "the mail")
        let second = try await start(message("e2"), in: store)
        effects.mail = [
            message("m5", to: other), message("m6", to: other, idempotency: "k", digest: "another"),
        ]
        try await expect(.idempotencyMismatch, "mail under a used key with another body") {
            try await store.complete(completion(of: second, effects: effects))
        }
        let same = try await ready(other, in: store)
        try equal(same, mail, "the mail after a refused completion")
        try equal(store.held(by: other), 3, "messages in the mailbox")
    }

    private static func retry(_ store: any Store) async throws {
        let envelope = try await start(message("e1"), in: store)
        try await store.complete(completion(of: envelope, .retry(at: after(60)), outcome: .failed))
        let none = try await ready(in: store)
        try equal(none, [], "what waits undelayed")
        let waiting = try await delayed(in: store)
        try equal(waiting.map(\.notBefore), [after(60)], "the moment of the retry")
        try equal(waiting.map(\.message.deliverAt), [after(60)], "the same, in its message")
        try equal(waiting.map(\.sequence), [envelope.sequence], "its place in the mailbox")
        try equal(waiting.map(\.attempts), [1], "attempts begun before")
        let retrying = try await store.page(.retrying(after: 0), of: actor, now: noon, limit: 10)
        try equal(retrying, waiting, "what waits for a further attempt")
        let record = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(record.status, .submitted, "its status")
        try equal(record.attempts, 1, "its attempts")
        try equal(record.finished, nil, "its end")
        let first = try await store.attempts(of: envelope.execution)
        try equal(first.map(\.outcome), [.failed], "the attempt on record")
        try await store.begin(waiting[0], attempt: 2, at: after(61))
        try await store.complete(completion(of: waiting[0], attempt: 2))
        let attempts = try await store.attempts(of: envelope.execution)
        try equal(attempts.map(\.number), [1, 2], "the attempts")
        try equal(attempts.map(\.outcome), [.failed, .succeeded], "their outcomes")
        let done = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(done.attempts, 2, "the number of attempts")
        try equal(done.started, after(1), "the start of the first")
        try equal(done.outcome, .succeeded, "the outcome")
    }

    private static func release(_ store: any Store) async throws {
        let envelope = try await start(message("e1"), in: store)
        try await store.complete(
            completion(of: envelope, .release, outcome: .cancelled, effects: everything("r", revision: 0)))
        let waiting = try await ready(in: store)
        try equal(waiting, [envelope], "the released message")
        let record = try unwrap(try await store.execution(envelope.execution), "the execution")
        try equal(record.status, .submitted, "its status")
        try equal(record.attempts, 0, "its attempts")
        let attempts = try await store.attempts(of: envelope.execution)
        try equal(attempts, [], "attempts on record")
        let state = try await store.state(of: actor)
        try equal(state, nil, "the state")
        try equal(store.held(by: actor), 1, "messages in the mailbox")
    }

    private static func park(_ store: any Store) async throws {
        var original = message("{\"x\":1}", idempotency: "k", digest: "d")
        original.environment = [EnvironmentEntry("n", "v")]
        original.key = "lane"
        original.priority = 4
        original.expires = after(600)
        let envelope = try await start(original, in: store)
        try await store.complete(completion(of: envelope, .park(reason: "used up"), outcome: .failed))
        let letters = try await store.deadLetters(DeadLetterQuery(actor: actor, limit: 10))
        let letter = try unwrap(letters.first, "the dead letter")
        try equal(letter.message, original, "the parked message")
        try equal(letter.execution, envelope.execution, "its execution")
        try equal(letter.reason, "used up", "the reason")
        try equal(letter.attempts, 1, "the attempts")
        try equal(letter.parked, after(2), "the moment of parking")
        let status = try await store.execution(envelope.execution)?.outcome
        try equal(status, .failed, "the outcome")
        let empty = try await ready(in: store)
        try equal(empty, [], "the mailbox")
        let replayed = try await store.replay(letter.id, as: original)
        try equal(replayed.message, original, "the replayed message")
        let waiting = try await ready(in: store)
        try equal(waiting, [replayed], "the mailbox after the replay")
        try equal(store.held(by: actor), 1, "messages after the replay")
        let stamped = try await store.deadLetter(letter.id)
        try equal(stamped?.replayedAs, replayed.execution, "the stamp")
        let third = message("e3")
        try await expect(.conflict, "a second replay") { _ = try await store.replay(letter.id, as: third) }
        try await expect(.notFound, "a replay of nothing") { _ = try await store.replay(4711, as: third) }
        try await deadLetters(after: letter, store)
    }

    private static func deadLetters(after letter: DeadLetter, _ store: any Store) async throws {
        for text in ["p1", "p2"] {
            let envelope = try await accept(message(text, to: other), in: store)
            try await store.complete(
                completion(of: envelope, .park(reason: text), hasBegun: false, outcome: .failed))
        }
        let all = try await store.deadLetters(limit: 10)
        try equal(all.map(\.reason), ["p2", "p1", "used up"], "all dead letters, newest first")
        let some = try await store.deadLetters(DeadLetterQuery(actor: other, limit: 1))
        try equal(some.map(\.reason), ["p2"], "the newest of an actor")
        let discarded = try await store.discardDeadLetter(letter.id)
        let twice = try await store.discardDeadLetter(letter.id)
        try equal([discarded, twice], [true, false], "discarding")
    }

    private static func deadLetters(_ store: any Store) async throws {
        for (number, receiver) in [actor, other, actor, actor, other].enumerated() {
            let envelope = try await start(message("e\(number)", to: receiver), in: store)
            try await store.complete(completion(of: envelope, .park(reason: "used up"), outcome: .failed))
        }
        let ids = try await store.deadLetters(limit: 9).map(\.id)
        try equal(ids.count, 5, "the dead letters")
        try equal(ids, ids.sorted(by: >), "their order")
        _ = try await store.replay(ids[2], as: message("again"))
        let cases: [(DeadLetterQuery, [Int64], String)] = [
            (DeadLetterQuery(limit: 2), [ids[0], ids[1]], "the newest"),
            (DeadLetterQuery(order: .newestFirst(below: ids[1]), limit: 2), [ids[2], ids[3]], "the next page"),
            (DeadLetterQuery(actor: actor, limit: 9), [ids[1], ids[2], ids[4]], "of one actor"),
            (DeadLetterQuery(actor: actor, waitingOnly: true, limit: 9), [ids[1], ids[4]], "not replayed"),
            (
                DeadLetterQuery(order: .oldestFirst(above: 0), waitingOnly: true, limit: 3), [ids[4], ids[3], ids[1]],
                "the oldest"
            ),
            (
                DeadLetterQuery(actor: other, order: .oldestFirst(above: ids[3]), limit: 9), [ids[0]],
                "the oldest after one"
            ),
            (DeadLetterQuery(among: [other], limit: 1), [ids[0]], "of one actor that may be seen"),
            (
                DeadLetterQuery(among: [other], order: .newestFirst(below: ids[0]), limit: 1), [ids[3]],
                "the next page of what may be seen"
            ),
            (DeadLetterQuery(among: [actor, other], limit: 9), ids, "of both"),
            (DeadLetterQuery(actor: actor, among: [other], limit: 9), [], "of one that may not be seen"),
            (DeadLetterQuery(among: [], limit: 9), [], "of nobody"),
            (DeadLetterQuery(limit: 0), [], "none"),
        ]
        for (query, wanted, what) in cases {
            let found = try await store.deadLetters(query)
            try equal(found.map(\.id), wanted, what)
        }
    }

    private static func steps(_ store: any Store) async throws {
        let envelope = try await start(message("e1"), in: store)
        var effects = Effects()
        effects.steps = [StepResult(name: "z", value: 1), StepResult(name: "a", value: ["deep": [nil]])]
        try await store.commit(effects, of: envelope, at: after(1))
        effects.steps = [StepResult(name: "z", value: 2), StepResult(name: "m", value: nil)]
        try await store.commit(effects, of: envelope, at: after(2))
        let expected = [
            StepResult(name: "z", value: 2), StepResult(name: "a", value: ["deep": [nil]]),
            StepResult(name: "m", value: nil),
        ]
        let found = try await store.steps(of: envelope.execution)
        try equal(found, expected, "the steps")
        _ = try await store.recover(at: after(3))
        let kept = try await store.steps(of: envelope.execution)
        try equal(kept, expected, "the steps after a crash")
        _ = try await store.withdraw(envelope.execution, at: after(4))
        let gone = try await store.steps(of: envelope.execution)
        try equal(gone, [], "the steps of a withdrawn message")
    }
}
