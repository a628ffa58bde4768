package import ActorCore
import Glibc

/// What the administrator says of Slurm.
package struct SlurmEngineSettings: Sendable, Equatable {
    /// Folder of sbatch and the others; nil for PATH.
    package var binaries: String?
    package var partition: String?
    package var account: String?
    /// Put before a container's command; empty: images are local commands.
    package var imageCommand: [String]
    /// More options for every sbatch.
    package var options: [String]

    package init(
        binaries: String? = nil, partition: String? = nil, account: String? = nil, imageCommand: [String] = [],
        options: [String] = []
    ) {
        self.binaries = binaries
        self.partition = partition
        self.account = account
        self.imageCommand = imageCommand
        self.options = options
    }
}

/// Runs jobs on a Slurm cluster by its own programs. The run folder is shared with the nodes: logs, and what each step
/// notes of its end, lie there.
package final class SlurmEngine: JobEngine {
    /// The command that an image stands for on the nodes.
    package typealias Resolve =
        @Sendable (_ image: String, _ command: [String], _ arguments: [String]) throws(ActorError) -> [String]

    private static let maxNote = 4096

    package let name = "slurm"
    package let retriesItself = false
    package let leavesThings = false

    private let settings: SlurmEngineSettings
    private let resolve: Resolve
    private let command: ShortCommand
    private let files = FileQueue()

    package init(settings: SlurmEngineSettings, resolve: @escaping Resolve) {
        self.settings = settings
        self.resolve = resolve
        self.command = ShortCommand(folder: settings.binaries, prefixes: ["SLURM_"])
    }

    package func preview(_ order: JobOrder) throws(EngineFailure) -> String {
        let script = SlurmScript(order: order, settings: settings, resolve: resolve)
        let words = script.arguments().map(SlurmScript.quoted).joined(separator: " \\\n    ")
        return "sbatch \(words)\n\n\(try script.text())"
    }

    /// While the controller can be asked, what was submitted is either in the queue or has noted that it began.
    package func find(_ run: EngineRun) async throws(EngineFailure) -> String? {
        let rows = try await queue(["--name=\(run.name)"])
        if let row = rows.min(by: { (Int($0.id) ?? 0) < (Int($1.id) ?? 0) }) { return row.id }
        let owner = "\(SlurmScript.folder(of: run))/owner"
        let text = await files.perform { SmallFile.read(owner, limit: Self.maxNote) }
        let id = text.map { String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace } } ?? ""
        return id.isEmpty ? nil : id
    }

    package func submit(_ order: JobOrder) async throws(EngineFailure) -> String {
        let script = SlurmScript(order: order, settings: settings, resolve: resolve)
        let text = try script.text()
        let folder = SlurmScript.folder(of: order.run)
        let isWritten = await files.perform {
            mkdir(folder, 0o700)
            return SmallFile.write(Array(text.utf8), to: "\(folder)/script")
        }
        guard isWritten else { throw EngineFailure(.unreachable, "the script could not be written to \(folder)") }
        let output = try await run("sbatch", script.arguments())
        // `12` or `12;cluster`
        let id = output.prefix { $0.isNumber }
        guard !id.isEmpty else { throw EngineFailure(.refused, "sbatch answered no job id: \(output.prefix(200))") }
        return String(id)
    }

    // MARK: Looking

    package func look(_ runs: [EngineRun]) async throws(EngineFailure) -> [JobID: EngineObservation] {
        let queued = Dictionary(grouping: try await queue([]), by: \.id)
        let names = Dictionary(grouping: queued.values.joined(), by: \.name)
        var rows: [JobID: [SlurmRow]] = [:]
        var missing: [EngineRun] = []
        for run in runs {
            let found = run.id.map { queued[$0] } ?? names[run.name]
            if let found { rows[run.job] = found } else { missing.append(run) }
        }
        let past = try await accounting(missing.compactMap(\.id))
        for run in missing { rows[run.job] = run.id.flatMap { past[$0] } }
        var observations: [JobID: EngineObservation] = [:]
        for run in runs {
            let (steps, end) = await notes(of: run)
            // Accounting lags and may be away: what has noted its own end has ended.
            observations[run.job] = SlurmReports.observation(rows[run.job] ?? [], steps: steps, end: end)
        }
        return observations
    }

    package func pause(milliseconds: Int64) async throws { try await Task.sleep(for: .milliseconds(milliseconds)) }

    private func queue(_ selection: [String]) async throws(EngineFailure) -> [SlurmRow] {
        let output = try await run(
            "squeue",
            ["--noheader", "--states=all", "--user=\(geteuid())", "--format=\(SlurmRow.queueFormat)"] + selection)
        return output.split(separator: "\n").compactMap(SlurmRow.init(queue:))
    }

    /// Jobs that have left the queue, by their number. A cluster without accounting knows nothing of them.
    private func accounting(_ ids: [String]) async throws(EngineFailure) -> [String: [SlurmRow]] {
        guard !ids.isEmpty else { return [:] }
        let answer: ShortCommand.Answer
        do {
            answer = try await command.run(
                "sacct",
                [
                    "--noheader", "--parsable2", "--allocations", "--duplicates",
                    "--format=\(SlurmRow.accountingFields)", "--jobs=\(ids.joined(separator: ","))",
                ])
        } catch {
            return [:]
        }
        guard answer.status == 0 else { return [:] }
        let rows = answer.output.split(separator: "\n").compactMap(SlurmRow.init(accounting:))
        // Of a job that was requeued there is a line for each time; the last one counts.
        return Dictionary(grouping: rows, by: \.id).mapValues { rows in
            Array(Dictionary(rows.map { ($0.task, $0) }) { _, later in later }.values)
        }
    }

    private func notes(of run: EngineRun) async -> (steps: [SlurmStepNote], end: Int?) {
        let folder = SlurmScript.folder(of: run)
        return await files.perform {
            var steps: [(index: Int, note: SlurmStepNote)] = []
            for name in SmallFile.names(in: folder) where name.hasSuffix(".step") {
                let text = SmallFile.read("\(folder)/\(name)", limit: Self.maxNote) ?? []
                // `2.main-sort.step`: its place in the job.
                let index = name.split(separator: ".").first.flatMap { Int($0) } ?? 0
                if let note = SlurmStepNote(String(decoding: text, as: UTF8.self)) { steps.append((index, note)) }
            }
            let end = SmallFile.read("\(folder)/end", limit: Self.maxNote)
                .flatMap { String(decoding: $0, as: UTF8.self).split(separator: " ").first.flatMap { Int($0) } }
            return (steps.sorted { $0.index < $1.index }.map(\.note), end)
        }
    }

    // MARK: The end

    /// Slurm sends SIGTERM, and SIGKILL after its own KillWait.
    package func cancel(_ run: EngineRun, graceSeconds: Int) async throws(EngineFailure) {
        let selection = run.id.map { [$0] } ?? ["--name=\(run.name)", "--user=\(geteuid())"]
        do {
            _ = try await self.run("scancel", selection)
        } catch  where error.message.contains("Invalid job id") {
            // It has ended, or never was.
        }
    }

    /// They were written where they stay.
    package func keepLogs(_ run: EngineRun, maxBytes: Int) async throws(EngineFailure) {}

    package func forget(_ run: EngineRun) async throws(EngineFailure) {}

    private func run(_ program: String, _ arguments: [String]) async throws(EngineFailure) -> String {
        let answer: ShortCommand.Answer
        do {
            answer = try await command.run(program, arguments)
        } catch {
            throw Self.failure(error)
        }
        guard answer.status == 0 else { throw SlurmReports.failure(program, answer.errors) }
        return answer.output
    }

    private static func failure(_ error: ShortCommand.Failure) -> EngineFailure {
        switch error {
        case .missing(let program):
            EngineFailure(
                .unreachable,
                "the program \(program) is not there: install Slurm's client, or set executors.slurm.binaries")
        case .tooLong(let program): EngineFailure(.unreachable, "\(program) gave no answer for a minute")
        case .broken(let why): EngineFailure(.unreachable, why)
        }
    }
}
