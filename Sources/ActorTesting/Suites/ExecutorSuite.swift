package import ActorCore

/// What every executor must do, checked against any of them; each check answers with what it found wrong.
package struct ExecutorSuite: Sendable {
    /// The commands that the suite runs: a model is scripted with them, real executors just run them.
    package enum Command {
        package static let succeeds = ["/bin/true"]
        package static let fails = ["/bin/sh", "-c", "exit 3"]
        package static let dies = ["/bin/sh", "-c", "kill -9 $$"]
        package static let prints = ["/bin/echo", "0123456789"]
        package static let lasts = ["/bin/sleep", "600"]
        package static let missing = ["/no/such/program"]
    }

    /// The image that the executor under test must resolve to `Command.prints`.
    package static let image = "suite/prints"

    private let executor: any Executor
    private let folder: String

    /// - Parameter folder: absolute, existing, empty.
    package init(_ executor: any Executor, folder: String) {
        self.executor = executor
        self.folder = folder
    }

    /// All checks; empty when the executor keeps the port's promises.
    package func problems() async -> [String] {
        var found: [String] = []
        found += await end(of: Command.succeeds, is: .exited(0))
        found += await end(of: Command.fails, is: .exited(3))
        found += await end(of: Command.dies, is: .signalled(9))
        found += await refusals()
        found += await logs()
        found += await cancellation()
        found += resolution()
        await executor.reclaim("suite-unknown")
        return found
    }

    private func work(_ command: [String], _ id: String, maxLogBytes: Int = 1000) -> Work {
        Work(
            id: "suite-\(id)", command: command, environment: [], workingDirectory: folder,
            logFile: "\(folder)/\(id).log", maxLogBytes: maxLogBytes, timeoutMilliseconds: 60000)
    }

    private func end(of command: [String], is expected: WorkResult.End) async -> [String] {
        let result = await executor.run(work(command, "end"))
        return result.end == expected ? [] : ["\(command) ended \(result.end), not \(expected)"]
    }

    private func refusals() async -> [String] {
        var found: [String] = []
        for command in [Command.missing, []] {
            let result = await executor.run(work(command, "refused"))
            if case .couldNotStart(let why) = result.end, !why.isEmpty, result.logBytes == 0 { continue }
            found.append("\(command) ended \(result.end), not couldNotStart")
        }
        return found
    }

    private func logs() async -> [String] {
        var found: [String] = []
        let whole = await executor.run(work(Command.prints, "whole"))
        if whole.logBytes != 11 || whole.logTruncated { found.append("a short log was not kept whole: \(whole)") }
        let cut = await executor.run(work(Command.prints, "cut", maxLogBytes: 4))
        if cut.logBytes != 4 || !cut.logTruncated { found.append("a long log was not cut at its bound: \(cut)") }
        return found
    }

    private func cancellation() async -> [String] {
        let running = work(Command.lasts, "running")
        let ends = await withTaskGroup(of: WorkResult.End.self) { group in
            group.addTask { await executor.run(running).end }
            group.addTask { await executor.run(work(Command.lasts, "early")).end }
            group.cancelAll()
            var ends: [WorkResult.End] = []
            for await end in group { ends.append(end) }
            return ends
        }
        return ends.allSatisfy { $0 == .cancelled } ? [] : ["cancelled commands ended \(ends)"]
    }

    private func resolution() -> [String] {
        var found: [String] = []
        do throws(ActorError) {
            let command = try executor.resolve(image: Self.image, command: [], arguments: ["more"])
            if command != Command.prints + ["more"] { found.append("\(Self.image) resolved to \(command)") }
        } catch {
            found.append("\(Self.image) was not resolved: \(error)")
        }
        do throws(ActorError) {
            found.append(
                "an unknown image resolved to \(try executor.resolve(image: "no/such", command: [], arguments: []))")
        } catch {
            if error.code != .invalidInput || !error.message.contains("no/such") {
                found.append("an unknown image was refused with \(error)")
            }
        }
        return found
    }
}
