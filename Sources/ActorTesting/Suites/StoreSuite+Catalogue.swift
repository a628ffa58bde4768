import ActorCore

/// Files, links, statuses, flags and watches of jobs, and the finding of jobs by them.
extension StoreSuite {
    static let catalogueChecks: [Check] = [
        Check("files of a job are kept by path, replaced, and dropped when a walk has not met them", jobFiles),
        Check("catalogue files are merged, and found by uuid and name", catalogueFiles),
        Check("jobs are found by what they refer to, by words and by time", finding),
        Check("jobs are found by where their files lie", places),
        Check("jobs are counted by state as a listing would show them", counting),
        Check("statuses of callbacks are kept in the order in which they were seen last", statuses),
        Check("a job that stands still is flagged once, until it moves", stalls),
        Check("watches are kept once, found for a job and its pipeline, and ended", watches),
        Check("what belongs to no job is refused", strangers),
    ]

    private static func file(_ path: String, _ bytes: Int64, at moment: Timestamp = noon) -> JobFileRecord {
        JobFileRecord(path: path, bytes: bytes, sha256: "ab\(bytes)", modified: noon, indexed: moment)
    }

    private static func jobFiles(_ store: any Store) async throws {
        var effects = Effects()
        let id = JobID("j1")
        effects.jobs = [
            .create(job("j1"), entry("create")), .create(job("j2"), entry("create")),
            .files(id, [file("b/c", 3), file("a", 1), file("ä", 2), file("gone", 9)], run: after(1)),
            .files(JobID("j2"), [file("a", 7)], run: after(1)),
        ]
        try await commit(effects, as: "first", in: store)
        let first = try await store.jobFiles(of: id, after: nil, limit: 2)
        try equal(first, [file("a", 1), file("b/c", 3)], "the first page")
        let second = try await store.jobFiles(of: id, after: "b/c", limit: 9)
        try equal(second.map(\.path), ["gone", "ä"], "the second page")
        effects = Effects()
        effects.jobs = [
            .files(id, [file("a", 4, at: after(5)), file("b/c", 3), file("ä", 2)], run: after(2)),
            .dropFiles(id, before: after(2)),
        ]
        try await commit(effects, as: "second", in: store)
        let known = try await store.jobFiles(of: id, paths: ["ä", "a", "gone", "never"])
        try equal(known, [file("a", 4, at: after(5)), file("ä", 2)], "known files")
        let total = try await store.jobFileTotal(of: id)
        try equal(total.files, 3, "the number of files")
        try equal(total.bytes, 9, "their bytes")
        let none = try await store.jobFileTotal(of: JobID("none"))
        try equal(none.files, 0, "files of nobody")
        let other = try await store.jobFiles(of: JobID("j2"), after: nil, limit: 9)
        try equal(other, [file("a", 7)], "files of another job")
    }

    private static func catalogueFiles(_ store: any Store) async throws {
        let child = CatalogueLink(.childOf, "j1")
        let from = CatalogueLink(.derivedFrom, "105x")
        let first = FileRecord(
            uuid: "105a", name: "/p/a.csv", system: "s", fileID: "file.tacc.a", type: "CSV", level: "1", note: "n",
            links: [child], updated: noon)
        let again = FileRecord(
            uuid: "105a", name: "/p/a.csv", system: "s", fileID: "file.tacc.a", type: "TSV", links: [from],
            updated: after(1))
        var effects = Effects()
        effects.jobs = [.create(job("j1"), entry("create")), .catalogue(first), .catalogue(again)]
        try await commit(effects, as: "files", in: store)
        var expected = first
        expected.type = "TSV"
        expected.links = [child, from]
        expected.updated = after(1)
        let byUUID = try await store.file("105a")
        try equal(byUUID, expected, "a file that was indexed twice")
        let byName = try await store.files(named: ["/p/none", "/p/a.csv"])
        try equal(byName, [expected], "files by name")
        let none = try await store.file("105b")
        try equal(none, nil, "an unknown file")
    }

    private static func threeJobs(_ store: any Store) async throws {
        var effects = Effects()
        var second = job("j2", created: after(10), session: "bold-otter")
        second.data = ["sample": "sample.uw_biofab.133737/A2"]
        effects.jobs = [
            .create(job("j1"), entry("create")), .create(second, entry("create")),
            .create(job("j3", created: after(20)), entry("create")),
            .link(JobID("j1"), [CatalogueLink(.childOf, "102e"), CatalogueLink(.experiment, "Yeast-Gates")]),
            .link(JobID("j3"), [CatalogueLink(.childOf, "j1"), CatalogueLink(.childOf, "102e")]),
            .move(JobID("j3"), revision: 0, to: .running, by: .run, entry("run")),
        ]
        try await commit(effects, as: "jobs", in: store)
    }

    private static func found(
        _ store: any Store, _ change: (inout JobQuery) -> Void
    ) async throws -> [String] {
        var query = JobQuery()
        change(&query)
        return try await store.jobs(query).jobs.map(\.uuid.rawValue)
    }

    private static func finding(_ store: any Store) async throws {
        try await threeJobs(store)
        let links = try await store.links(of: JobID("j1"))
        try equal(
            links, [CatalogueLink(.childOf, "102e"), CatalogueLink(.experiment, "Yeast-Gates")], "links of a job")
        let children = try await store.jobs(.childOf, of: "102e", limit: 9)
        try equal(children, [JobID("j1"), JobID("j3")], "children")
        let first = try await store.jobs(.childOf, of: "102e", limit: 1)
        try equal(first, [JobID("j1")], "the first child")
        let cases: [(String, [String], (inout JobQuery) -> Void)] = [
            ("children of a job", ["j3"], { $0.childOf = "j1" }),
            ("an experiment by name", ["j1"], { $0.experiment = "Yeast-Gates" }),
            ("an experiment by uuid", ["j3", "j1"], { $0.experiment = "102e" }),
            ("a word", ["j2"], { $0.text = "otter" }), ("the beginning of a word", ["j2"], { $0.text = "bioF" }),
            ("words that stand together", ["j2"], { $0.text = "133737/a2" }),
            ("words of different places", ["j2"], { $0.text = "a2 bold" }),
            ("words in another order", [], { $0.text = "A2/133737" }),
            ("what means something to an index", ["j2"], { $0.text = "\"otter* -bold" }),
            ("a word that is nowhere", [], { $0.text = "otter zz" }),
            ("a word of all", ["j3", "j2", "j1"], { $0.text = "products" }),
            ("from a moment", ["j3", "j2"], { $0.createdFrom = after(10) }),
            ("before a moment", ["j1"], { $0.createdBefore = after(10) }),
            ("unchanged since", ["j3", "j2"], { $0.updatedFrom = after(1) }),
            ("changed before", ["j1"], { $0.updatedBefore = after(3) }),
            ("several at once", ["j3"], { ($0.experiment, $0.status) = ("102e", .running) }),
        ]
        for (what, expected, change) in cases {
            let jobs = try await found(store, change)
            try equal(jobs, expected, what)
        }
    }

    private static func places(_ store: any Store) async throws {
        var effects = Effects()
        for (number, path) in ["/p/a", "p/a/b", "/p/ab", "/p", "/p/a/b/c", "/p/a-b", "/p/a%"].enumerated() {
            var record = job("j\(number)", created: after(Int64(number)))
            record.path = path
            effects.jobs.append(.create(record, entry("create")))
        }
        try await commit(effects, as: "jobs", in: store)
        for path in ["/p/a", "p/a"] {
            let found = try await store.jobs(at: path, limit: 9)
            try equal(found.map(\.rawValue), ["j0", "j1", "j4"], "jobs at \(path)")
        }
        let below = try await store.jobs(at: "/p/a/b", limit: 1)
        try equal(below.map(\.rawValue), ["j1"], "the first of those below")
        let none = try await store.jobs(at: "/p/a/b/c/d", limit: 9)
        try equal(none, [], "jobs where there is none")
    }

    private static func counting(_ store: any Store) async throws {
        try await threeJobs(store)
        var effects = Effects()
        effects.jobs = [.stall(stall("j1"), revision: 0)]
        try await commit(effects, as: "stall", in: store)
        let all = try await store.counts(JobQuery())
        try equal(all, JobCounts(states: [.created: 2, .running: 1], stalled: 1), "all")
        var query = JobQuery()
        query.experiment = "102e"
        query.limit = 1
        let some = try await store.counts(query)
        try equal(some, JobCounts(states: [.created: 1, .running: 1], stalled: 1), "those of an experiment")
        try equal(some.total, 2, "their number")
        let flagged = try await found(store) { $0.isStalled = true }
        try equal(flagged, ["j1"], "flagged jobs")
        let others = try await found(store) { $0.isStalled = false }
        try equal(others, ["j3", "j2"], "the others")
    }

    private static func statuses(_ store: any Store) async throws {
        var effects = Effects()
        let id = JobID("j1")
        effects.jobs = [
            .create(job("j1"), entry("create")), .saw(id, status: "PENDING"), .saw(id, status: "RUNNING"),
            .saw(id, status: "PENDING"),
        ]
        try await commit(effects, as: "statuses", in: store)
        let seen = try await store.statuses(of: id)
        try equal(seen, ["RUNNING", "PENDING"], "statuses")
        let none = try await store.statuses(of: JobID("j2"))
        try equal(none, [], "statuses of nobody")
    }

    private static func stall(_ job: String) -> JobStall {
        JobStall(job: JobID(job), since: noon, limitMilliseconds: 1000, flagged: after(2))
    }

    private static func stalls(_ store: any Store) async throws {
        try await threeJobs(store)
        let standing = try await store.standing(since: after(10), limit: 9)
        try equal(standing.map(\.job.rawValue), ["j1", "j3", "j2"], "who stands since then")
        try equal(standing[0].pipeline.rawValue, "pipeline", "its pipeline")
        let one = try await store.standing(since: noon, limit: 9)
        try equal(one.map(\.job.rawValue), ["j1"], "the one that stands longest")
        var effects = Effects()
        effects.jobs = [
            .stall(stall("j1"), revision: 0), .stall(stall("j3"), revision: 0), .stall(stall("none"), revision: 0),
        ]
        try await commit(effects, as: "flag", in: store)
        let flags = try await store.stalls(of: [JobID("j3"), JobID("j1"), JobID("none")])
        try equal(flags, [stall("j1")], "flags: one has moved since, one is nobody")
        let rest = try await store.standing(since: after(10), limit: 9)
        try equal(rest.map(\.job.rawValue), ["j3", "j2"], "who is not flagged")
        effects.jobs = [.move(JobID("j1"), revision: 0, to: .running, by: .run, entry("run"))]
        try await commit(effects, as: "move", in: store)
        let after = try await store.stalls(of: [JobID("j1")])
        try equal(after, [], "the flag of a job that moved")
    }

    private static func watches(_ store: any Store) async throws {
        func watch(_ id: String, _ target: JobWatch.Target, _ actor: ActorID = actor) -> JobWatch {
            JobWatch(id: WatchID(id), target: target, actor: actor, owner: "alice", created: noon)
        }
        let job = JobWatch.Target.job(JobID("j1"))
        let pipeline = JobWatch.Target.pipeline(PipelineID("p"))
        let first = try await store.create(watch("w1", job))
        let again = try await store.create(watch("w2", job))
        try equal(again, first, "the same watch again")
        _ = try await store.create(watch("w3", pipeline))
        _ = try await store.create(watch("w4", pipeline, other))
        let told = try await store.watchers(of: JobID("j1"), pipeline: PipelineID("p"))
        try equal(told, [actor, other], "who is told, each once")
        let others = try await store.watchers(of: JobID("j2"), pipeline: PipelineID("q"))
        try equal(others, [], "who is told of another job")
        let all = try await store.watches(of: nil, limit: 2)
        try equal(all.map(\.id.rawValue), ["w4", "w3"], "the newest watches")
        let some = try await store.watches(of: job, limit: 9)
        try equal(some, [watch("w1", job)], "watches of a job")
        let one = try await store.watch(WatchID("w3"))
        try equal(one, watch("w3", pipeline), "one watch")
        let wasThere = try await store.deleteWatch(WatchID("w3"))
        let isThere = try await store.deleteWatch(WatchID("w3"))
        try equal([wasThere, isThere], [true, false], "ending a watch twice")
    }

    private static func strangers(_ store: any Store) async throws {
        let id = JobID("none")
        let changes: [JobChange] = [
            .link(id, [CatalogueLink(.childOf, "x")]), .saw(id, status: "X"), .files(id, [file("a", 1)], run: noon),
        ]
        for change in changes {
            let envelope = try await start(message("stranger"), in: store)
            var effects = Effects()
            effects.jobs = [change]
            try await expect(.conflict, "\(change)") {
                try await store.complete(completion(of: envelope, effects: effects))
            }
        }
    }
}
