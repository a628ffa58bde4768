package import ActorCore
import Glibc

/// What every job engine must do, checked against any of them; each check answers with what it found wrong.
package struct JobEngineSuite: Sendable {
    private let engine: any JobEngine
    private let folders: RunFolders
    private let image: String
    private let salt: String
    /// Looks before a job counts as stuck.
    private let patience: Int

    /// - Parameters:
    ///   - folders: absolute, existing.
    ///   - image: one that runs any command.
    ///   - salt: makes the names of this run its own, where the engine remembers earlier ones.
    package init(
        _ engine: any JobEngine, folders: RunFolders, image: String, salt: String = "0", patience: Int = 400
    ) {
        self.engine = engine
        self.folders = folders
        self.image = image
        self.salt = salt
        self.patience = patience
    }

    /// All checks; empty when the engine keeps the port's promises.
    package func problems() async throws -> [String] {
        var found: [String] = []
        found += try await success()
        found += try await failures()
        found += try await onceOnly()
        found += try await cancellation()
        found += try await strangers()
        return found
    }

    private typealias Command = ExecutorSuite.Command

    private func order(_ title: String, _ initial: [[String]], _ main: [[String]]) -> JobOrder {
        let digits = "\(title)\(salt)".utf8.reduce(UInt64(7)) { ($0 &* 31 &+ UInt64($1)) & 0xffff_ffff_ffff }
        let hex = String(digits, radix: 16)
        let uuid = "107acb37-3a5c-57b3-a0ff-" + String(repeating: "0", count: 12 - hex.count) + hex
        let job = JobID(uuid)
        // Each job has a folder of its own, as each run has in the lab.
        let logs = "\(folders.logs)/\(title)"
        mkdir(logs, 0o755)
        let run = EngineRun(
            job: job, attempt: 1, name: EngineRun.name("suite-\(title)", job: job, attempt: 1), logs: logs)
        let phases = [(JobPhase.initial, initial), (.main, main)]
        let steps = phases.flatMap { phase, commands in
            commands.enumerated().map { index, command in
                let name = "\(title)-\(index + 1)"
                return JobOrder.Step(
                    phase: phase, name: name, slug: phase.slug(name, attempt: 1), image: image, command: command,
                    args: [], environment: [EnvironmentEntry("SUITE", "it's $(here) `x` \"q\"")])
            }
        }
        return JobOrder(run: run, steps: steps, environment: [], folders: folders, manifest: manifest(title, steps))
    }

    private func manifest(_ title: String, _ steps: [JobOrder.Step]) -> JSONValue {
        func containers(_ phase: JobPhase) -> JSONValue {
            .array(
                steps.filter { $0.phase == phase }.map {
                    [
                        "name": .string($0.name), "image": .string($0.image),
                        "command": .array($0.command.map { .string($0) }),
                    ]
                })
        }
        return [
            "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": .string(title)],
            "spec": [
                "backoffLimit": 0,
                "template": [
                    "spec": [
                        "restartPolicy": "Never", "initContainers": containers(.initial),
                        "containers": containers(.main),
                    ]
                ],
            ],
        ]
    }

    /// Submits and looks until it has ended.
    private func end(of order: JobOrder) async throws -> (EngineEnd?, EngineObservation?) {
        var run = order.run
        run.id = try await engine.submit(order)
        var last: EngineObservation?
        for _ in 0..<patience {
            guard let seen = try await engine.look([run])[run.job] else {
                try await engine.pause(milliseconds: 200)
                continue
            }
            last = seen
            if case .ended(let end) = seen.phase { return (end, seen) }
            try await engine.pause(milliseconds: 200)
        }
        return (nil, last)
    }

    private func success() async throws -> [String] {
        let order = order("good", [Command.succeeds, Command.prints], [Command.prints, Command.succeeds])
        let (end, seen) = try await end(of: order)
        guard let end else { return ["a job did not end: \(String(describing: seen))"] }
        var found = end.succeeded ? [] : ["a good job ended \(end)"]
        for title in ["init/good-1", "init/good-2", "main/good-1", "main/good-2"] {
            let step = seen?.steps.first { $0.title == title }
            if step?.state != .ended(EngineEnd(.succeeded, exitCode: 0)) {
                found.append("\(title) is \(String(describing: step?.state))")
            }
        }
        try await engine.keepLogs(order.run, maxBytes: 1000)
        let file = order.run.logFile(.main, "good-1")
        var buffer = [UInt8](repeating: 0, count: 100)
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        let count = descriptor < 0 ? 0 : max(0, read(descriptor, &buffer, buffer.count))
        if descriptor >= 0 { _ = close(descriptor) }
        if !String(decoding: buffer.prefix(count), as: UTF8.self).contains("0123456789") {
            found.append("the log of a step is not in \(file)")
        }
        return found
    }

    private func failures() async throws -> [String] {
        var found: [String] = []
        let cases: [(String, [[String]], [[String]], EngineEnd)] = [
            ("bad", [Command.succeeds], [Command.fails], .exited(3)),
            ("early", [Command.fails], [Command.succeeds], .exited(3)),
            ("killed", [], [Command.dies], .exited(137)),
        ]
        for (title, initial, main, expected) in cases {
            let (end, seen) = try await end(of: order(title, initial, main))
            if end?.exitCode != expected.exitCode || end?.kind != .failed {
                found.append("\(title) ended \(String(describing: end)): \(String(describing: seen))")
            }
            let ran = seen?.steps.contains { step in
                step.phase == .main && step.state != .waiting
            }
            if title == "early", ran == true { found.append("a main step ran after its init step had failed") }
        }
        return found
    }

    /// A second submission under the same name is the first.
    private func onceOnly() async throws -> [String] {
        let order = order("once", [], [Command.lasts])
        var found: [String] = []
        if let id = try await engine.find(order.run) { found.append("something was there before: \(id)") }
        let first = try await engine.submit(order)
        let known = try await engine.find(order.run)
        if known != first { found.append("\(first) was found as \(known ?? "nothing")") }
        try await engine.cancel(order.run, graceSeconds: 1)
        return found
    }

    private func cancellation() async throws -> [String] {
        let order = order("stopped", [], [Command.lasts])
        var run = order.run
        run.id = try await engine.submit(order)
        for _ in 0..<patience {
            if try await engine.look([run])[run.job]?.phase == .running { break }
            try await engine.pause(milliseconds: 200)
        }
        try await engine.cancel(run, graceSeconds: 1)
        // Again, and of one that is unknown: nothing to stop is no failure.
        try await engine.cancel(run, graceSeconds: 1)
        for _ in 0..<patience {
            guard let seen = try await engine.look([run])[run.job] else { return [] }
            if case .ended(let end) = seen.phase {
                return end.succeeded ? ["a cancelled job ended \(end)"] : []
            }
            try await engine.pause(milliseconds: 200)
        }
        return ["a cancelled job did not end"]
    }

    private func strangers() async throws -> [String] {
        let order = order("unknown", [], [Command.succeeds])
        let seen = try await engine.look([order.run])
        var found = seen.isEmpty ? [] : ["a job that was never submitted is \(seen)"]
        if let id = try await engine.find(order.run) { found.append("it was found as \(id)") }
        try await engine.cancel(order.run, graceSeconds: 1)
        try await engine.forget(order.run)
        return found
    }
}
