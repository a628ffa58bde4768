package import ActorCore
import Glibc
package import Logging
import Subprocess
import SystemPackage

/// Runs commands as processes of this machine: no shell, a bare environment, a session each, output to a file.
package final class ProcessExecutor: Executor {
    private let settings: ProcessExecutorSettings
    private let logger: Logger
    private let pidFolder: String
    private let slots: RunSlots
    private let files = FileQueue()

    /// - Parameter pidFolder: absolute; made when it is missing. Holds one file for each running command.
    package init(settings: ProcessExecutorSettings, logger: Logger, pidFolder: String) {
        self.settings = settings
        self.logger = logger
        self.pidFolder = pidFolder
        self.slots = RunSlots(settings.maxRunning)
    }

    package func run(_ work: Work) async -> WorkResult {
        let begun = ContinuousClock.now
        guard await slots.take() else { return Self.result(.cancelled, since: begun) }
        defer { slots.give() }
        guard PidFile.isID(work.id) else {
            return Self.result(
                .couldNotStart("the id of a command takes letters, digits, and -_. only"), since: begun)
        }
        let prepared = await files.perform { [pidFolder, settings] in
            Result<(Launch, LogKeeper), Unstartable> { () throws(Unstartable) in
                let launch = try Launch(work, pythonPath: settings.pythonPath)
                if mkdir(pidFolder, 0o700) != 0, errno != EEXIST {
                    let problem = errno
                    throw Unstartable(
                        "the folder \(pidFolder) cannot be made: \(Launch.text(of: problem))",
                        isTransient: Unstartable.isTransient(problem))
                }
                return (launch, LogKeeper(descriptor: try Launch.openLog(work.logFile), limit: work.maxLogBytes))
            }
        }
        switch prepared {
        case .failure(let problem): return Self.result(problem.end, since: begun)
        case .success((let launch, let log)):
            let watch = files.every(milliseconds: 200) { log.check() }
            let end = await end(of: work, launch, log)
            watch.stop()
            let kept = await files.perform { log.close() }
            return Self.result(end, since: begun, log: kept)
        }
    }

    package func reclaim(_ id: String) async {
        guard PidFile.isID(id) else { return }
        let path = PidFile.path(folder: pidFolder, id: id)
        let record = await files.perform { PidFile(path: path).flatMap { $0.stillLives ? $0 : nil } }
        if let record {
            logger.warning("ending a process that an earlier daemon left", metadata: Self.place(id, record.pid))
            let stuck = await SessionEnd(files: files)(record.pid, grace: settings.graceMilliseconds)
            // The file stays, so that the next start tries again.
            guard stuck.isEmpty else { return report(stuck, id) }
        }
        await files.perform { _ = unlink(path) }
    }

    package func resolve(image: String, command: [String], arguments: [String]) throws(ActorError) -> [String] {
        try settings.command(image: image, command: command, arguments: arguments)
    }
}

extension ProcessExecutor {
    /// Longer than any daemon lives, short enough for the clock's arithmetic.
    private static let longest = Duration.seconds(10 * 365 * 86400)

    /// Runs the process to its end and leaves nothing of its session behind.
    private func end(of work: Work, _ launch: Launch, _ log: LogKeeper) async -> WorkResult.End {
        if Task.isCancelled { return .cancelled }
        let grace = Duration.milliseconds(settings.graceMilliseconds)
        let limit = work.timeoutMilliseconds.map { min(.milliseconds(max(0, $0)), Self.longest) } ?? Self.longest
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: grace)]
        let configuration = Configuration(
            executable: .path(FilePath(launch.program)),
            arguments: Arguments(
                executablePathOverride: launch.arguments.first, remainingValues: Array(launch.arguments.dropFirst())),
            environment: .custom(launch.environment), workingDirectory: FilePath(launch.workingDirectory),
            platformOptions: options)
        // Signal 0 is sent to no one: the step only waits, for the process's end or for its time to be up.
        let life: [TeardownStep] = [
            .send(signal: Signal(rawValue: 0), allowedDurationToNextStep: limit),
            .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: grace),
        ]
        let path = PidFile.path(folder: pidFolder, id: work.id)
        // Twice, because `combinedWithOutput` of swift-subprocess 1.0.2 duplicates a descriptor that it never closes.
        let file = FileDescriptor(rawValue: log.descriptor)
        do {
            let outcome = try await Subprocess.run(
                configuration, input: .none, output: .fileDescriptor(file, closeAfterSpawningProcess: false),
                error: .fileDescriptor(file, closeAfterSpawningProcess: false)
            ) { execution in
                let pid = execution.processIdentifier.value
                guard await files.perform({ PidFile(running: pid)?.write(to: path) ?? false }) else {
                    throw Unstartable(
                        "its pid file could not be written below \(self.pidFolder): check the disk", isTransient: true)
                }
                let started = ContinuousClock.now
                await execution.teardown(using: life)
                // Ended, but its number is still taken until this closure returns: signals meet nobody else.
                let timeUp = ContinuousClock.now - started >= limit
                await clear(pid, of: work.id, stopped: timeUp || Task.isCancelled)
                await files.perform { _ = unlink(path) }
                return timeUp
            }
            if Task.isCancelled { return .cancelled }
            if outcome.closureResult { return .timedOut }
            switch outcome.terminationStatus {
            case .exited(let code): return .exited(Int(code))
            case .signaled(let number): return .signalled(Int(number))
            }
        } catch {
            return Task.isCancelled ? .cancelled : Self.end(of: error, launch.program)
        }
    }

    /// Ends what the command left running; only a stopped one's leftovers get grace, for they clean up too.
    private func clear(_ pid: pid_t, of id: String, stopped: Bool) async {
        let grace = stopped ? settings.graceMilliseconds : nil
        let stuck = await SessionEnd(files: files)(pid, grace: grace, sparing: pid)
        if !stuck.isEmpty { report(stuck, id) }
    }

    private func report(_ stuck: [pid_t], _ id: String) {
        for pid in stuck { logger.error("a process did not end when it was killed", metadata: Self.place(id, pid)) }
    }

    private static func place(_ id: String, _ pid: pid_t) -> Logger.Metadata {
        ["work_id": "\(id)", "pid": "\(pid)"]
    }

    private static func end(of error: any Error, _ program: String) -> WorkResult.End {
        if let problem = error as? Unstartable { return problem.end }
        let number = (error as? SubprocessError)?.underlyingError?.rawValue
        let why = reason(error, program)
        return number.map(Unstartable.isTransient) ?? false ? .machineFailed(why) : .couldNotStart(why)
    }

    private static func reason(_ error: any Error, _ program: String) -> String {
        guard let problem = error as? SubprocessError else { return "\(program) could not be started: \(error)" }
        switch problem.underlyingError?.rawValue {
        case ENOEXEC: return "\(program) is not a program: a script's first line must be #! and its interpreter"
        case E2BIG: return "the arguments and the environment of \(program) are too long: pass data in files"
        case ENOENT, EACCES, ENOTDIR:
            return "\(program) could not be started: the interpreter named in its first line does not exist or may not "
                + "be run"
        case let number?: return "\(program) could not be started: \(Launch.text(of: number))"
        case nil: return "\(program) could not be started: \(problem)"
        }
    }

    private static func result(
        _ end: WorkResult.End, since begun: ContinuousClock.Instant, log: (bytes: Int, truncated: Bool) = (0, false)
    ) -> WorkResult {
        let (seconds, attoseconds) = (ContinuousClock.now - begun).components
        return WorkResult(
            end: end, logBytes: log.bytes, logTruncated: log.truncated,
            milliseconds: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
