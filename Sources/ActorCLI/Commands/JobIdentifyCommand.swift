import ActorCore
import ActorDaemon
import ArgumentParser

/// `reactord job identify`: what a job would be, without a daemon and without making it.
struct JobIdentifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identify", abstract: "Say which UUID, path and callback a job would have; makes nothing.",
        discussion: """
            Needs no daemon. What it takes is what POST /api/v1/jobs?dry_run=true takes, as options or as a JSON \
            object with --input; options go over it. JSON may be given as @FILE. Without --generation a pipeline whose \
            UUID begins with 106 is of the second, any other of the first.

            Example: reactord job identify --pipeline-uuid f0f417f2-ba8b-5ac4-b421-255b69553391 \\
                       --lab UW_BIOFAB --experiment Yeast-Gates --session solid-snake --time 2018-09-13T16:28:43Z \\
                       --actor-id e5QKEW8L0BeZ4 --data '{"param1": "value1"}'
            Example: reactord job identify --input job.json --json
            """)

    @Option(help: ArgumentHelp("A JSON object with the fields of a job; - reads it from standard input."))
    var input: String?

    @Option(help: "1 or 2.")
    var generation: Int?

    @Option(
        name: [.customLong("pipeline-uuid"), .customLong("pipeline"), .customLong("pipeline_uuid")],
        help: ArgumentHelp("The pipeline.", valueName: "uuid"))
    var pipeline: String?

    @Option(help: ArgumentHelp("Its components instead of its UUID: a JSON list.", valueName: "json"))
    var components: String?

    @Option(
        name: [.customLong("pipeline-id"), .customLong("pipeline_id")],
        help: ArgumentHelp("The id that goes with components of the second generation.", valueName: "id"))
    var pipelineID: String?

    @Option(
        name: [.customLong("actor-id"), .customLong("actor"), .customLong("actor_id")],
        help: ArgumentHelp("The actor that asks for the job.", valueName: "id"))
    var actor: String?

    @Option(help: ArgumentHelp("Its parameters: a JSON object.", valueName: "json"))
    var data: String?

    @Option(name: [.customLong("lab"), .customLong("lab-name"), .customLong("lab_name")], help: "The lab's name.")
    var lab: String?

    @Option(
        name: [
            .customLong("experiment"), .customLong("experiment-reference"), .customLong("experiment_reference"),
        ], help: "The experiment's name.")
    var experiment: String?

    @Option(
        name: [.customLong("measurement"), .customLong("measurement-id"), .customLong("measurement_id")],
        help: "The measurement's name.")
    var measurement: String?

    @Option(
        name: [.customLong("sample"), .customLong("sample-id"), .customLong("sample_id")], help: "The sample's name.")
    var sample: String?

    @Option(
        name: [.customLong("child-of"), .customLong("child_of")],
        help: ArgumentHelp("UUIDs that the run is about, separated by commas; may be repeated.", valueName: "uuids"))
    var childOf: [String] = []

    @Option(help: "A name of at least four letters.")
    var session: String?

    @Option(help: ArgumentHelp("The moment that its directory is named by (default: now).", valueName: "iso8601"))
    var time: String?

    @Option(
        name: [.customLong("archive-path"), .customLong("archive_path")],
        help: ArgumentHelp("A path instead of the one that follows.", valueName: "path"))
    var archivePath: String?

    @Flag(help: "A path of the second generation ends in a directory of its own.")
    var instanced = false

    @Option(
        name: .customLong("api-server"),
        help: ArgumentHelp("What the callback starts with (default: as in config.yml).", valueName: "url"))
    var apiServer: String?

    @Option(
        name: [.customLong("job-manager-id"), .customLong("manager-id")],
        help: ArgumentHelp("Id of the manager in the callback.", valueName: "id"))
    var manager: String?

    @Option(help: "The nonce in the callback.")
    var nonce: String?

    @Option(help: "The token in the callback.")
    var token: String?

    @Option(help: ArgumentHelp("The configuration (default: config.yml, if it is there).", valueName: "file"))
    var config: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let callback = JobIdentify.Callback(
            apiServer: apiServer, manager: manager, nonce: nonce, token: token)
        let answer: JSONValue
        do {
            answer = try JobIdentify.run(try fields(), callback: callback, configFile: config)
        } catch let error as ActorError {
            throw Failure(error.code == .invalidInput ? .usage : .failed, error.description)
        }
        Console.standard.out(json ? JSONWriter.pretty(answer) + "\n" : Self.text(answer))
    }

    private func fields() throws -> JSONValue {
        var fields: JSONValue = [:]
        if let input { fields = try JSONArgument.value(input == "-" ? input : "@\(input)", of: "--input") }
        guard fields.object != nil else { throw Failure(.usage, "--input is a JSON object") }
        if let generation { fields = fields.setting("generation", JSONValue(generation)) }
        if let components {
            fields = fields.setting("components", try JSONArgument.value(components, of: "--components"))
        }
        if let data { fields = fields.setting("data", try JSONArgument.value(data, of: "--data")) }
        if !childOf.isEmpty {
            let uuids = childOf.flatMap { $0.split(separator: ",") }.map { JSONValue.string(String($0)) }
            fields = fields.setting("child_of", .array(uuids))
        }
        if instanced { fields = fields.setting("instanced", true) }
        let texts = [
            ("pipeline_uuid", pipeline), ("pipeline_id", pipelineID), ("actor_id", actor), ("lab", lab),
            ("experiment", experiment), ("measurement", measurement), ("sample", sample), ("session", session),
            ("time", time), ("archive_path", archivePath),
        ]
        for (name, value) in texts {
            if let value { fields = fields.setting(name, .string(value)) }
        }
        return fields
    }

    private static func text(_ answer: JSONValue) -> String {
        let names = ["generation", "pipeline_uuid", "uuid", "path", "instance", "session", "callback", "identity"]
        return names.map { name in
            let value = answer[name] ?? .null
            let gap = String(repeating: " ", count: 15 - name.count)
            return "\(name)\(gap)\(Safe.line(value.string ?? JSONWriter.string(value)))\n"
        }.joined()
    }
}
