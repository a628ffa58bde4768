package import ActorCore

/// A job file that somebody runs by hand.
package struct JobStart: Sendable, Equatable {
    private static let maxVariables = 100

    /// What the file is called, for messages; never a path that is opened.
    package let file: String
    package let text: [UInt8]
    package let variables: [String: String]
    package let executor: String?

    package static func decode(_ json: JSONValue) throws(ReactorFailure) -> JobStart {
        guard let text = json["text"]?.string, !text.isEmpty else {
            throw ReactorFailure(.refused, "/text: must be the text of a job file")
        }
        var variables: [String: String] = [:]
        for member in json["variables"]?.object ?? [] {
            guard JobTemplate.isName(member.name), let value = member.value.string, !value.utf8.contains(0) else {
                throw ReactorFailure(
                    .refused, "/variables/\(member.name): a variable has a name (letters, digits, _) and a text")
            }
            variables[member.name] = value
        }
        guard variables.count <= maxVariables else {
            throw ReactorFailure(.refused, "/variables: at most \(maxVariables) are taken")
        }
        return JobStart(
            file: json["file"]?.string ?? "job.yaml", text: Array(text.utf8), variables: variables,
            executor: json["executor"]?.string)
    }

    /// Its text with the variables filled in.
    package var rendered: [UInt8] { JobTemplate.render(text, variables: variables) }

    /// What is wrong with the file is told as `file:line: field: reason`, all of it at once.
    package func manifest(
        _ documents: any DocumentReader, _ rules: JobRules
    ) throws(ActorError) -> JobManifest {
        let parsed = try documents.read(yaml: rendered, file: file)
        do {
            return try JobManifest.decode(parsed, fallbackName: fallbackName, rules: rules, executor: executor)
        } catch {
            throw ActorError(
                .invalidInput, "\(file) cannot be run",
                details: error.problems.map { problem in
                    let line = problem.line.map { ":\($0)" } ?? ""
                    let field = problem.place.isEmpty ? "" : "\(problem.place): "
                    return ActorError.Detail(place: "\(file)\(line)", problem: "\(field)\(problem.reason)")
                })
        }
    }

    private var fallbackName: String {
        let base = file.split(separator: "/").last.map(String.init) ?? file
        return base.split(separator: ".").first.map(String.init) ?? "job"
    }

    /// Makes the job and has it run.
    func play(_ tools: ReactorTools, _ context: any ReactorContext) async throws {
        let manifest: JobManifest
        do {
            manifest = try self.manifest(tools.documents, tools.engines.rules)
        } catch {
            context.reply([
                "status": "INVALID", "message": .string(error.message),
                "problems": .array(
                    error.details.map { ["place": .string($0.place), "problem": .string($0.problem)] }),
            ])
            throw ReactorFailure(.refused, error.description)
        }
        let shown = variables.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value)) }
        let launch = JobLaunch(
            spec: manifest.spec, name: JobName.safe(manifest.name), file: file, sha256: Fingerprint.sha256(text),
            pipelineName: "run:\(file)",
            upload: .init(name: variables["UUID"] ?? JobName.safe(manifest.name), folder: "", number: 1),
            data: [
                "file": .string(file), "name": .string(manifest.name), "variables": .object(shown),
                // Every run by hand is a job of its own.
                "execution": .string(context.execution.rawValue),
            ])
        let (record, message) = try await launch.start(context)
        context.reply([
            "status": .string(record.status.rawValue), "uuid": .string(record.uuid.rawValue),
            "name": .string(message.name), "executor": JSONValue(manifest.spec.executor),
            "archive_path": .string(record.path),
        ])
    }
}
