import ActorCore
import ActorTesting
import Reactors
import Testing

/// Nothing goes without a rule, an approval and a row in the audit log.
@Suite struct RetentionTests {
    private static let day: Int64 = 86_400_000
    private let world = TestWorld()
    private let holdings = MemoryHoldings()
    private let removed = Kept<[String]>([])
    /// What the store says of objects, by key; all others are as they were put.
    private let objects = Kept<[String: Result<StoredObject?, ActorError>]>([:])
    private let settings: JSONValue = [
        "keep_tags": ["keep"], "approval_days": 7,
        "rules": [
            ["name": "raw", "uploads": "*-e-*", "archive_after_days": 90, "delete_after_days": 365],
            ["name": "scratch", "tags": ["scratch"], "delete_after_days": 10],
        ],
    ]

    /// Files of an upload that is analysed, unless it is said otherwise.
    private func holding(
        _ name: String, days: Int64, tags: [String] = [], copied: Bool = true, key: String = "taken",
        isOver: Bool = true
    ) -> Holding {
        let now = world.read { $0.now }
        let files = [
            LabFile(path: "a.dat", bytes: 60, sha256: "aa"), LabFile(path: "b.dat", bytes: 40, sha256: name),
        ]
        let claimed = ClaimedUpload(name: name, number: 1, folder: "/uploads/\(name)/1/original", files: files)
        var document = UploadDocument(
            claimed, version: 1, sha256: UploadIdentity.content(of: claimed), execution: ExecutionID(key),
            received: now)
        if isOver { document.settle(now: now) }
        let body = document.json
        world.change { $0.documents["upload/\(name)"] = body }
        return Holding(
            name: name, number: 1, key: key, received: now.adding(milliseconds: -days * Self.day), tags: tags,
            copy: copied ? HeldCopy(bucket: "cold", objects: [LabFile(path: "k/\(name)", bytes: 7, sha256: "c")]) : nil,
            files: files)
    }

    private func action(_ holding: Holding, tags: [String] = []) throws -> RetentionPlan.Action? {
        let rules = try RetentionRules.decode(settings)
        switch rules.verdict(on: holding, tags: tags, now: world.read { $0.now }) {
        case .due(let action, _, _): return action
        case .withheld, nil: return nil
        }
    }

    private func send(
        _ body: JSONValue, execution: String, sender: String = "alice", attempts: Int = 0, nonce: NonceID? = nil,
        crash: TestContext.CrashPoint? = nil
    ) async throws -> JSONValue {
        var setup = TestContext.Setup()
        setup.settings = settings
        setup.actors = ["ingest": ActorID("ingest")]
        setup.crash = crash
        let reactor = RetentionReactor(
            tools: ReactorTools(
                files: MemoryLab(), archive: MemoryLab(), documents: NoDocuments(), executor: ModelExecutor(),
                limits: Limits(), home: "/house", holdings: holdings,
                removeObjects: { [removed] (keys, bucket) async throws(ActorError) in
                    removed.change { $0 += keys.map { "\(bucket)/\($0)" } }
                },
                lookAtObject: { [objects] (name) async throws(ActorError) in
                    let usual = StoredObject(key: name.key, bytes: 7, etag: "e", sha256: "c")
                    return try objects.value[name.key, default: .success(usual)].get()
                }))
        try await world.deliver(
            envelope(body, sender: sender, execution: execution, attempts: attempts, nonce: nonce), to: reactor,
            as: setup)
        return world.read { $0.replies[ExecutionID(execution)] ?? .null }
    }

    private struct NoDocuments: DocumentReader {
        func read(yaml: [UInt8], file: String) throws(ActorError) -> ParsedDocument {
            throw ActorError(.invalidInput, "none")
        }
    }

    @Test func rules() throws {
        let cases: [(Holding, [String], RetentionPlan.Action?)] = [
            (holding("2026-01-01-e-a", days: 89), [], nil), (holding("2026-01-01-e-a", days: 90), [], .archive),
            (holding("2026-01-01-e-a", days: 90, copied: false), [], nil),
            (holding("2026-01-01-e-a", days: 365, copied: false), [], .delete),
            (holding("2026-01-01-e-a", days: 9000, tags: ["keep"]), [], nil),
            (holding("2026-01-01-e-a", days: 9000), ["keep"], nil), (holding("other", days: 9000), [], nil),
            (holding("other", days: 10, tags: ["scratch"]), [], .delete), (holding("other", days: 9), ["scratch"], nil),
            (holding("2026-01-01-e-a", days: -5), [], nil),
        ]
        for (holding, tags, action) in cases {
            let found = try self.action(holding, tags: tags)
            #expect(found == action, "\(holding.name) \(holding.received.iso8601)")
        }
    }

    @Test func rulesThatCannotBeRead() {
        for rule: JSONValue in [
            ["name": "x"], ["delete_after_days": 0], ["delete_after_days": "ten"],
            ["delete_after": 10, "archive_after_days": 1], ["tags": "scratch", "delete_after_days": 1],
            ["tags": [1], "delete_after_days": 1], ["uploads": 3, "delete_after_days": 1],
        ] {
            #expect(throws: ReactorFailure.self) { try RetentionRules.decode(["rules": [rule]]) }
        }
        for settings: JSONValue in [
            ["keep_tags": "keep"], ["rules": ["delete_after_days": 1]], ["approval_days": 0], ["rule": []],
        ] {
            #expect(throws: ReactorFailure.self) { try RetentionRules.decode(settings) }
        }
    }

    @Test func aPlanAnApprovalAndARowForEachFile() async throws {
        holdings.put(holding("2026-01-01-e-a", days: 400))
        holdings.put(holding("2026-01-01-e-b", days: 100))
        holdings.put(holding("2026-01-01-e-c", days: 1))
        let plan = try await send(["kind": "plan"], execution: "1")
        let id = try #require(plan["id"]?.string)
        #expect(plan["items"]?.array?.compactMap { $0["action"]?.string } == ["delete", "archive"])
        #expect(plan["bytes"]?.int == 207 && holdings.places.count == 3)
        // Not approved: nothing is removed.
        await #expect(throws: ReactorFailure.self) {
            try await send(["kind": "apply", "plan": .string(id)], execution: "2")
        }
        // No actor approves, and nobody who holds a nonce.
        await #expect(throws: ReactorFailure.self) {
            try await send(["kind": "approve", "plan": .string(id)], execution: "2", sender: "actor:N4xR1OKaQGVB")
        }
        await #expect(throws: ReactorFailure.self) {
            try await send(["kind": "approve", "plan": .string(id)], execution: "2", nonce: NonceID("n"))
        }
        #expect(holdings.places.count == 3)
        _ = try await send(["kind": "approve", "plan": .string(id)], execution: "3", sender: "bob")
        let applied = try await send(["kind": "apply", "plan": .string(id)], execution: "4")
        #expect(applied["state"]?.string == "applied" && applied["approved_by"]?.string == "bob")
        #expect(holdings.places == ["2026-01-01-e-c/1"])
        let audits = world.read { $0.audits.map { "\($0.action) \($0.target)" } }
        #expect(
            audits == [
                "retention.plan \(id)", "retention.approve \(id)",
                "retention.delete 2026-01-01-e-a/1/a.dat", "retention.delete 2026-01-01-e-a/1/b.dat",
                "retention.delete s3://cold/k/2026-01-01-e-a", "retention.archive 2026-01-01-e-b/1/a.dat",
                "retention.archive 2026-01-01-e-b/1/b.dat",
                "retention.delete 2026-01-01-e-a", "retention.archive 2026-01-01-e-b",
            ])
        // Again: it is done.
        #expect(try await send(["kind": "apply", "plan": .string(id)], execution: "5") == applied)
        #expect(world.read { $0.audits.count } == 9)
        #expect(removed.value == ["cold/k/2026-01-01-e-a"])
        let news = world.read { $0.mail.compactMap { $0.body["upload"]?.string } }
        #expect(news == ["2026-01-01-e-a", "2026-01-01-e-b"])
    }

    /// The rows come before the files go, and a crash at any commit neither loses a row nor doubles one.
    @Test(arguments: 1...3)
    func theDaemonDies(beforeCommit number: Int) async throws {
        holdings.put(holding("2026-01-01-e-a", days: 400))
        let id = try #require(try await send(["kind": "plan"], execution: "1")["id"]?.string)
        _ = try await send(["kind": "approve", "plan": .string(id)], execution: "2")
        let body: JSONValue = ["kind": "apply", "plan": .string(id)]
        await #expect(throws: (any Error).self) {
            try await send(body, execution: "3", crash: .beforeCommit(number))
        }
        let rows = world.read { $0.audits.count { $0.target.hasSuffix(".dat") } }
        #expect(holdings.places.isEmpty == (number > 1) && rows == (number > 1 ? 2 : 0))
        let applied = try await send(body, execution: "3", attempts: 1)
        #expect(applied["items"]?.array?.compactMap { $0["progress"]?.string } == ["done"])
        #expect(holdings.places.isEmpty && world.read { $0.audits.count { $0.target.hasSuffix(".dat") } } == 2)
        #expect(world.read { $0.audits.count { $0.target == "2026-01-01-e-a" } } == 1)
    }

    /// Archived after 90 days; after 365 what is left of it, the copy, goes too.
    @Test func anArchivedUploadIsDeletedInItsTime() async throws {
        holdings.put(holding("2026-01-01-e-a", days: 100))
        for (days, rows) in [(Int64(0), 2), (100, 2), (300, 3)] {
            world.change { $0.now = $0.now.adding(milliseconds: days * Self.day) }
            let id = try #require(try await send(["kind": "plan"], execution: "p\(days)")["id"]?.string)
            _ = try await send(["kind": "approve", "plan": .string(id)], execution: "a\(days)")
            _ = try await send(["kind": "apply", "plan": .string(id)], execution: "x\(days)")
            #expect(world.read { $0.audits.count { $0.outcome.hasPrefix("goes") } } == rows)
            #expect(holdings.places == [] && removed.value.count == rows - 2)
        }
        #expect(try await holdings.holdings(after: nil, limit: 10) == [])
    }

    @Test func whatCannotGoYetIsSaid() async throws {
        holdings.put(holding("2026-01-01-e-a", days: 100, copied: false))
        holdings.put(holding("2026-01-01-e-b", days: 400, isOver: false))
        holdings.put(
            Holding(
                name: "2026-01-01-e-c", number: 1, key: "none", received: Timestamp(milliseconds: 0),
                files: [LabFile(path: "x", bytes: 1, sha256: "xx")]))
        let plan = try await send(["kind": "plan"], execution: "1")
        #expect(plan["items"]?.array == [])
        #expect(
            plan["withheld"]?.array?.compactMap { $0["reason"]?.string } == [
                "rule raw would archive it, but it has no whole copy in an object store", "its jobs have not ended",
                "it is not analysed yet",
            ])
    }

    @Test func whatHasChangedSinceIsKept() async throws {
        for name in ["a", "b", "c", "d"] { holdings.put(holding("2026-01-01-e-\(name)", days: 400)) }
        let id = try #require(try await send(["kind": "plan"], execution: "1")["id"]?.string)
        _ = try await send(["kind": "approve", "plan": .string(id)], execution: "2")
        holdings.put(holding("2026-01-01-e-a", days: 400, key: "another"))
        _ = try await send(["kind": "tag", "upload": "2026-01-01-e-b", "tags": ["keep"]], execution: "3")
        holdings.put(holding("2026-01-01-e-c", days: 100))
        let applied = try await send(["kind": "apply", "plan": .string(id)], execution: "4")
        #expect(
            applied["items"]?.array?.compactMap { $0["progress"]?.string } == ["kept", "kept", "kept", "done"])
        #expect(holdings.places == ["2026-01-01-e-a/1", "2026-01-01-e-b/1", "2026-01-01-e-c/1"])
    }

    private func applied(_ execution: String) async throws -> JSONValue {
        let id = try #require(try await send(["kind": "plan"], execution: "plan-\(execution)")["id"]?.string)
        _ = try await send(["kind": "approve", "plan": .string(id)], execution: "approve-\(execution)")
        return try await send(["kind": "apply", "plan": .string(id)], execution: execution)
    }

    /// The store is asked for every object before the last copy on this machine goes.
    @Test func filesWhoseCopyIsNotWholeAreKept() async throws {
        let names = ["a", "b", "c", "d", "e"].map { "2026-01-01-e-\($0)" }
        for name in names { holdings.put(holding(name, days: 100)) }
        func object(_ name: String, bytes: Int64 = 7, sha256: String? = "c") -> Result<StoredObject?, ActorError> {
            .success(StoredObject(key: "k/\(name)", bytes: bytes, etag: "other", sha256: sha256))
        }
        objects.change {
            $0["k/\(names[0])"] = .success(nil)
            $0["k/\(names[1])"] = object(names[1], bytes: 6)
            $0["k/\(names[2])"] = object(names[2], sha256: "another")
            $0["k/\(names[3])"] = .failure(ActorError(.unavailable, "no answer"))
        }
        let done = try await applied("1")
        let progress = done["items"]?.array?.compactMap { $0["progress"]?.string }
        #expect(progress == ["kept", "kept", "kept", "kept", "done"] && done["state"] == "applied")
        let notes = done["items"]?.array?.compactMap { $0["note"]?.string } ?? []
        #expect(notes.count == 4 && notes[0].contains("s3://cold/k/\(names[0]) is not there any more"))
        #expect(notes[1].contains("has 6 bytes, not 7") && notes[2].contains("another content"))
        #expect(notes[3].contains("no answer"))
        #expect(holdings.places == names.dropLast().map { "\($0)/1" })
        // No row says that a file goes that stays, and what has no copy is copied again.
        #expect(world.read { $0.audits.count { $0.outcome.hasPrefix("goes") } } == 2)
        for (index, name) in names.enumerated() {
            let copy = try await holdings.holding(name, 1)?.copy
            #expect((copy == nil) == (index < 3), "\(name)")
        }
    }

    @Test func withoutAHashTheStoreHasToNameTheSameObject() {
        let object = LabFile(path: "k", bytes: 7, sha256: "c")
        let copy = HeldCopy(bucket: "b", objects: [object], etags: ["k": "e"])
        let cases: [(StoredObject?, Bool)] = [
            (nil, false), (StoredObject(key: "k", bytes: 7, etag: "x", sha256: "c"), true),
            (StoredObject(key: "k", bytes: 7, etag: "e", sha256: "d"), false),
            (StoredObject(key: "k", bytes: 8, etag: "e", sha256: "c"), false),
            (StoredObject(key: "k", bytes: 7, etag: "e"), true), (StoredObject(key: "k", bytes: 7, etag: "x"), false),
        ]
        for (there, isWhole) in cases { #expect((copy.mismatch(of: object, there) == nil) == isWhole) }
    }

    /// One upload that cannot go keeps no other from going, is reported, and is tried again.
    @Test func whatCannotBeRemovedStopsNothingElse() async throws {
        for name in ["a", "b", "c"] { holdings.put(holding("2026-01-01-e-\(name)", days: 400)) }
        holdings.keep("2026-01-01-e-a/1", because: ActorError(.unavailable, "Directory not empty"))
        let id = try #require(try await send(["kind": "plan"], execution: "1")["id"]?.string)
        let body: JSONValue = ["kind": "apply", "plan": .string(id)]
        _ = try await send(["kind": "approve", "plan": .string(id)], execution: "2")
        for attempt in 0..<2 {
            let failure = await #expect(throws: ReactorFailure.self) {
                try await send(body, execution: "3", attempts: attempt)
            }
            #expect(failure?.kind == .transient && failure?.message.contains("Directory not empty") == true)
        }
        #expect(holdings.places == ["2026-01-01-e-a/1"])
        let shown = try await send(["kind": "show", "plan": .string(id)], execution: "4")
        #expect(shown["items"]?.array?.compactMap { $0["progress"]?.string } == ["removing", "done", "done"])
        #expect(shown["items"]?.array?.first?["note"] == "Directory not empty" && shown["state"] == "approved")
        // Attempts that find the same say it once.
        #expect(world.read { $0.audits.count { $0.outcome.hasPrefix("not removed") } } == 1)
        holdings.keep("2026-01-01-e-a/1", because: nil)
        #expect(try await send(body, execution: "3", attempts: 2)["state"] == "applied")
        #expect(holdings.places.isEmpty)
    }

    @Test func oldPlansAreOfNoUse() async throws {
        holdings.put(holding("2026-01-01-e-a", days: 400))
        let id = try #require(try await send(["kind": "plan"], execution: "1")["id"]?.string)
        _ = try await send(["kind": "approve", "plan": .string(id)], execution: "2")
        world.change { $0.now = $0.now.adding(milliseconds: 8 * Self.day) }
        await #expect(throws: ReactorFailure.self) {
            try await send(["kind": "apply", "plan": .string(id)], execution: "3")
        }
        #expect(holdings.places.count == 1)
        for body: JSONValue in [
            ["kind": "approve", "plan": "none"], ["kind": "approve"], ["kind": "x"], ["kind": "tag", "upload": "../x"],
            ["kind": "tag", "upload": "none", "tags": []], ["kind": "tag", "upload": "2026-01-01-e-a", "tags": "keep"],
        ] {
            await #expect(throws: ReactorFailure.self) { try await send(body, execution: "4") }
        }
    }
}
