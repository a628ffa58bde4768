import ActorCore
import Reactors
import Testing

/// Every recorded case of the ingest that the ingest decides, by the kind that its id names.
@Suite struct IngestVectorTests {
    private static let cases = Fixture.rows("ingest-cases", "cases")
    private static let later = Fixture.rows("ingest-cases", "later_listener_cases")

    private static func of(_ prefix: String, in rows: [JSONValue] = cases) -> [JSONValue] {
        rows.filter { $0.at("id").string?.hasPrefix(prefix) ?? false }
    }

    /// Kinds that other parts decide, and where they are tested: job files and names (JobManifestTests), the order of
    /// containers (JobRunMachineTests), what Kubernetes is asked (the engine's own tests), what is kept when a job's
    /// time to live is over (EndToEndTests).
    private static let elsewhere = ["bg.job.", "bg.run.", "bg.k8s.", "bg.ttl."]

    @Test func noCaseIsForgotten() {
        let here = ["bg.subst.", "bg.dispatch.", "bg.uuid.", "bg.inbox.", "bg.name.", "bg.reingest."]
        for row in Self.cases {
            let id = row.at("id").string ?? ""
            #expect((here + Self.elsewhere).contains { id.hasPrefix($0) }, "\(id) is tested nowhere")
        }
        for row in Self.later {
            let id = row.at("id").string ?? ""
            let kinds = ["jobname.", "s3base.", "csv."]
            #expect(kinds.contains { id.hasPrefix("bg.spikecanvas.\($0)") }, "\(id) is tested nowhere")
        }
        #expect(Self.cases.count == 45 && Self.later.count == 14)
    }

    @Test(arguments: of("bg.subst."))
    func substitution(row: JSONValue) {
        let text = Array((row.at("input", "text").string ?? "").utf8)
        var variables: [String: String] = [:]
        for member in row.at("input", "environment").object ?? [] { variables[member.name] = member.value.string }
        let uuid = variables["UUID"] ?? ""
        let rendered = JobTemplate().render(text, uuid: uuid)
        let wanted = row["recommended"]?.string ?? row.at("expected").string
        #expect(String(decoding: rendered, as: UTF8.self) == wanted)
        let compatible = JobTemplate(mode: .envsubst, variables: variables).render(text, uuid: uuid)
        #expect(String(decoding: compatible, as: UTF8.self) == row.at("expected").string)
    }

    @Test(arguments: of("bg.dispatch."))
    func dispatch(row: JSONValue) {
        let uuid = row.at("input", "uuid").string ?? ""
        let facts = UploadFacts(name: uuid)
        let rule = FolderRule.standard
        let tree = (row.at("input", "tree").object ?? []).flatMap { folder in
            folder.value.texts.map { "\(folder.name.split(separator: "/").last ?? "")/\($0)" }
        }.sorted()
        // An empty name never becomes an upload; a pattern stood for the folder that is not there.
        let chosen = uuid.isEmpty ? [] : tree.filter { rule.obstacle(file: $0, facts) == nil }
        let expected = row.at("expected", "submitted_files_in_order").texts.filter { !$0.contains("*") }
        if !tree.isEmpty { #expect(chosen.map { "jobs/\($0)" } == expected) }
        if row.at("recommended") == "reject the UUID with a reason" {
            #expect(rule.problem(of: facts)?.contains("\"E\"") == true)
        }
    }

    @Test(arguments: of("bg.uuid."))
    func modality(row: JSONValue) {
        let facts = UploadFacts(name: row.at("input", "uuid").string ?? "")
        let expected = row.at("expected").string ?? ""
        let isRefused = expected.hasPrefix("error")
        #expect(FolderRule.standard.folder(of: facts) == (isRefused ? nil : expected))
        #expect((FolderRule.standard.problem(of: facts) != nil) == isRefused)
    }

    @Test(arguments: of("bg.inbox."))
    func inbox(row: JSONValue) {
        let names = UploadIdentity.names(ofKeys: row.at("input", "keys").texts)
        #expect(names == (row["recommended"] ?? row.at("expected")).texts)
    }

    @Test(arguments: of("bg.name."))
    func names(row: JSONValue) {
        let name = row.at("input", "name").string ?? ""
        #expect(JobName.isLegal(name) == row.at("expected", "valid").bool)
        #expect(JobName.safe(name) == row["recommended"]?.string ?? name)
    }

    @Test(arguments: of("bg.spikecanvas.jobname.", in: later))
    func listenerNames(row: JSONValue) {
        let raw = row.at("input", "raw").string ?? ""
        let index = row.at("input", "index").int
        let name = ChainFile.jobName(raw, index: index, asOriginal: true)
        #expect(name == row.at("expected").string)
        let mended = ChainFile.jobName(raw, index: index)
        #expect(JobName.isLegal(mended))
        if row["legacy_quirk"] == nil { #expect(mended == name) }
    }

    @Test func theMendedNamesOfTwoRecordingsDiffer() {
        #expect(ChainFile.jobName("x-chip19894.raw.h5") != ChainFile.jobName("x-chip19895.raw.h5"))
        #expect(ChainFile.jobName("x-chip19894.raw.h5") == "edp-x-chip19894")
        #expect(ChainFile.jobName("batch.csv", index: 3) == "edp-batch-3")
    }

    @Test(arguments: of("bg.spikecanvas.s3base.", in: later))
    func prefixes(row: JSONValue) {
        let expected = row.at("expected").string ?? ""
        let prefix = UploadIdentity.prefix(of: row.at("input", "uuid").string ?? "")
        #expect(prefix == (expected.hasPrefix("ERR") ? nil : expected))
    }

    /// The steps build on one another; those that were not recorded are filled in by what the next one starts from.
    @Test(arguments: [true, false])
    func chains(asOriginal: Bool) throws {
        let rows = Self.of("bg.spikecanvas.csv.", in: Self.later)
        var table = try ChainFile(csv: rows[0].at("input", "csv_initial").string ?? "")
        var step = 0
        for row in rows {
            if row.at("input", "step").int == step + 2 {
                let launched = table.apply([("Succeeded", [1])], asOriginal: asOriginal)
                #expect(launched == [2, 3])
                step += 1
            }
            step += 1
            let update = (row.at("input", "update").object ?? []).map { member in
                (word: member.name, rows: (member.value.array ?? []).compactMap(\.int))
            }
            let launched = table.apply(update, asOriginal: asOriginal)
            #expect(launched == (row.at("expected", "launched").array ?? []).compactMap(\.int))
            for status in row.at("expected", "status_after").object ?? [] {
                let found = table.rows.first { String($0.index) == status.name }?.status
                #expect(found == status.value.string, "row \(status.name) at step \(step)")
            }
        }
        #expect(step == 6)
    }

    @Test func whatTheListenerGotWrongIsMended() throws {
        let csv = #"""
            index,status,uuid,experiment,image,args,next_job
            1,ready,u,e1,i,"a, ""b""",None
            2,ready,u,e2,i,b,1
            """#
        var original = try ChainFile(csv: csv)
        #expect(original.apply([("Succeeded", [2])], asOriginal: true) == [])
        var table = try ChainFile(csv: csv)
        #expect(table.rows[0].fields["args"] == "a, \"b\"")
        // A next row above is started too, and none twice.
        #expect(table.apply([("Succeeded", [2])]) == [1])
        #expect(table.apply([("Start", [1])]) == [])
        #expect(original.apply([("Start", [1])], asOriginal: true) == [1])
    }

    @Test(arguments: [
        ("", "empty"), ("a,b\n", "column index"), ("index,status,next_job\nx,ready,None\n", "line 2"),
        ("index,status,next_job\n1,ready,7\n", "row 7"), ("index,status,next_job\n1,ready\n", "2 fields"),
        ("index,status,next_job\n1,\"ready,None\n", "not closed"),
    ])
    func badChains(csv: String, problem: String) {
        let failure = #expect(throws: ChainFile.Malformed.self) { try ChainFile(csv: csv) }
        #expect(failure?.description.contains(problem) == true, "\(failure?.description ?? "")")
    }
}
