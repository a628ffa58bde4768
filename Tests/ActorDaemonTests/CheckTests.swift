import ActorCore
import ActorDaemon
import Foundation
import Testing

@Suite("check")
struct CheckTests {
    /// Wants an object with the members named in its `required`.
    private struct RequiredOnly: SchemaCompiler {
        struct Compiled: MessageSchema {
            let required: [String]
            let isQuick = true

            func violations(of json: [UInt8]) -> [ActorError.Detail] {
                let value = (try? JSONReader.read(json)) ?? .null
                return required.filter { value[$0] == nil }.map { .init(place: "/\($0)", problem: "is missing") }
            }
        }

        func compile(_ source: SchemaSource) throws(ActorError) -> any MessageSchema {
            let value = (try? JSONReader.read(source.text)) ?? .null
            return Compiled(required: (value["required"]?.array ?? []).compactMap(\.string))
        }
    }

    private func check(_ folder: TemporaryFolder) -> CheckReport {
        Check(
            Check.Options(
                configFile: folder.path + "/config.yml", environment: ["PATH": "/usr/bin:/bin"], builtins: ["ingest"],
                compiler: RequiredOnly())
        ).run()
    }

    @Test("job files of a repository are held against the executors of the house")
    func jobFilesElsewhere() throws {
        let folder = try TemporaryFolder()
        let job = """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: x, annotations: {reactord/executor: slurm}}
            spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i, command: [id]}]}}}
            """
        try folder.write("repository/ephys/a.yaml", job)
        func jobFiles() -> CheckReport {
            Check(
                Check.Options(
                    configFile: folder.path + "/config.yml", environment: [:], builtins: [], compiler: RequiredOnly())
            ).jobFiles(below: folder.path + "/repository")
        }
        try folder.write("config.yml", "log: {level: info}\n")
        let report = jobFiles()
        #expect(report.jobFiles == 1 && report.errors.first?.reason.contains("no executor slurm") == true)
        try folder.write("config.yml", "executors: {slurm: {}}\n")
        #expect(jobFiles().errors.isEmpty, "\(jobFiles().errors)")
        try folder.write("config.yml", "executors: [\n")
        #expect(!jobFiles().isGood)
    }

    /// What a Reactor would misread, or take no notice of, is named with its line.
    @Test(arguments: [
        (
            "retention", "keep_tags: [a]\nrules:\n  - {name: x, tags: scratch, delete_after_days: 3}\n",
            "3: rules.0.tags must be a list of words"
        ),
        ("retention", "rule: []\n", "1: rule is none of approval_days, ingest, keep_tags, rules"),
        ("ingest", "settle_second: 5\n", "1: settle_second is none of allow_hosts, allow_paths, folders, "),
        ("ingest", "settle_seconds: 1.0e+17\n", "1: settle_seconds must be a number of seconds, 0 or more, at most"),
        ("ingest", "scan_seconds: 1\nrescan_seconds: 86401\n", "2: rescan_seconds must be a number of seconds above 0"),
        ("ingest", "scan_seconds: 1\nallow_paths: /srv\n", "2: allow_paths must be a list"),
        ("ingest", "allow_paths: [srv]\n", "1: allow_paths.0 must be an absolute path below /"),
        ("pipeline-jobs", "token_hour: 1\n", "1: token_hour is none of admin_token_key, "),
        ("pipeline-jobs", "token_hours: 72h\n", "1: token_hours must be a number of hours above 0, at most ten years"),
        ("pipeline-jobs", "token_events: [run, finsh]\n", "1: token_events must be a list of "),
        ("pipeline-jobs", "token_pepper: 12345\n", "1: token_pepper must be text: put it in quotes"),
        ("pipeline-jobs", "unknown_pipelines: Register\n", "1: unknown_pipelines must be refuse or register"),
        ("pipeline-jobs", "callbacks: agav\n", "1: callbacks is none of agave, "),
        (
            "pipeline-jobs", "callback_maps:\n  mine: {statuses: {DONE: finsh}}\n",
            "2: callback_maps.mine.statuses.DONE must be null or one of "
        ),
        ("pipelines", "token_hours: 1\n", "1: token_hours is none of admin_token_key, "),
        ("jobs-indexer", "process_uuid: 7\n", "1: process_uuid must be a UUID"),
        ("bucket-events", "bucket: raw\n", "1: bucket is not known: it takes none"),
    ])
    func settings(builtin: String, text: String, expected: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "log: {level: info}\n")
        try folder.write("actors/a/actor.yml", "run: {builtin: \(builtin)}\n")
        try folder.write("actors/a/config.yml", text)
        let report = Check(.shipped(configFile: folder.path + "/config.yml", environment: [:])).run()
        let found = report.errors.filter { $0.file.hasSuffix("a/config.yml") }
        #expect(found.count == 1)
        let problem = try #require(found.first)
        #expect("\(problem.line ?? 0): \(problem.reason)".hasPrefix(expected), "\(problem)")
    }

    @Test("a good house")
    func good() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "log: {level: info}\n")
        try folder.write("actors/a/actor.yml", "run: {command: [sh, x.sh]}\n")
        try folder.write("actors/a/x.sh", "exit 0\n")
        try folder.write("actors/a/message.jsonschema", "{\"required\": [\"k\"]}")
        try folder.write("actors/a/samples/one.json", "{\"k\": 1}")
        let report = check(folder)
        #expect(report.isGood)
        #expect(report.text(relativeTo: folder.path) == "1 actor, 1 sample, 0 job files checked: all good\n")
        #expect(report.json(relativeTo: folder.path)["ok"] == true)
    }

    @Test("a control group that is none")
    func controlGroup() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "executors:\n  process:\n    cgroup: /nosuch\n")
        try folder.write("actors/a/actor.yml", "run: {builtin: ingest}\n")
        let text = check(folder).text(relativeTo: folder.path)
        #expect(text.contains("config.yml:3: executors.process.cgroup: /nosuch is no control group"), "\(text)")
    }

    @Test(
        "the actor that keeps the jobs has to be there",
        arguments: [
            ("jobs-keeper", nil), (Hashids.abaco.encode(7), nil),
            ("jobs-keper", "2: pipelines.job_manager_id: no actor.yml has the name jobs-keper, so jobs have no "),
            ("elsewhere", "2: warning: pipelines.job_manager_id: no actor.yml has the name elsewhere: jobs have no "),
            (
                Hashids.abaco.encode(8),
                "2: warning: pipelines.job_manager_id: no actor.yml has the id \(Hashids.abaco.encode(8)): jobs have "
            ),
        ] as [(String, String?)])
    func jobManager(word: String, expected: String?) throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "pipelines:\n  job_manager_id: \(word)\n")
        try folder.write(
            "actors/a/actor.yml",
            "name: jobs-keeper\nid: \(Hashids.abaco.encode(7))\nrun: {builtin: pipeline-jobs}\n")
        let report = Check(.shipped(configFile: folder.path + "/config.yml", environment: [:])).run()
        let text = report.text(relativeTo: folder.path)
        #expect(text.contains("job_manager_id") == (expected != nil), "\(text)")
        if let expected { #expect(text.contains("config.yml:\(expected)"), "\(text)") }
    }

    @Test("a link that leads nowhere")
    func link() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "log: {level: info}\n")
        try folder.write("actors/a/actor.yml", "run: {builtin: ingest}\n")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/actors/sym", withDestinationPath: "/mnt/nowhere/sym")
        let text = check(folder).text(relativeTo: folder.path)
        #expect(text.contains("actors/sym: it is a link to /mnt/nowhere/sym, which is not there"), "\(text)")
    }

    @Test("an engine that is not there")
    func engine() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "executors:\n  container: {socket: unix:///no/such.sock}\n")
        try folder.write("actors/a/actor.yml", "run: {image: org/any}\n")
        let text = check(folder).text(relativeTo: folder.path)
        #expect(text.contains("executors.container.socket: /no/such.sock is not there; start the engine"), "\(text)")
        #expect(!text.contains("org/any"))
    }

    @Test(
        "a script that its interpreter will not find",
        arguments: [
            ("sh, x.sh", "the script x.sh is not there: put it at "),
            ("sh, -e, -x, lib/x.sh", "the script lib/x.sh is not there: put it at "),
            ("./plain.sh", "the program ./plain.sh is not executable: chmod +x "),
            ("sh, plain.sh", nil), ("sh, -c, x.sh", nil), ("sh, -lc, x.sh", nil), ("sh, /srv/x.sh", nil),
            ("sh, '-'", nil), ("sh, word", nil), ("sh, $HOME/x.sh", nil), ("sh", nil), ("cat, x.txt", nil),
        ] as [(String, String?)])
    func scripts(words: String, expected: String?) throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "log: {level: info}\n")
        try folder.write("actors/a/actor.yml", "name: a\nrun: {command: [\(words)]}\n")
        try folder.write("actors/a/plain.sh", "#!/bin/sh\n")
        let problems = check(folder).errors.filter { $0.reason.hasPrefix("run.command: ") }
        guard let expected else {
            #expect(problems.isEmpty, "\(problems)")
            return
        }
        let problem = try #require(problems.first)
        #expect(problem.line == 2 && problem.reason.hasPrefix("run.command: \(expected)"), "\(problem)")
    }

    @Test("images of job files that stand for nothing here")
    func images() throws {
        let folder = try TemporaryFolder()
        let images = "{known: {command: [cat]}, open: {command: [cat], any_command: true}}"
        func job(_ container: String) -> String {
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: x}
            spec:
              template:
                spec:
                  restartPolicy: Never
                  containers:
                    - {name: c, \(container)}

            """
        }
        try folder.write("actors/d/actor.yml", "run: {builtin: ingest}\n")
        try folder.write("actors/d/jobs/far.yaml", job("image: far, command: [id]"))
        try folder.write("actors/d/jobs/known.yaml", job("image: known, args: [x]"))
        try folder.write("actors/d/jobs/open.yaml", job("image: open, command: [id]"))
        try folder.write("actors/d/jobs/own.yaml", job("image: known, command: [id]"))
        try folder.write("config.yml", "executors:\n  process:\n    images: \(images)\n")
        let found = check(folder).errors.filter { $0.file.hasSuffix(".yaml") }
        #expect(found.map { ($0.file as NSString).lastPathComponent } == ["far.yaml", "own.yaml"], "\(found)")
        #expect(found.allSatisfy { $0.line == 9 })
        #expect(found.first?.reason.contains("image far is not known to the process executor") == true)
        try folder.write("config.yml", "executors:\n  container: {socket: unix:///no/such.sock}\n")
        #expect(!check(folder).errors.contains { $0.file.hasSuffix(".yaml") })
    }

    @Test("everything wrong, each with its place")
    func bad() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "config.yml",
            "executors:\n  process:\n    images: {x: {command: [no-such-program]}}\n    python_path: nowhere\n")
        try folder.write("actors/a/actor.yml", "run: {command: [./missing.sh]}\nlink: nobody\nsecrets: [NONE]\n")
        try folder.write("actors/a/message.jsonschema", "{\"required\": [\"k\"]}")
        try folder.write("actors/a/samples/one.json", "{}")
        try folder.write("actors/a/samples/two.json", "{\n]")
        try folder.write("actors/b/actor.yml", "run: {builtin: nothing}\n")
        try folder.write("actors/c/actor.yml", "run: {image: org/unknown}\n")
        try folder.write("actors/d/actor.yml", "run: {builtin: ingest}\n")
        try folder.write("actors/d/jobs/ephys/broken.yaml", "a: [\n")
        let report = check(folder)
        #expect(!report.isGood)
        let text = report.text(relativeTo: folder.path)
        for line in [
            "config.yml: executors.process.images.x: the program no-such-program is not there",
            "config.yml: executors.process.python_path: ", "nowhere has no reactors/__init__.py in it",
            "actors/a/actor.yml:1: run.command: the program ./missing.sh is not there",
            "actors/a/actor.yml:3: warning: it may see the secret NONE", "warning: link names no actor",
            "actors/a/samples/one.json: /k: is missing", "actors/a/samples/two.json:2: not valid JSON",
            "actors/b/actor.yml:1: run.builtin names no built-in reactor", "actors/c/actor.yml: run.image",
            "actors/d/jobs/ephys/broken.yaml:2: not valid YAML", "4 actors, 2 samples, 1 job file checked: 8 errors",
        ] { #expect(text.contains(line), "\(line)\n---\n\(text)") }
    }

    @Test("a broken config.yml is all that can be told")
    func brokenConfiguration() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "servr: {}\nlog: {level: loud}\n")
        let report = check(folder)
        #expect(report.errors.map(\.line) == [1, 2])
    }

    @Test("what ships passes")
    func shipped() {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let report = Check(.shipped(configFile: root + "/config.yml", environment: ["PATH": "/usr/bin:/bin"])).run()
        #expect(report.isGood, "\(report.text(relativeTo: root))")
        #expect(report.actors >= 4)
    }
}
