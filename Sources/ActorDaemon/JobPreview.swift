package import ActorCore
internal import ActorExecutors
internal import Foundation
internal import Reactors

/// What `reactord render` and `reactord run --dry-run` answer: a job file with its variables filled in, and what would
/// be submitted for it. Needs no daemon and starts nothing.
package struct JobPreview: Sendable {
    /// The file's text with its variables filled in.
    package let text: String
    package let name: String
    package let executor: String
    /// What the executor would be given, for people.
    package let submission: String

    /// - Throws: `invalidInput` with one detail for each problem of the file.
    package static func make(
        file: String, text: [UInt8], variables: [String: String], executor: String?, configFile: String?
    ) throws(ActorError) -> JobPreview {
        let settings = try SettingsLoader.load(
            file: configFile, environment: ProcessInfo.processInfo.environment)
        let members = variables.map { JSONValue.Member($0.key, .string($0.value)) }
        let start: JobStart
        let manifest: JobManifest
        do {
            start = try JobStart.decode([
                "file": .string(file), "text": .string(String(decoding: text, as: UTF8.self)),
                "variables": .object(members), "executor": JSONValue(executor),
            ])
        } catch {
            throw ActorError(.invalidInput, error.message)
        }
        manifest = try start.manifest(YAMLReader(), settings.executors.rules)
        let chosen = manifest.spec.executor ?? settings.executors.standard
        return JobPreview(
            text: String(decoding: start.rendered, as: UTF8.self), name: JobName.safe(manifest.name),
            executor: chosen, submission: try submission(manifest, variables, chosen, settings))
    }

    private static func submission(
        _ manifest: JobManifest, _ variables: [String: String], _ executor: String, _ settings: Settings
    ) throws(ActorError) -> String {
        let name = JobName.safe(manifest.name)
        let plan = JobPlan(
            message: JobRunMessage(
                job: JobID("JOB"), path: "ARCHIVE", callback: "", name: name,
                upload: .init(name: variables["UUID"] ?? name, folder: "", number: 1), spec: manifest.spec, file: ""),
            execution: ExecutionID("EXECUTION"), home: settings.home, maxLogBytes: settings.limits.maxLogBytes)
        let folders = RunFolders(
            work: "DATA/runs/EXECUTION/work", output: "DATA/runs/EXECUTION/output", logs: "DATA/runs/EXECUTION/logs")
        let run = EngineRun(
            job: JobID("JOB"), attempt: 1, name: EngineRun.name(name, job: JobID("JOB"), attempt: 1),
            logs: folders.logs)
        let order = plan.order(run, folders)
        let maker = EngineMaker(settings: settings, dataFolder: "DATA")
        do {
            if let text = try maker.preview(order, on: executor) { return text }
        } catch {
            throw ActorError(.invalidInput, "\(executor) cannot take it: \(error.message)")
        }
        var lines: [String] = []
        for step in order.steps where executor == "container" {
            lines.append("\(step.phase.rawValue)/\(step.name)\n    \(step.image)")
            lines.append("    \((step.command + step.args).joined(separator: " "))")
        }
        for step in order.steps where executor != "container" {
            let command = try maker.local.command(
                image: step.image, command: step.command, arguments: step.args)
            lines.append("\(step.phase.rawValue)/\(step.name)\n    \(command.joined(separator: " "))")
            for entry in step.environment { lines.append("    \(entry.name)=\(entry.value)") }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
