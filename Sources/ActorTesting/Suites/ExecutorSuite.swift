package import ActorCore

/// What every executor must do, checked against any of them; each check answers with what it found wrong.
package struct ExecutorSuite: Sendable {
    /// The commands that the suite runs: a model is scripted with them, real executors just run them.
    package enum Command {
        package static let succeeds = ["/bin/true"]
        package static let fails = ["/bin/sh", "-c", "exit 3"]
        package static let dies = ["/bin/sh", "-c", "kill -9 $$"]
        /// In a container, where the first process cannot be killed from inside.
        package static let diesWithin = ["/bin/sh", "-c", "/bin/sh -c 'kill -9 $$'; exit $?"]
        package static let prints = ["/bin/echo", "0123456789"]
        package static let lasts = ["/bin/sleep", "600"]
        package static let missing = ["/no/such/program"]
    }

    /// An image whose own command is `Command.prints`; `images` of the executor under test have to know it.
    package static let image = "suite/prints"

    private let executor: any Executor
    private let folder: String
    /// Where commands run: an image that has those of ``Command``; nil for this machine.
    private let base: String?
    private let printing: String

    /// - Parameters:
    ///   - folder: absolute, existing, empty.
    ///   - base: an image with a shell, for executors that run images only.
    ///   - printing: an image whose own command is `Command.prints`.
    package init(_ executor: any Executor, folder: String, base: String? = nil, printing: String = Self.image) {
        self.executor = executor
        self.folder = folder
        self.base = base
        self.printing = printing
    }

    /// All checks; empty when the executor keeps the port's promises.
    package func problems() async -> [String] {
        var found: [String] = []
        found += await end(of: Command.succeeds, is: .exited(0))
        found += await end(of: Command.fails, is: .exited(3))
        found += await end(of: base == nil ? Command.dies : Command.diesWithin, is: .signalled(9))
        found += await refusals()
        found += await logs()
        found += await cancellation()
        found += await images()
        found += await adoption()
        await executor.reclaim("suite-unknown")
        let left = await executor.kept().filter { $0.hasPrefix("suite-") }
        if !left.isEmpty { found.append("still kept: \(left)") }
        return found
    }

    private func work(_ command: [String], _ id: String, maxLogBytes: Int = 1000) -> Work {
        var work = Work(
            id: "suite-\(id)", command: command, environment: [], workingDirectory: folder,
            logFile: "\(folder)/\(id).log", maxLogBytes: maxLogBytes, timeoutMilliseconds: 60000)
        work.image = base
        work.folders = [WorkMount(host: folder, inside: folder, isReadOnly: false)]
        return work
    }

    /// Runs it and forgets it, as who has the result on record does.
    private func run(_ work: Work) async -> WorkResult {
        let result = await executor.run(work)
        await executor.forget(work.id)
        return result
    }

    private func end(of command: [String], is expected: WorkResult.End) async -> [String] {
        let result = await run(work(command, "end"))
        return result.end == expected ? [] : ["\(command) ended \(result), not \(expected)"]
    }

    private func refusals() async -> [String] {
        var found: [String] = []
        for command in base == nil ? [Command.missing, []] : [Command.missing] {
            let result = await run(work(command, "refused"))
            if case .couldNotStart(let why) = result.end, !why.isEmpty, result.logBytes == 0 { continue }
            found.append("\(command) ended \(result.end), not couldNotStart")
        }
        return found
    }

    private func logs() async -> [String] {
        var found: [String] = []
        let whole = await run(work(Command.prints, "whole"))
        if whole.logBytes != 11 || whole.logTruncated { found.append("a short log was not kept whole: \(whole)") }
        let cut = await run(work(Command.prints, "cut", maxLogBytes: 4))
        if cut.logBytes != 4 || !cut.logTruncated { found.append("a long log was not cut at its bound: \(cut)") }
        return found
    }

    private func cancellation() async -> [String] {
        let running = work(Command.lasts, "running")
        let ends = await withTaskGroup(of: WorkResult.End.self) { group in
            group.addTask { await run(running).end }
            group.addTask { await run(work(Command.lasts, "early")).end }
            group.cancelAll()
            var ends: [WorkResult.End] = []
            for await end in group { ends.append(end) }
            return ends
        }
        return ends.allSatisfy { $0 == .cancelled } ? [] : ["cancelled commands ended \(ends)"]
    }

    private func images() async -> [String] {
        var found: [String] = []
        var own = work([], "own")
        own.image = printing
        let result = await run(own)
        if !result.succeeded || result.logBytes != 11 { found.append("\(printing) ended \(result)") }
        var unknown = own
        unknown.image = "no/such"
        do throws(ActorError) {
            try executor.admit(own)
            try executor.admit(unknown)
            if base == nil { found.append("an unknown image was admitted") }
        } catch {
            if error.code != .invalidInput || !error.message.contains("no/such") {
                found.append("an unknown image was refused with \(error)")
            }
        }
        return found
    }

    /// What has ended and was not forgotten is told again, and not done again.
    private func adoption() async -> [String] {
        var found: [String] = []
        let once = work(Command.prints, "once")
        let first = await executor.run(once)
        let again = await executor.run(once)
        if first != again { found.append("the second time it ended \(again), not \(first)") }
        if await !executor.kept().contains(once.id) { found.append("what was not forgotten is not kept") }
        await executor.forget(once.id)
        if await executor.kept().contains(once.id) { found.append("what was forgotten is kept") }
        return found
    }
}
