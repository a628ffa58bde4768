import ActorCore
import Reactors
import Testing

/// Job files: substitution, selection, names, what is accepted.
@Suite struct JobManifestTests {
    @Test(arguments: Fixture.rows("ingest", "substitution"))
    func substitution(row: JSONValue) {
        let text = Array((row.at("input", "text").string ?? "").utf8)
        let uuid = row.at("input", "environment", "UUID").string ?? ""
        let rendered = String(decoding: JobTemplate.render(text, uuid: uuid), as: UTF8.self)
        #expect(rendered == row["recommended"]?.string ?? row.at("expected").string)
    }

    @Test(arguments: [
        ("${UUID}", "U"), ("$UUID", "U"), ("$UUID_x", "$UUID_x"), ("$UUID9", "$UUID9"), ("$UUID.$UUID", "U.U"),
        ("${UUID}${UUID}", "UU"), ("$UUIDé", "Ué"), ("é$UUID", "éU"), ("", ""), ("$", "$"),
    ])
    func otherSubstitution(text: String, rendered: String) {
        #expect(String(decoding: JobTemplate.render(Array(text.utf8), uuid: "U"), as: UTF8.self) == rendered)
    }

    /// Recorded for a script that took the files of one folder only; the same files are chosen. An empty name never
    /// gets this far.
    @Test(arguments: Fixture.rows("ingest", "dispatch").dropFirst())
    func dispatch(row: JSONValue) {
        let uuid = row.at("input", "uuid").string ?? ""
        let tree = row.at("input", "tree").object ?? []
        let paths = tree.flatMap { folder in
            folder.value.texts.map { "\(folder.name.split(separator: "/").last ?? "")/\($0)" }
        }.sorted()
        let chosen = paths.filter { JobSelection.obstacle(file: $0, uuid: uuid) == nil }.map { "jobs/\($0)" }
        // The pattern of a folder that is not there was taken as a file name; here there is simply no file.
        let expected = row.at("expected", "submitted_files_in_order").texts.filter { !$0.contains("*") }
        if !paths.isEmpty { #expect(chosen == expected) }
    }

    @Test(arguments: Fixture.rows("ingest", "uuid"))
    func modality(row: JSONValue) {
        let found = Modality(uuid: row.at("input", "uuid").string ?? "")?.rawValue
        let expected = row.at("expected").string ?? ""
        #expect(found == (expected.hasPrefix("error") ? nil : expected))
    }

    @Test(arguments: [
        ("all.yaml", "anything", true), ("cytometry/x.yaml", "anything", true), ("ephys/x.yaml", "short", false),
        ("ephys/x.yaml", "2020-04-28-E-up", false), ("imaging/deep/x.yaml", "2020-04-28-i-a", true),
        ("fluidics/x.yaml", "2020-04-28-f-a", true), ("fluidics/x.yaml", "2020-04-28-e-a", false),
        ("ephys.yaml", "anything", true),
    ])
    func folders(file: String, uuid: String, applies: Bool) {
        let obstacle = JobSelection.obstacle(file: file, uuid: uuid)
        #expect((obstacle == nil) == applies, "\(obstacle ?? "")")
    }

    @Test(arguments: [
        ("*.i16le", "a/b.i16le", true), ("*.i16le", "a/b.txt", false), ("raw/*.h5", "raw/x.h5", true),
        ("raw/*.h5", "raw/deep/x.h5", false), ("x?.csv", "x1.csv", true), ("x?.csv", "x12.csv", false),
        ("metadata.json, *.fcs", "d/one.fcs", true), (" ", "anything", true), ("*", "a/b", true),
        ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false), ("[ab]", "a", false), ("**", "x", true),
    ])
    func globs(annotation: String, path: String, applies: Bool) {
        let files = [LabFile(path: path, bytes: 1, sha256: "")]
        let obstacle = JobSelection.obstacle(globs: JobSelection.globs(annotation), files: files)
        #expect((obstacle == nil) == applies)
    }

    @Test(arguments: Fixture.rows("ingest", "names"))
    func names(row: JSONValue) {
        let name = row.at("input", "name").string ?? ""
        #expect(JobName.isLegal(name) == (row.at("expected", "valid").bool ?? false))
        #expect(JobName.safe(name) == row["recommended"]?.string ?? name)
        #expect(JobName.isLegal(JobName.safe(name)))
    }

    @Test func longNamesStayApart() {
        let long = String(repeating: "a", count: 80)
        let (one, other) = (JobName.safe(long + "1"), JobName.safe(long + "2"))
        #expect(one != other)
        #expect(one.utf8.count == 63 && JobName.isLegal(one))
        #expect(JobName.safe("___") == "job" && JobName.safe("é") == "job")
    }

    // MARK: Recorded job files

    @Test(arguments: Fixture.rows("ingest", "job_files"))
    func recordedFile(row: JSONValue) throws {
        let object = row.at("expected", "object")
        guard object.object != nil else { return }
        let document = ParsedDocument(value: object, lines: [:])
        guard !JSONWriter.string(object).contains("volumeMounts") else {
            let invalid = #expect(throws: JobManifest.Invalid.self) {
                try JobManifest.decode(document, fallbackName: "x")
            }
            #expect(invalid?.problems.map(\.place) == ["/spec/template/spec/containers/0/volumeMounts"])
            return
        }
        let manifest = try JobManifest.decode(document, fallbackName: "x")
        let summary = row.at("expected", "summary")
        #expect(manifest.name == summary.at("name").string)
        #expect(manifest.spec.initContainers.map(\.name) == summary.at("init").texts)
        #expect(manifest.spec.containers.map(\.name) == summary.at("containers").texts)
        #expect(manifest.spec.backoffLimit == summary.at("backoffLimit").int)
    }

    // MARK: What is wrong with a file

    private static func file(_ edit: (JSONValue) -> JSONValue) -> JSONValue {
        edit([
            "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "n"],
            "spec": ["template": ["spec": ["containers": [["name": "c", "image": "i"]]]]],
        ])
    }

    private static func container(_ more: (String, JSONValue)...) -> JSONValue {
        let container = more.reduce(JSONValue.object([.init("name", "c"), .init("image", "i")])) {
            $0.setting($1.0, $1.1)
        }
        return file { $0.setting("spec", ["template": ["spec": ["containers": [container]]]]) }
    }

    private static let pod = "/spec/template/spec"
    private static let wrong: [(JSONValue, String)] = [
        ([], ""), (file { $0.setting("apiVersion", "v1") }, "/apiVersion"),
        (file { $0.setting("kind", "Pod") }, "/kind"),
        (file { $0.removing("spec") }, "/spec"), (file { $0.setting("spec", [:]) }, "/spec/template"),
        (file { $0.setting("metadata", ["name": 7]) }, "/metadata/name"),
        (
            file { $0.setting("metadata", ["annotations": ["reactord/applies-to": []]]) },
            "/metadata/annotations/reactord~1applies-to"
        ),
        (
            file { $0.setting("metadata", ["annotations": ["reactord/exector": "slurm", "other/exector": "x"]]) },
            "/metadata/annotations/reactord~1exector"
        ),
        (file { $0.setting("spec", ["template": ["spec": ["containers": []]]]) }, "\(pod)/containers"),
        (file { $0.setting("spec", ["template": ["spec": ["containers": 1]]]) }, "\(pod)/containers"),
        (container(("comand", ["x"])), "\(pod)/containers/0/comand"),
        (container(("volumeMounts", [])), "\(pod)/containers/0/volumeMounts"),
        (container(("workingDir", "/x")), "\(pod)/containers/0/workingDir"),
        (container(("image", .null)), "\(pod)/containers/0/image"),
        (container(("name", "Not Legal")), "\(pod)/containers/0/name"),
        (container(("args", ["a", 1])), "\(pod)/containers/0/args/1"),
        (container(("command", "sh")), "\(pod)/containers/0/command"),
        (container(("env", [["name": "A", "value": 1]])), "\(pod)/containers/0/env/0/value"),
        (container(("env", [["name": "A=B"]])), "\(pod)/containers/0/env/0/name"),
        (
            container(("env", [["name": "A", "valueFrom": ["secretKeyRef": [:]]]])),
            "\(pod)/containers/0/env/0/valueFrom"
        ),
    ]

    @Test(arguments: wrong.indices)
    func everyProblemHasAPlace(index: Int) {
        let (value, place) = Self.wrong[index]
        let invalid = #expect(throws: JobManifest.Invalid.self) {
            try JobManifest.decode(ParsedDocument(value: value, lines: [:]), fallbackName: "x")
        }
        #expect(invalid?.problems.map(\.place).contains(place) == true, "\(invalid?.problems ?? [])")
    }

    @Test func allProblemsAreGatheredWithTheirLines() {
        let document = ParsedDocument(
            value: Self.container(("workingDir", "/x"), ("args", [1])).setting("kind", "Pod"),
            lines: [
                "": 1, "/kind": 2, "/spec/template/spec/containers/0": 8,
                "/spec/template/spec/containers/0/workingDir": 11,
            ])
        let invalid = #expect(throws: JobManifest.Invalid.self) {
            try JobManifest.decode(document, fallbackName: "x")
        }
        #expect(invalid?.problems.map(\.line) == [2, 11, 8])
        #expect(invalid?.problems.allSatisfy { !$0.reason.isEmpty } == true)
    }

    @Test func namesOfContainersAreUnique() {
        let twice: JSONValue = [["name": "c", "image": "i"]]
        let value = Self.file {
            $0.setting("spec", ["template": ["spec": ["initContainers": twice, "containers": twice]]])
        }
        let invalid = #expect(throws: JobManifest.Invalid.self) {
            try JobManifest.decode(ParsedDocument(value: value, lines: [:]), fallbackName: "x")
        }
        #expect(invalid?.problems.map(\.place) == ["\(Self.pod)/containers/0/name"])
    }

    @Test func numbersOfTheSpec() throws {
        let value = Self.file {
            $0.setting(
                "spec",
                $0.at("spec").setting("backoffLimit", 2).setting("activeDeadlineSeconds", 90)
                    .setting("parallelism", 1).setting("ttlSecondsAfterFinished", 1))
        }
        let manifest = try JobManifest.decode(ParsedDocument(value: value, lines: [:]), fallbackName: "x")
        #expect(manifest.spec.backoffLimit == 2 && manifest.spec.activeDeadlineSeconds == 90)
        #expect(try JobSpec(json: manifest.spec.json, at: "/spec") == manifest.spec)
    }

    // MARK: Workflows of Argo

    private static let workflow: JSONValue = [
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": ["generateName": "steps-"],
        "spec": [
            "entrypoint": "all", "activeDeadlineSeconds": 60, "ttlStrategy": ["secondsAfterCompletion": 5],
            "templates": [
                ["name": "all", "steps": [[["name": "a", "template": "sh"]]]],
                ["name": "sh", "container": ["image": "i", "command": ["true"]]],
            ],
        ],
    ]
    private static let rules = JobRules(policies: ["process": JobPolicy(), "argo": JobPolicy()])

    private func decode(_ value: JSONValue, _ rules: JobRules = rules, executor: String? = nil) throws -> JobManifest {
        try JobManifest.decode(
            ParsedDocument(value: value, lines: [:]), fallbackName: "x", rules: rules, executor: executor)
    }

    @Test func aWorkflowIsForArgoAndTravelsWhole() throws {
        let manifest = try decode(Self.workflow)
        #expect(manifest.name == "steps-" && manifest.spec.executor == "argo" && manifest.spec.isWorkflow)
        #expect(manifest.spec.manifest == Self.workflow && manifest.spec.containers.isEmpty)
        #expect(manifest.spec.activeDeadlineSeconds == 60 && manifest.spec.ttlSecondsAfterFinished == 5)
        #expect(try JobSpec(json: manifest.spec.json, at: "/spec") == manifest.spec)
        // Without a manifest of that kind a job needs containers as before.
        #expect(throws: ReactorFailure.self) { try JobSpec(json: ["containers": []], at: "/spec") }
    }

    private static func spec(_ name: String, _ value: JSONValue) -> JSONValue {
        workflow.setting("spec", (workflow["spec"] ?? [:]).setting(name, value))
    }

    private static let wrongWorkflows: [(JSONValue, String?, String)] = [
        (workflow.setting("apiVersion", "batch/v1"), nil, "/apiVersion"), (workflow, "process", "/kind"),
        (workflow.removing("spec"), nil, "/spec"), (spec("entrypoint", "al"), nil, "/spec/entrypoint"),
        (spec("entrypoint", .null), nil, "/spec/entrypoint"), (spec("templates", []), nil, "/spec/templates"),
        (spec("templates", [["name": "all"]]), nil, "/spec/templates/0"),
        (spec("templates", [["name": "all", "script": [:], "container": [:]]]), nil, "/spec/templates/0"),
        (
            spec("templates", [["name": "all", "suspend": [:]], ["name": "all", "suspend": [:]]]), nil,
            "/spec/templates/1/name"
        ),
        (
            spec("templates", [["name": "all", "steps": [[["name": "a", "template": "shh"]]]]]), nil,
            "/spec/templates/0/steps/0/0/template"
        ),
        (
            spec("templates", [["name": "all", "dag": ["tasks": [["name": "a", "template": "shh"]]]]]), nil,
            "/spec/templates/0/dag/tasks/0/template"
        ),
        (spec("podSpecPatch", "{}"), nil, "/spec/podSpecPatch"),
    ]

    @Test(arguments: wrongWorkflows.indices)
    func everyProblemOfAWorkflowHasAPlace(index: Int) {
        let (value, executor, place) = Self.wrongWorkflows[index]
        let invalid = #expect(throws: JobManifest.Invalid.self) { try decode(value, executor: executor) }
        #expect(invalid?.problems.map(\.place) == [place], "\(invalid?.problems ?? [])")
    }

    @Test func withoutArgoAWorkflowIsRefused() {
        let invalid = #expect(throws: JobManifest.Invalid.self) { try decode(Self.workflow, JobRules()) }
        #expect(invalid?.problems.map(\.place) == ["/kind"])
        #expect(invalid?.problems.first?.reason.contains("there is no executor argo here") == true)
    }
}
