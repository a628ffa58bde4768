import ActorCore

/// Plays one ``JobRunMachine``: runs its steps, journals them, tells the job how it goes.
struct JobRun: Sendable {
    private let plan: JobPlan
    private let tools: ReactorTools
    private let context: any ReactorContext
    /// Tells what this delivery did from what an earlier one left in the journal.
    private let delivery: JSONValue

    /// What the first preparation leaves behind.
    private struct Ground: Sendable {
        let folders: RunFolders
        let started: Timestamp
        /// An earlier delivery began this run: its finished steps stand in the journal.
        let isResumed: Bool
    }

    private var message: JobRunMessage { plan.message }
    private var history: JobHistoryCalls {
        JobHistoryCalls(job: message.job, callback: message.callback, context: context)
    }

    init(_ message: JobRunMessage, _ tools: ReactorTools, _ context: any ReactorContext) {
        self.plan = JobPlan(
            message: message, execution: context.execution, home: tools.home, maxLogBytes: tools.limits.maxLogBytes)
        self.tools = tools
        self.context = context
        self.delivery = .string(context.randomHex(bytes: 8))
    }

    /// - Parameter status: of the job, as the catalogue has it now.
    func play(status: PipelineJobState) async throws {
        var machine = JobRunMachine(message.spec)
        guard case .prepare(let first) = machine.start() else { preconditionFailure("a run begins with its folders") }
        var ground = try await prepare(first)
        try await announce(ground, status)
        var actions = [machine.prepared()]
        while !actions.isEmpty {
            switch actions.removeFirst() {
            case .prepare(let attempt):
                let again = try await prepare(attempt)
                ground = Ground(folders: again.folders, started: ground.started, isResumed: ground.isResumed)
                actions.append(machine.prepared())
            case .run(let steps): actions += try await run(steps, ground, &machine)
            case .report: break
            case .publish: try await publish(ground)
            case .fail(let step, let report): try await fail(step, report)
            }
        }
    }

    // MARK: Steps

    /// Runs `steps` side by side; what the machine says to the last of them is what happens next.
    private func run(
        _ steps: [JobStep], _ ground: Ground, _ machine: inout JobRunMachine
    ) async throws -> [JobRunMachine.Action] {
        guard try await context.job(message.job) != nil else {
            throw ReactorFailure(.refused, "job \(message.job) was taken out of the catalogue: it does not go on")
        }
        var next: [JobRunMachine.Action] = []
        try await withThrowingTaskGroup(of: (JobStep, JSONValue).self) { group in
            for step in steps {
                group.addTask { (step, try await perform(step, ground)) }
            }
            while let (step, value) = try await group.next() {
                for action in machine.ended(step, StepReport(json: value)) {
                    guard case .report(let step, let report) = action else {
                        next.append(action)
                        continue
                    }
                    // A step of an earlier delivery was told then.
                    if value["delivery"] == delivery { try await tell(step, report) }
                }
            }
        }
        return next
    }

    private func perform(_ step: JobStep, _ ground: Ground) async throws -> JSONValue {
        let value = try await context.step(step.title) {
            try await execute(step, ground).json.setting("delivery", delivery)
        }
        // Not before: until the result is on record a later delivery has to find it with the executor.
        await tools.executor.forget(plan.workID(step))
        return value
    }

    private func execute(_ step: JobStep, _ ground: Ground) async throws -> StepReport {
        let log = plan.logFile(step, ground.folders)
        let left = millisecondsLeft(ground)
        // What an earlier delivery started has its own clock: it may have ended in time while nobody looked.
        if let left, left <= 0, await !isKept(step, ground) { return late(0, log) }
        let work = plan.work(step, ground.folders, millisecondsLeft: left.map { max(1, $0) })
        for _ in 0..<Self.evictions {
            context.log(.info, "Running \(step.title)")
            let result = await context.run(work)
            switch result.end {
            // The runtime decides what a cancelled run becomes; the step did not end, so nothing is journalled.
            case .cancelled, .detached: throw CancellationError()
            case .timedOut: return late(result.milliseconds, log)
            case .evicted(let why):
                context.log(.warning, "\(step.title) runs again: \(why)")
                await tools.executor.forget(work.id)
            default:
                return StepReport(
                    exitCode: result.exitCode, reason: result.reason, milliseconds: result.milliseconds, log: log)
            }
        }
        return StepReport(
            exitCode: nil, reason: "was taken away \(Self.evictions) times while it ran", milliseconds: 0, log: log)
    }

    /// How often a step is started that ends without a word of its own.
    private static let evictions = 3

    private func isKept(_ step: JobStep, _ ground: Ground) async -> Bool {
        guard ground.isResumed else { return false }
        return await tools.executor.kept().contains(plan.workID(step))
    }

    private func millisecondsLeft(_ ground: Ground) -> Int64? {
        message.spec.activeDeadlineSeconds.map { Milliseconds.of(seconds: $0) - context.now().since(ground.started) }
    }

    private func late(_ milliseconds: Int64, _ log: String) -> StepReport {
        let limit = message.spec.activeDeadlineSeconds.map { " (activeDeadlineSeconds: \($0))" } ?? ""
        return StepReport(
            exitCode: nil, reason: "its time was up\(limit)", milliseconds: milliseconds, log: log, isFinal: true)
    }

    /// Once per try, also over restarts: a second emptying would throw away what finished steps made.
    private func prepare(_ attempt: Int) async throws -> Ground {
        let execution = context.execution.rawValue
        let files = tools.files
        do {
            let value = try await context.step(attempt == 1 ? "prepare" : "prepare#\(attempt)") {
                _ = try await files.prepareRun(execution, fresh: true)
                return ["delivery": delivery, "started": .int(context.now().milliseconds)]
            }
            let folders = try await files.prepareRun(execution, fresh: false)
            let started = Timestamp(milliseconds: Int64(value["started"]?.int ?? 0))
            return Ground(folders: folders, started: started, isResumed: value["delivery"] != delivery)
        } catch let error as ActorError where error.code != .cancelled {
            try await fail(at: "prepare", exitCode: nil, reason: error.description, log: nil)
        }
    }

    // MARK: What the job is told

    private func announce(_ ground: Ground, _ status: PipelineJobState) async throws {
        if ground.isResumed {
            tell("event", "update", JobRunDocument.restarted(attempt: context.attempt))
            context.log(.warning, "This run was interrupted; finished steps are kept")
        }
        if status == .created {
            tell(
                "status", "RUNNING",
                JobRunDocument.started(message, context.execution, attempt: context.attempt))
        }
        // A run that somebody cancels, or that runs out of time, must not leave its job RUNNING for ever.
        context.ifAbandoned(
            call: history.url("event", "fail"),
            body: [
                "note": "the run was cancelled or ran out of time; see the execution's log",
                "execution_id": .string(context.execution.rawValue),
            ],
            order: message.job.rawValue)
        try await context.commit()
    }

    private func tell(_ step: JobStep, _ report: StepReport) async throws {
        tell("event", "update", JobRunDocument.ended(step, report))
        context.log(.info, "\(step.title) \(report.reason ?? "succeeded")")
        try await context.commit()
    }

    private func tell(_ parameter: String, _ value: String, _ body: JSONValue) {
        history.tell(parameter, value, body)
    }

    // MARK: The end

    private func publish(_ ground: Ground) async throws {
        let published: JSONValue
        do {
            published = try await history.publish(context.execution, to: message.path, tools.files)
        } catch let error as ActorError where error.code != .cancelled {
            try await fail(at: "publish", exitCode: nil, reason: error.description, log: nil)
        }
        let seconds = JSONValue.double(Double(context.now().since(ground.started)) / 1000)
        history.finished(published.setting("seconds", seconds).setting("archive_path", .string(message.path)))
    }

    private func fail(_ step: JobStep, _ report: StepReport) async throws -> Never {
        try await fail(
            at: step.title, exitCode: report.exitCode, reason: report.reason ?? "failed", log: report.log)
    }

    /// Commits what the job is told before it throws: throwing drops what is only buffered.
    private func fail(at step: String, exitCode: Int?, reason: String, log: String?) async throws -> Never {
        let limit = 2000
        var tail = ""
        if let log { tail = await tools.files.tail(of: log, limit: limit) }
        let body = JobRunDocument.failed(step: step, exitCode: exitCode, reason: reason, logTail: tail)
        tell("status", "FAILED", body)
        context.log(.error, "Job \(message.job) failed: step \(step) \(reason)")
        context.reply(body.removing("log_tail").setting("status", "FAILED"))
        try await context.commit()
        throw ReactorFailure(.refused, "step \(step) \(reason)")
    }
}
