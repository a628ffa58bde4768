package import ActorCore
import CSpawn
import Glibc
package import Logging
import Synchronization

/// Runs commands as processes of this machine: no shell, a bare environment, a session each, output to a file.
///
/// Each has a supervisor, a small program of ours that outlives the daemon and keeps the result; see
/// `Sources/reactord-supervisor/main.c`.
package final class ProcessExecutor: Executor {
    /// Exit code of a supervisor that found another one at work.
    private static let taken: Int32 = 75

    let settings: ProcessExecutorSettings
    private let logger: Logger
    private let folder: String
    private let slots: RunSlots
    private let files = FileQueue()
    private let isDetaching = Atomic(false)

    /// - Parameter folder: absolute; made when it is missing. Holds a folder for each command until it is forgotten.
    package init(settings: ProcessExecutorSettings, logger: Logger, folder: String) {
        self.settings = settings
        self.logger = logger
        self.folder = folder
        self.slots = RunSlots(settings.maxRunning)
    }

    package func run(_ work: Work) async -> WorkResult {
        guard ProcessName.isID(work.id) else {
            return WorkResult(end: .couldNotStart("the id of a command takes letters, digits, and -_. only"))
        }
        let run = SupervisedRun(folder: folder, id: work.id)
        while true {
            switch await files.perform({ run.standing }) {
            // Told to stop by a daemon that did not live to say so: nobody wants that any more.
            case .ended(let result, _) where result.end == .cancelled: await files.perform { run.remove() }
            case .ended(let result, _): return result
            case .running:
                slots.occupy()
                defer { slots.give() }
                return await adopt(run, work.id)
            case .lost:
                return await lost(
                    run, work.id, "the machine or its supervisor went down while it ran; it says no more about it")
            case .nothing:
                guard await slots.take() else { return WorkResult(end: .cancelled) }
                let result = await start(work, run)
                slots.give()
                if let result { return result }
            }
        }
    }

    package func forget(_ id: String) async {
        guard ProcessName.isID(id) else { return }
        let run = SupervisedRun(folder: folder, id: id)
        await files.perform { if run.standing != .running { run.remove() } }
    }

    package func reclaim(_ id: String) async {
        guard ProcessName.isID(id) else { return }
        let run = SupervisedRun(folder: folder, id: id)
        let patience = ContinuousClock.now + .milliseconds(settings.graceMilliseconds + 15_000)
        while await files.perform({ run.standing == .running }) {
            guard ContinuousClock.now < patience else {
                return logger.error("a command does not end", metadata: ["work_id": "\(id)"])
            }
            await files.perform { _ = run.cancel() }
            await files.pause(milliseconds: 20)
        }
        // The folder stays where something does not end, so that it is tried again.
        if await endRest(of: run, id) { await files.perform { run.remove() } }
    }

    package func kept() async -> [String] { await files.perform { [folder] in SmallFile.names(in: folder) } }

    package func isLost(_ id: String) async -> Bool {
        guard ProcessName.isID(id) else { return false }
        let run = SupervisedRun(folder: folder, id: id)
        return await files.perform {
            switch run.standing {
            case .lost: true
            case .ended(let result, _): result.end == .cancelled
            case .nothing, .running: false
            }
        }
    }

    /// Whether it runs here or has ended here and was not forgotten.
    func keeps(_ id: String) async -> Bool {
        guard ProcessName.isID(id) else { return false }
        return await files.perform { [folder] in access("\(folder)/\(id)", F_OK) == 0 }
    }

    package func detach() { isDetaching.store(true, ordering: .sequentiallyConsistent) }

    package func admit(_ work: Work) throws(ActorError) {
        _ = try command(of: work)
        if let mount = work.mounts.first(where: { $0.inside != $0.host }) {
            throw ActorError(
                .invalidInput,
                "the process executor cannot show \(mount.host) as \(mount.inside): use the path itself, or the "
                    + "container executor")
        }
    }
}

extension ProcessExecutor {
    /// - Returns: nil when another supervisor runs it: it is to be looked at again.
    private func start(_ work: Work, _ run: SupervisedRun) async -> WorkResult? {
        let begun = ContinuousClock.now
        let command: [String]
        do throws(ActorError) {
            try admit(work)
            command = try self.command(of: work)
        } catch {
            return WorkResult(end: .couldNotStart(error.message))
        }
        var local = work
        local.command = command
        let order = local
        let started = await files.perform { [self] in
            Result<(pid: pid_t, end: Int32), Unstartable> { () throws(Unstartable) in try spawn(order, run) }
        }
        switch started {
        case .failure(let problem):
            await files.perform { if run.standing == .nothing { run.remove() } }
            return WorkResult(end: problem.end, milliseconds: Self.milliseconds(since: begun))
        case .success(let (pid, end)):
            let watch = EndWatch()
            // Without a thread to wait for it, it is looked at like one that another daemon has started.
            guard let child = ChildEnd(of: pid, pipe: end, watch) else { return nil }
            guard await wait(for: run, watch) else {
                return WorkResult(end: .detached, milliseconds: Self.milliseconds(since: begun))
            }
            let standing = await files.perform { run.standing }
            return await settle(run, work.id, standing, child.words)
        }
    }

    /// Blocks.
    private func spawn(_ work: Work, _ run: SupervisedRun) throws(Unstartable) -> (pid: pid_t, end: Int32) {
        guard let program = settings.supervisor ?? ProcessExecutorSettings.findSupervisor() else {
            throw Unstartable(
                "the program reactord-supervisor is not beside reactord: install both, or build it with "
                    + "swift build --product reactord-supervisor")
        }
        let launch = try Launch(work, pythonPath: settings.pythonPath)
        close(try Launch.openLog(work.logFile))
        for problem in [mkdir(folder, 0o700) == 0 || errno == EEXIST ? 0 : errno, run.make()] where problem != 0 {
            throw Unstartable(
                "the folder \(run.path) cannot be made: \(Launch.text(of: problem))",
                isTransient: Unstartable.isTransient(problem))
        }
        var cgroup: String?
        if let parent = settings.cgroup { cgroup = try Cgroup(parent: parent).make(for: work) }
        let order = ProcessOrder(launch, work, settings, cgroup: cgroup).bytes
        var end: Int32 = -1
        var pid: pid_t = 0
        let problem = cspawn_supervisor(program, run.path, order, order.count, &end, &pid)
        guard problem == 0 else {
            throw Unstartable(
                "its supervisor \(program) could not be started: \(Launch.text(of: problem))",
                isTransient: Unstartable.isTransient(problem))
        }
        return (pid, end)
    }

    private func adopt(_ run: SupervisedRun, _ id: String) async -> WorkResult {
        logger.notice("taking over a command that runs already", metadata: ["work_id": "\(id)"])
        let watch = EndWatch()
        let look = files.every(milliseconds: 100) { if run.standing != .running { watch.end() } }
        defer { look.stop() }
        guard await wait(for: run, watch) else { return WorkResult(end: .detached) }
        let standing = await files.perform { run.standing }
        return await settle(run, id, standing, (0, ""))
            ?? WorkResult(end: .engineFailed("its supervisor went away while the command was taken over"))
    }

    /// False when the command is to be left running.
    private func wait(for run: SupervisedRun, _ watch: EndWatch) async -> Bool {
        await withTaskCancellationHandler {
            await watch.untilEndOrNudge()
        } onCancel: {
            watch.nudge()
        }
        if watch.hasEnded { return true }
        if isDetaching.load(ordering: .sequentiallyConsistent) { return false }
        // It may not listen yet.
        while !watch.hasEnded {
            if await files.perform({ run.cancel() }) { break }
            await files.pause(milliseconds: 20)
        }
        await watch.untilEnd()
        return true
    }

    private func settle(
        _ run: SupervisedRun, _ id: String, _ standing: SupervisedRun.Standing, _ words: (code: Int32, text: String)
    ) async -> WorkResult? {
        switch standing {
        case .ended(let result, let stuck):
            if stuck > 0 {
                logger.error(
                    "processes did not end when they were killed", metadata: ["work_id": "\(id)", "count": "\(stuck)"])
            }
            return result
        case .lost: return await lost(run, id, "its supervisor was ended while the command ran")
        case .nothing where words.code != Self.taken:
            await files.perform { run.remove() }
            let parts = words.text.split(separator: " ", maxSplits: 1).map(String.init)
            let number = parts.first.flatMap { Int32($0) } ?? 0
            let what = parts.last?.trimmed ?? ""
            let why = what.isEmpty ? "it ended at once" : "\(what) (\(Launch.text(of: number)))"
            return WorkResult(end: .engineFailed("its supervisor could not begin: \(why)"))
        case .running, .nothing: return nil
        }
    }

    /// Its traces stay until it is forgotten: were they gone before its loss is on record, it would look like one that
    /// never began.
    private func lost(_ run: SupervisedRun, _ id: String, _ why: String) async -> WorkResult {
        guard await endRest(of: run, id) else {
            return WorkResult(end: .engineFailed("\(why); a process of it does not end, although it was killed"))
        }
        return WorkResult(end: .evicted(why))
    }

    /// Ends what a supervisor that is gone has left; false when something of it does not end.
    private func endRest(of run: SupervisedRun, _ id: String) async -> Bool {
        let record = await files.perform { run.command.flatMap { $0.stillLives ? $0 : nil } }
        guard let record else { return true }
        logger.warning("ending a command without a supervisor", metadata: ["work_id": "\(id)"])
        let stuck = await SessionEnd(files: files)(record.pid, grace: settings.graceMilliseconds)
        if !stuck.isEmpty {
            logger.error("a process did not end when it was killed", metadata: ["work_id": "\(id)"])
        }
        return stuck.isEmpty
    }

    private static func milliseconds(since begun: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - begun).components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

extension ProcessExecutor {
    /// The local command that a work order means.
    func command(of work: Work) throws(ActorError) -> [String] {
        guard let image = work.image else { return work.command + work.arguments }
        return try settings.command(image: image, command: work.command, arguments: work.arguments)
    }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
