import ActorCore

/// Plays one job's ``RemoteJobMachine`` for one message: asks the engine, journals what it answered, tells the job.
struct EngineJobRun: Sendable {
    private static let maxLogTail = 2000

    private let document: EngineJobDocument
    private let message: JobRunMessage
    private let engine: any JobEngine
    private let folders: RunFolders
    private let tools: ReactorTools
    private let context: any ReactorContext
    private let history: JobHistoryCalls

    init(
        document: EngineJobDocument, message: JobRunMessage, engine: any JobEngine, folders: RunFolders,
        tools: ReactorTools, context: any ReactorContext
    ) {
        self.document = document
        self.message = message
        self.engine = engine
        self.folders = folders
        self.tools = tools
        self.context = context
        self.history = JobHistoryCalls(job: message.job, callback: message.callback, context: context)
    }

    /// - Parameter begin: what happened; the rest follows from it.
    func play(_ begin: (inout RemoteJobMachine) -> [RemoteJobMachine.Action]) async throws {
        var document = document
        var actions = begin(&document.machine)
        while !actions.isEmpty {
            let action = actions.removeFirst()
            switch action {
            case .submit, .cancel, .keep, .forget: actions += try await ask(action, &document)
            case .tell(let news): tell(news)
            case .publish: try await publish()
            case .fail(let step, let end): await fail(step, end, attempt: document.machine.attempt)
            }
        }
        document.revision += 1
        let isOver = document.machine.isOver
        context.put(EngineJobDocument.kind, document.job.rawValue, isOver ? .null : document.json)
        if isOver { context.put(EngineJobDocument.orderKind, document.job.rawValue, .null) }
    }

    // MARK: The engine

    /// A failure of the engine is journalled too: it belongs to this message, and the next one tries again.
    private func ask(
        _ action: RemoteJobMachine.Action, _ document: inout EngineJobDocument
    ) async throws -> [RemoteJobMachine.Action] {
        let run = document.run
        let engine = engine
        let order = JobPlan(
            message: message, execution: document.execution, home: tools.home,
            maxLogBytes: tools.limits.maxLogBytes
        ).order(run, folders)
        let maxBytes = tools.limits.maxLogBytes
        let answer = try await context.step("\(action.verb)#\(run.attempt)") {
            do throws(EngineFailure) {
                switch action {
                case .submit:
                    // What an earlier delivery may have left is found first.
                    if let id = try await engine.find(run) { return ["id": .string(id), "adopted": true] }
                    return ["id": .string(try await engine.submit(order)), "adopted": false]
                case .cancel: try await engine.cancel(run, graceSeconds: 30)
                case .keep: try await engine.keepLogs(run, maxBytes: maxBytes)
                case .forget: try await engine.forget(run)
                case .tell, .publish, .fail: preconditionFailure("an engine is not asked to \(action)")
                }
                return ["done": true]
            } catch {
                return ["failure": .string(error.kind.rawValue), "message": .string(error.message)]
            }
        }
        let now = context.now()
        let chance = Double(document.revision * 6271 % 1000) / 1000
        if let kind = answer["failure"]?.string.flatMap(EngineFailure.Kind.init(rawValue:)) {
            let failure = EngineFailure(kind, answer["message"]?.string ?? "")
            context.log(.warning, "\(engine.name) did not \(action.verb) job \(message.job): \(failure)")
            return document.machine.failed(failure, now: now, chance: chance)
        }
        switch action {
        case .submit:
            let id = answer["id"]?.string ?? ""
            if answer["adopted"] == true { context.log(.warning, "Found an earlier submission, \(id), and follows it") }
            return document.machine.submitted(id, now: now)
        case .cancel:
            document.machine.asked(now: now)
            return []
        case .keep: return document.machine.kept(now: now, chance: chance)
        default:
            document.machine.forgot()
            return []
        }
    }

    // MARK: What the job is told

    private func tell(_ news: RemoteJobMachine.News) {
        let body: JSONValue
        switch news {
        case .submitted(let id):
            body = [
                "note": .string("submitted to \(engine.name) as \(id)"), "executor": .string(engine.name),
                "engine_id": .string(id), "attempt": JSONValue(document.machine.attempt),
            ]
            context.reply(body.setting("status", "SUBMITTED"))
        case .running(let node):
            let started = JobRunDocument.started(message, document.execution, attempt: document.machine.attempt)
                .setting("executor", .string(engine.name)).setting("node", JSONValue(node))
            history.tell("status", "RUNNING", started)
            context.log(.info, "Job \(message.job) runs\(node.map { " on \($0)" } ?? "")")
            return
        case .waiting(let reason):
            body = ["note": .string("\(engine.name): \(reason)"), "waits_for": .string(reason)]
        case .trouble(let why):
            body = ["note": .string("\(engine.name): \(why); it is tried again"), "trouble": .string(why)]
        case .again(let attempt, let why):
            body = ["note": .string("submitted again: \(why)"), "attempt": JSONValue(attempt)]
        case .step(let step, let end):
            let report = StepReport(
                exitCode: end.exitCode, reason: end.reason, milliseconds: step.milliseconds ?? 0)
            let known = JobStep(step.phase, step.name, index: 0, attempt: document.machine.attempt)
            body = JobRunDocument.ended(known, report).setting("reason", JSONValue(end.reason))
            context.log(.info, "\(known.title) \(end.reason ?? "succeeded")")
        }
        if let note = body["note"]?.string { context.log(.info, note) }
        history.tell("event", "update", body)
    }

    private func publish() async throws {
        let published: JSONValue
        do {
            published = try await history.publish(document.execution, to: message.path, tools.files)
        } catch let error as ActorError where error.code != .cancelled {
            return await fail(
                "publish", EngineEnd(.failed, message: error.description), attempt: document.machine.attempt)
        }
        history.finished(
            published.setting("archive_path", .string(message.path)).setting("executor", .string(engine.name)))
    }

    private func fail(_ step: String?, _ end: EngineEnd, attempt: Int) async {
        let reason = end.reason ?? "failed"
        var tail = ""
        if let parts = step?.split(separator: "/", maxSplits: 1), parts.count == 2,
            let phase = JobPhase(rawValue: String(parts[0]))
        {
            let file = "\(document.logs)/\(phase.slug(String(parts[1]), attempt: attempt)).log"
            tail = await tools.files.tail(of: file, limit: Self.maxLogTail)
        }
        let body = JobRunDocument.failed(
            step: step ?? "submit", exitCode: end.exitCode, reason: reason, logTail: tail
        ).setting("executor", .string(engine.name)).setting("end", .string(end.kind.rawValue))
        history.tell("status", "FAILED", body)
        context.log(.error, "Job \(message.job) failed: \(step ?? engine.name) \(reason)")
        context.reply(body.removing("log_tail").setting("status", "FAILED"))
    }
}

extension RemoteJobMachine.Action {
    /// What the engine is asked for, for journals and logs.
    fileprivate var verb: String {
        switch self {
        case .submit: "submit"
        case .cancel: "cancel"
        case .keep: "keep the logs of"
        case .forget: "forget"
        case .tell, .publish, .fail: "tell"
        }
    }
}
