import ActorCore
import Reactors
import Testing

/// Conditions on uploads, folder rules, annotations and the order of job files.
@Suite struct UploadConditionTests {
    private static let upload = UploadFacts(
        name: "2026-11-21-e-mouse", files: ["raw/a.rhd", "metadata.json"], bytes: 4096,
        metadata: [
            "instrument": ["model": "MEA-256", "wells": 24], "qc": false, "notes": .null, "tags": ["a", "b"],
        ])

    @Test(arguments: [
        (#"name[11] == "e""#, true), (#"name[11] == 'i'"#, false), (#"name[99] == "e""#, false),
        (#"name ~ "*-mouse""#, true), (#"file ~ "*.rhd""#, true), (#"file ~ "raw/*""#, true),
        (#"file == "b""#, false), ("bytes >= 4096", true), ("bytes < 4096", false), ("count == 2", true),
        (#"metadata.instrument.model ~ "MEA*""#, true), ("metadata.instrument.wells > 6", true),
        ("metadata.qc", false), ("metadata.notes", false), ("metadata.instrument", true), ("metadata.none", false),
        ("not metadata.qc", true), (#"metadata.none != "x""#, true), (#"metadata.none == "x""#, false),
        (#"metadata.tags.1 == "b""#, true), (#"name[11] == "i" or bytes > 1 and count == 2"#, true),
        (#"(name[11] == "i" or bytes > 1) and count == 3"#, false), (#"metadata.qc == "false""#, true),
        (#"not (count == 2 and name[11] == "e")"#, false), (#"  name=="x"or count==2  "#, true),
    ])
    func truth(text: String, expected: Bool) throws {
        #expect(try UploadCondition(parsing: text).isTrue(of: Self.upload) == expected)
    }

    @Test(arguments: [
        ("", 1), ("name", 5), ("name ==", 8), ("nam == 1", 1), ("name == \"x", 9), ("(name == \"x\"", 13),
        ("name[x] == 1", 6), ("metadata == 1", 9), ("name == \"x\" bytes", 13), ("name == \"x\" and", 16),
        (String(repeating: "(", count: 40), 33),
    ])
    func malformed(text: String, position: Int) {
        let failure = #expect(throws: UploadCondition.Malformed.self) { try UploadCondition(parsing: text) }
        #expect(failure?.position == position, "\(failure?.description ?? "")")
        #expect(failure?.reason.isEmpty == false)
    }

    @Test func aRuleOfTheHouse() throws {
        let settings = try IngestSettings(json: [
            "folders": [
                ["folder": "mea", "when": #"metadata.instrument.model ~ "MEA*""#],
                ["folder": "big", "when": "bytes > 1000"],
            ],
            "substitution": "envsubst", "variables": ["BUCKET": "s3://lab", "N": 3],
        ])
        #expect(settings.folders.folder(of: Self.upload) == "mea")
        #expect(settings.folders.obstacle(file: "mea/x.yaml", Self.upload) == nil)
        #expect(settings.folders.obstacle(file: "big/x.yaml", Self.upload)?.contains("this one is mea") == true)
        #expect(settings.folders.obstacle(file: "ephys/x.yaml", Self.upload) == nil)
        #expect(settings.folders.problem(of: UploadFacts(name: "small")) == "no folder rule takes it")
        let rendered = settings.template.render(Array("$BUCKET/${UUID}/$N$NONE".utf8), uuid: "u")
        #expect(String(decoding: rendered, as: UTF8.self) == "s3://lab/u/3")
    }

    @Test func everythingWrongWithTheSettingsIsNamed() {
        let failure = #expect(throws: ActorError.self) {
            try IngestSettings(json: [
                "substitution": "perl", "variables": ["1x": "a", "Y": []], "allow_paths": ["data", "/"],
                "folders": [["folder": "a/b", "when": "bytes > 1"], ["folder": "c", "when": "bytes >"]],
                "notify": [["post": "x"]],
                "job_sets": [
                    ["name": "jobs"], ["name": "a", "git": "http://x/y"], ["name": "b", "folder": "rel"],
                    ["name": "c", "git": "/x", "branch": "-x"], ["name": "d", "folder": "/x"],
                    ["name": "d", "folder": "/y"],
                ],
            ])
        }
        #expect(
            failure?.details.map(\.place) == [
                "/substitution", "/variables/1x", "/variables/Y", "/folders/0/folder", "/folders/1/when",
                "/allow_paths/0", "/allow_paths/1", "/notify/0", "/job_sets/0/name", "/job_sets/1/git",
                "/job_sets/2/folder", "/job_sets/3/branch", "/job_sets/5/name",
            ])
    }

    // MARK: Annotations

    private func annotations(_ values: JSONValue, path: String = "ephys/b.yaml") -> JobAnnotations {
        JobAnnotations(ParsedDocument(value: ["metadata": ["annotations": values]], lines: [:]), path: path)
    }

    @Test func dependenciesAreFoundFromWhereTheFileIs() {
        let found = annotations(["reactord/depends-on": "a.yaml, ./c.yaml, ../all.yaml, imaging/x.yaml"])
        #expect(found.dependencies == ["ephys/a.yaml", "ephys/c.yaml", "all.yaml", "imaging/x.yaml"])
        #expect(found.problems.isEmpty && found.condition == nil)
        #expect(annotations(["reactord/depends-on": "b.yaml"]).problems.count == 1)
        let bad = annotations(["reactord/applies-if": "bytes >", "reactord/depends-on": 1])
        #expect(
            bad.problems.map(\.place) == [
                "/metadata/annotations/reactord~1depends-on", "/metadata/annotations/reactord~1applies-if",
            ])
    }

    @Test func order() {
        let standing: [String: JobFileOrder.Standing] = [
            "a": .succeeded, "b": .underWay, "c": .stopped("whose job is FAILED"),
        ]
        func verdict(_ files: [String]) -> JobFileOrder.Verdict {
            JobFileOrder.verdict(after: files) { standing[$0] ?? .stopped("which is not there") }
        }
        #expect(verdict([]) == .start && verdict(["a"]) == .start)
        #expect(verdict(["a", "b"]) == .wait)
        #expect(verdict(["b", "c"]) == .blocked("depends on c, whose job is FAILED"))
        #expect(verdict(["d"]) == .blocked("depends on d, which is not there"))
        #expect(
            JobFileOrder.rings(["a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"], "e": []]).keys.sorted() == [
                "a", "b", "c",
            ])
        #expect(JobFileOrder.rings(["a": ["b", "c"], "b": ["c"], "c": []]).isEmpty)
    }

    // MARK: Identity

    private func claimed(_ name: String, _ files: [(String, String)]) -> ClaimedUpload {
        ClaimedUpload(
            name: name, number: 1, folder: "/u",
            files: files.map { LabFile(path: $0.0, bytes: 1, sha256: $0.1) })
    }

    @Test func whatAnUploadHoldsDecidesWhichItIs() {
        let content = UploadIdentity.content(of:)
        #expect(content(claimed("a.zip", [("a.zip", "h")])) == content(claimed("b.zip", [("b.zip", "h")])))
        #expect(content(claimed("x", [("a", "1"), ("b", "2")])) == content(claimed("y", [("a", "1"), ("b", "2")])))
        #expect(content(claimed("x", [("a", "1"), ("b", "2")])) != content(claimed("x", [("a", "2"), ("b", "1")])))
        #expect(content(claimed("x", [("a", "1")])) != content(claimed("x", [("b", "1")])))
        let known = UploadIdentity.Known(upload: "u", execution: ExecutionID("e"))
        func verdict(_ known: UploadIdentity.Known?, _ execution: String, force: Bool = false) -> UploadIdentity.Verdict
        {
            UploadIdentity.verdict(known: known, versions: 1, execution: ExecutionID(execution), force: force)
        }
        #expect(verdict(nil, "f") == .new(version: 2))
        #expect(verdict(known, "f") == .same("u"))
        #expect(verdict(known, "f", force: true) == .new(version: 2))
        #expect(verdict(known, "e") == .resumed("u") && verdict(known, "e", force: true) == .resumed("u"))
    }
}
