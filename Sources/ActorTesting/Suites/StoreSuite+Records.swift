import ActorCore

/// Executions, jobs, documents, outbox, registry, clean-up.
extension StoreSuite {
    static let recordChecks: [Check] = [
        Check("executions are listed newest first, page by page", executions),
        Check("jobs are filtered, paged by cursor, and keep their history", jobs),
        Check("documents are replaced and keep their creation", documents),
        Check("outgoing calls leave in order within their key", outbox),
        Check("what became of several outgoing calls is stored together", outboxRuns),
        Check("actors, states, schedules, settings and the audit trail are kept", registry),
        Check("nonces are counted, listed and deleted", nonces),
        Check("pruning removes what is old and nothing else", prune),
        Check("pruning removes dropped events and nonces that are used up", pruneTrails),
    ]

    private static func executions(_ store: any Store) async throws {
        var messages = (1...6).map { message("e\($0)", to: $0 == 3 ? other : actor) }
        messages[3].priority = 5
        messages[4].deliverAt = after(600)
        let envelopes = try await accept(messages, in: store)
        // Waiting, running and ended alike.
        try await store.begin(envelopes[1], attempt: 1, at: after(1))
        try await store.begin(envelopes[0], attempt: 1, at: after(1))
        try await store.complete(completion(of: envelopes[0]))
        try await store.complete(completion(of: envelopes[5], hasBegun: false))
        let ids = envelopes.map(\.execution)
        let first = try await store.executions(of: actor, before: nil, limit: 3)
        try equal(first.map(\.id), [ids[5], ids[4], ids[3]], "the first page")
        let second = try await store.executions(of: actor, before: first[2].sequence, limit: 9)
        try equal(second.map(\.id), [ids[1], ids[0]], "the second page")
        try equal(second.map(\.status), [.running, .complete], "their status")
        let all = try await store.executions(of: nil, before: nil, limit: 9)
        try equal(all.map(\.id), ids.reversed(), "all")
        let one = try await store.executions(of: nil, before: nil, limit: 1)
        try equal(one.map(\.id), [ids[5]], "one")
        try await executionsAmong(ids, store)
        for record in all {
            let found = try await store.execution(record.id)
            try equal(found, record, "an execution by its id")
        }
        let totals = try await store.totals(of: actor)
        try equal(totals, ExecutionTotals(count: 5, seconds: 2), "the totals of an actor")
        let none = try await store.execution(ExecutionID("none"))
        try equal(none, nil, "an unknown execution")
    }

    /// The third was sent to another actor, and the fourth to the sixth wait, are delayed or have ended.
    private static func executionsAmong(_ ids: [ExecutionID], _ store: any Store) async throws {
        let cases: [(ActorID?, Set<ActorID>, Int?, Int, [Int], String)] = [
            (nil, [actor], nil, 3, [5, 4, 3], "the first page"), (nil, [actor], 3, 9, [1, 0], "the second, full"),
            (nil, [other], nil, 1, [2], "those of an actor that are far down"),
            (nil, [actor, other], nil, 9, [5, 4, 3, 2, 1, 0], "those of both"), (nil, [], nil, 9, [], "of no actor"),
            (other, [actor], nil, 9, [], "one that is left out"), (other, [other], nil, 9, [2], "one that is not"),
        ]
        for (one, actors, before, limit, wanted, what) in cases {
            var below: Int64?
            if let before { below = try await store.execution(ids[before])?.sequence }
            let found = try await store.executions(of: one, among: actors, before: below, limit: limit)
            try equal(found.map(\.id), wanted.map { ids[$0] }, what)
        }
    }

    private static func jobs(_ store: any Store) async throws {
        var effects = Effects()
        for number in 0..<7 {
            // Two are created at once: the cursor must neither repeat nor lose one.
            let created = after(Int64(number / 2) * 10)
            effects.jobs.append(
                .create(job("j\(number)", created: created, session: number == 3 ? "odd" : "even"), entry("create")))
        }
        effects.jobs.append(.move(JobID("j5"), revision: 0, to: .running, by: .run, entry("run")))
        effects.jobs.append(.refuse(JobID("j5"), entry("validate", refusal: "not now")))
        try await commit(effects, as: "e1", in: store)
        var found: [String] = []
        var query = JobQuery(limit: 3)
        var pages = 0
        repeat {
            let page = try await store.jobs(query)
            found += page.jobs.map(\.uuid.rawValue)
            query.cursor = page.next
            pages += 1
        } while query.cursor != nil && pages < 9
        try equal(found, ["j6", "j5", "j4", "j3", "j2", "j1", "j0"], "all pages")
        try equal(pages, 3, "the number of pages")
        let running = try await store.jobs(JobQuery(status: .running, actor: actor)).jobs
        try equal(running.map(\.uuid.rawValue), ["j5"], "running jobs")
        let odd = try await store.jobs(JobQuery(pipeline: PipelineID("pipeline"), session: "odd")).jobs
        try equal(odd, [job("j3", created: after(10), session: "odd")], "jobs of a session")
        let none = try await store.jobs(JobQuery(pipeline: PipelineID("none"))).jobs
        try equal(none, [], "jobs of an unknown pipeline")
        try await expect(.invalidInput, "a cursor of nobody") {
            _ = try await store.jobs(JobQuery(cursor: "' OR 1=1"))
        }
        let history = try await store.history(of: JobID("j5"))
        try equal(
            history, [entry("create"), entry("run"), entry("validate", refusal: "not now")], "the history")
        let revision = try await store.job(JobID("j5"))?.revision
        try equal(revision, 1, "the revision after a refusal")
        try await ledger(store)
        try await rekeyAndDelete(store)
        try await pipelines(store)
    }

    /// Every line is numbered and chained, refused ones too; the first run is noted.
    private static func ledger(_ store: any Store) async throws {
        let found = try await store.ledger(of: JobID("j5"))
        let ledger = try unwrap(found, "the ledger")
        try equal(ledger.lines.map(\.number), [1, 2, 3], "the numbers of its lines")
        try equal(ledger.lines.map(\.entry.name), ["create", "run", "validate"], "its events")
        try equal(Set(ledger.lines.map(\.hash)).count, 3, "different hashes")
        try equal(ledger.head, ledger.lines.last?.hash, "the head of the chain")
        try equal(ledger.count, 3, "the count of its lines")
        try equal(ledger.record.started, after(3), "its first run")
        let fold = JobLedger.fold(ledger.lines.map(\.entry), ledger.record.machine)
        try equal(fold?.status, ledger.record.status, "the status that its history tells")
        let none = try await store.ledger(of: JobID("none"))
        try equal(none, nil, "the ledger of an unknown job")
    }

    private static func rekeyAndDelete(_ store: any Store) async throws {
        var rich = job("rich", created: after(90))
        rich.generation = .second
        rich.machine = .seedEra
        rich.childOf = []
        rich.subject = JobSubject(lab: "UW_BIOFAB", experiment: "Yeast Gates", measurement: "m/1", sample: "s")
        rich.key = JobKey(token: "one", salt: "salt", expires: after(99), events: [.run, .validate])
        var effects = Effects()
        effects.jobs = [.create(rich, entry("create"))]
        effects.audits = [AuditEntry(at: noon, who: "suite", action: "job.make", target: "rich", outcome: "ok")]
        try await commit(effects, as: "rich", in: store)
        let made = try await store.job(rich.uuid)
        try equal(made, rich, "a job with everything")
        let audits = try await store.audits(limit: 1)
        try equal(audits, effects.audits, "a line of the audit log that came with it")
        rich.key = JobKey(token: "two", salt: "pepper", expires: nil, events: [])
        effects = Effects()
        effects.jobs = [.rekey(rich.uuid, rich.key)]
        try await commit(effects, as: "rekey", in: store)
        let renewed = try await store.job(rich.uuid)
        try equal(renewed, rich, "a job with another key")
        let gone = DeletedJob(rich, deleted: after(100), by: "suite", action: "cancel")
        effects.jobs = [.delete(gone, revision: 0)]
        try await commit(effects, as: "delete", in: store)
        let left = try await store.job(rich.uuid)
        try equal(left, nil, "a deleted job")
        let history = try await store.history(of: rich.uuid)
        try equal(history, [], "its history")
        let tombstone = try await store.deletedJob(rich.uuid)
        try equal(tombstone, gone, "what is left of it")
        try await expect(.conflict, "deleting it again") { try await commit(effects, as: "again", in: store) }
        // The same job may be made anew.
        effects.jobs = [.create(rich, entry("create"))]
        try await commit(effects, as: "anew", in: store)
        let anew = try await store.ledger(of: rich.uuid)
        try equal(anew?.lines.map(\.number), [1], "the history of a job that was made anew")
        effects.jobs = [.delete(gone, revision: 0)]
        try await commit(effects, as: "delete anew", in: store)
    }

    private static func pipelines(_ store: any Store) async throws {
        let first = PipelineRecord(uuid: PipelineID("p1"), name: "one", components: ["a": [1.5]], created: noon)
        let second = PipelineRecord(uuid: PipelineID("p2"), name: "two", components: [], created: after(1))
        let again = PipelineRecord(uuid: PipelineID("p1"), name: "other", components: nil, created: after(2))
        var effects = Effects()
        effects.jobs = [.registerPipeline(first), .registerPipeline(second), .registerPipeline(again)]
        try await commit(effects, as: "pipelines", in: store)
        let page = try await store.pipelines(after: nil, limit: 1)
        try equal(page.pipelines, [second], "the newest pipeline")
        let rest = try await store.pipelines(after: page.next, limit: 9)
        try equal(rest.pipelines, [first], "the pipelines after it")
        try equal(rest.next, nil, "the end of the pipelines")
        let one = try await store.pipeline(PipelineID("p1"))
        try equal(one, first, "a pipeline that was registered twice")
        var other = PipelineRecord(
            uuid: PipelineID("p1"), id: "tacc/tacobot:9000", name: "changed", generation: .second,
            description: "what it is for", components: [["uri": "x"]], details: ["accepts": ["*"]],
            settings: ["machine": "v1"], isEnabled: false, owner: "suite", token: "t", salt: "s", created: noon,
            updated: after(5), revision: 1)
        effects.jobs = [.writePipeline(other, revision: 0)]
        try await commit(effects, as: "write", in: store)
        let written = try await store.pipeline(other.uuid)
        try equal(written, other, "a pipeline that was changed")
        other.revision = 2
        try await expect(.conflict, "a change of what was changed meanwhile") {
            try await commit(effects, as: "stale", in: store)
        }
        effects.jobs = [.writePipeline(other, revision: nil)]
        try await expect(.conflict, "a new pipeline that is there") { try await commit(effects, as: "new", in: store) }
    }

    private static func documents(_ store: any Store) async throws {
        var effects = Effects()
        for number in 1...3 {
            effects.documents.append(
                Document(
                    kind: "upload", id: "d\(number)", body: ["n": JSONValue(number)], created: after(Int64(number)),
                    updated: after(Int64(number))))
        }
        effects.documents.append(Document(kind: "run", id: "d1", body: [], created: noon, updated: noon))
        try await commit(effects, as: "e1", in: store)
        effects.documents = [Document(kind: "upload", id: "d1", body: "new", created: after(9), updated: after(9))]
        try await commit(effects, as: "e2", in: store)
        let changed = Document(kind: "upload", id: "d1", body: "new", created: after(1), updated: after(9))
        let found = try await store.document("upload", "d1")
        try equal(found, changed, "the changed document")
        let newest = try await store.documents("upload", limit: 2)
        try equal(newest.map(\.id), ["d3", "d2"], "the newest documents")
        let none = try await store.document("upload", "none")
        try equal(none, nil, "an unknown document")
        let next = try await store.documents(DocumentQuery(kind: "upload", limit: 5, after: "d3"))
        try equal(next.map(\.id), ["d2", "d1"], "the documents behind d3")
        let gone = try await store.documents(DocumentQuery(kind: "upload", limit: 5, after: "none"))
        try equal(gone.map(\.id), [], "the documents behind none")
        let between = DocumentQuery(kind: "upload", limit: 5, createdFrom: after(2), createdBefore: after(3))
        let middle = try await store.documents(between)
        try equal(middle.map(\.id), ["d2"], "the documents of a while")
        effects.documents = [
            Document(kind: "upload", id: "d3", body: ["state": "done"], created: after(9), updated: after(9))
        ]
        try await commit(effects, as: "e-state", in: store)
        let done = try await store.documents(DocumentQuery(kind: "upload", limit: 5, state: "done"))
        try equal(done.map(\.id), ["d3"], "the documents in a state")
        let first = try await store.documents("upload", after: nil, limit: 2)
        try equal(first.map(\.id), ["d1", "d2"], "the first page by id")
        let rest = try await store.documents("upload", after: "d2", limit: 2)
        try equal(rest.map(\.id), ["d3"], "the next page by id")
        effects.documents = [Document(kind: "upload", id: "d2", body: .null, created: after(9), updated: after(9))]
        try await commit(effects, as: "e3", in: store)
        let kept = try await store.documents("upload", after: nil, limit: 9)
        try equal(kept.map(\.id), ["d1", "d3"], "a document without a body is gone")
    }

    private static func outbox(_ store: any Store) async throws {
        var effects = Effects()
        effects.calls = [
            call("a1", order: "a"), call("b1", order: "b"), call("a2", order: "a"), call("a3", order: "a"),
        ]
        try await commit(effects, as: "e1", in: store)
        let heads = try await store.dueHeads(limit: 10)
        try equal(heads.map(\.call.idempotencyKey), ["a1", "b1"], "the heads")
        try equal(heads.map(\.nextAttempt), [after(2), after(2)], "when they are due")
        try await store.settle(heads[0].id, .retry(at: after(60), reason: "no answer"), at: after(3))
        let waiting = try await store.dueHeads(limit: 10)
        try equal(waiting.map(\.call.idempotencyKey), ["b1", "a1"], "a head that waits keeps its place")
        try equal(waiting.map(\.attempts), [0, 1], "the attempts")
        try equal(waiting[1].nextAttempt, after(60), "when it is due again")
        try await store.settle(heads[0].id, .delivered, at: after(61))
        let second = try await store.dueHeads(limit: 10)
        try equal(second.map(\.call.idempotencyKey), ["b1", "a2"], "the heads after a delivery")
        try await store.settle(second[1].id, .givenUp(reason: "gone"), at: after(62))
        let third = try await store.dueHeads(limit: 10)
        try equal(third.map(\.call.idempotencyKey), ["b1", "a3"], "the heads after one was given up")
        let one = try await store.dueHeads(limit: 1)
        try equal(one.map(\.call.idempotencyKey), ["b1"], "one head")
        try await store.promise(call("own", order: "c"), at: after(64))
        let own = try await store.dueHeads(limit: 10)
        try equal(own.map(\.call.idempotencyKey), ["b1", "a3", "own"], "a call of no execution")
        try equal(own.last?.execution, nil, "whose it is")
        try await expect(.notFound, "settling what was delivered") {
            try await store.settle(heads[0].id, .delivered, at: after(63))
        }
    }

    private static func outboxRuns(_ store: any Store) async throws {
        var effects = Effects()
        effects.calls = (1...4).map { call("a\($0)", order: "a") } + [call("b1", order: "b")]
        try await commit(effects, as: "e1", in: store)
        let head = try unwrap(try await store.dueHeads(limit: 1).first, "a head")
        let behind = try await store.undelivered(after: head, limit: 2)
        try equal(behind.map(\.call.idempotencyKey), ["a2", "a3"], "what stands behind it")
        try await store.settle(
            [
                OutboxOutcome(head.id, .delivered), OutboxOutcome(999, .delivered),
                OutboxOutcome(behind[0].id, .delivered),
                OutboxOutcome(behind[1].id, .retry(at: after(60), reason: "503")),
            ], at: after(3))
        let heads = try await store.dueHeads(limit: 9)
        try equal(heads.map(\.call.idempotencyKey), ["b1", "a3"], "the heads after a run")
        try equal(heads.last?.attempts, 1, "the attempts of the one that is made again")
        let last = try await store.undelivered(after: behind[1], limit: 9)
        try equal(last.map(\.call.idempotencyKey), ["a4"], "what is left behind it")
        try await expect(.notFound, "settling what is all gone") {
            try await store.settle([OutboxOutcome(head.id, .delivered), OutboxOutcome(999, .delivered)], at: after(4))
        }
    }

    private static func registry(_ store: any Store) async throws {
        var stored = StoredActor(
            id: actor, tenant: "suite", name: "hello", owner: "alice", fingerprint: "f", revision: 1, created: noon,
            updated: noon)
        try await store.save(stored)
        stored.revision = 2
        stored.fingerprint = "g"
        stored.updated = after(1)
        try await store.save(stored)
        let actors = try await store.actors()
        try equal(actors, [stored], "the actors")
        let none = try await store.state(of: actor)
        try equal(none, nil, "a state that was never set")
        let state: JSONValue = ["text": "ä\u{0}\n", "number": -1.25, "list": [true, nil, ["deep": 1]]]
        try await store.setState(["old": 1], of: actor, at: noon)
        try await store.setState(state, of: actor, at: after(1))
        let found = try await store.state(of: actor)
        try equal(found, state, "the state")
        let plan = ScheduleRecord(schedule: "* * * * *", anchor: noon, next: after(60))
        var later = plan
        later.next = after(120)
        later.done = after(60)
        later.last = ExecutionID("e1")
        try await store.setSchedule(plan, of: actor)
        try await store.setSchedule(plan, of: other)
        let plans = try await store.schedules()
        try equal(plans, [actor: plan, other: plan], "the plans of schedules")
        try await store.setSchedule(later, of: actor)
        try await store.setSchedule(nil, of: other)
        let changed = try await store.schedules()
        try equal(changed, [actor: later], "the plans of schedules after a change")
        try await store.setSetting("salt", "a")
        try await store.setSetting("salt", "b")
        let setting = try await store.setting("salt")
        let unset = try await store.setting("none")
        try equal([setting, unset], ["b", nil], "the settings")
        let entries = (1...3).map {
            AuditEntry(at: after(Int64($0)), who: "alice", action: "pause", target: "a\($0)", outcome: "done")
        }
        for entry in entries { try await store.audit(entry) }
        let audits = try await store.audits(limit: 2)
        try equal(audits, [entries[2], entries[1]], "the audit trail, newest first")
    }

    private static func nonces(_ store: any Store) async throws {
        let two = nonce("two", uses: 2)
        try await store.create(two)
        try await store.create(nonce("endless", uses: -1))
        try await expect(.conflict, "a nonce that exists") { try await store.create(two) }
        let found = try await store.nonce(two.id)
        try equal(found, two, "the nonce")
        var uses: [Bool] = []
        for second in 1...3 { uses.append(try await store.useNonce(two.id, at: after(Int64(second)))) }
        uses.append(try await store.useNonce(NonceID("none"), at: noon))
        uses.append(try await store.useNonce(NonceID("endless"), at: noon))
        try equal(uses, [true, true, false, false, true], "uses")
        let used = try await store.nonce(two.id)
        try equal(used?.currentUses, 2, "counted uses")
        try equal(used?.lastUsed, after(2), "the last use")
        let all = try await store.nonces(of: actor)
        try equal(all.map(\.id.rawValue).sorted(), ["endless", "two"], "the actor's nonces")
        let others = try await store.nonces(of: other)
        try equal(others, [], "another actor's nonces")
        let first = try await store.deleteNonce(two.id)
        let second = try await store.deleteNonce(two.id)
        try equal([first, second], [true, false], "deleting")
    }
}
