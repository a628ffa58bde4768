package import ActorCore

/// Has job engines run whole jobs, and keeps their history: one short message for each thing that happens, so that a
/// job that waits for days holds nothing.
package actor JobEnginesReactor: ConfiguredReactor {
    package static let settings = ReactorSettings()

    private let tools: ReactorTools

    package init(tools: ReactorTools) { self.tools = tools }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        switch try EngineMessage.decode(envelope.json) {
        case .run(let message): try await take(message, envelope, context)
        case .start(let start): try await start.play(tools, context)
        case .word(let word): try await hear(word, envelope, context)
        }
    }

    /// Everything up to the submission belongs to one message; only its end makes the job known to the watch.
    private func take(
        _ message: JobRunMessage, _ envelope: Envelope, _ context: any ReactorContext
    ) async throws {
        _ = try await message.admit(envelope, context)
        if try await context.document(EngineJobDocument.kind, message.job.rawValue) != nil {
            context.log(.info, "Job \(message.job) is with its engine already")
            return
        }
        let history = JobHistoryCalls(job: message.job, callback: message.callback, context: context)
        let name = message.spec.executor ?? tools.engines.rules.standard
        guard let engine = tools.engines[name] else {
            let why = tools.engines.rules.obstacle(to: name) ?? "the executor \(name) takes no whole jobs"
            return refuse(message, why, history, context)
        }
        if let policy = tools.engines.rules.policies[name], let manifest = message.spec.manifest,
            let finding = JobPolicyCheck.findings(in: manifest, policy: policy, executor: name).first
        {
            return refuse(message, "\(finding.place): \(finding.reason)", history, context)
        }
        let execution = context.execution
        let files = tools.files
        _ = try await context.step("prepare") {
            _ = try await files.prepareRun(execution.rawValue, fresh: true)
            return true
        }
        let folders = try await files.prepareRun(execution.rawValue, fresh: false)
        let document = EngineJobDocument(
            job: message.job, engine: name, title: message.name, execution: execution, logs: folders.logs,
            machine: RemoteJobMachine(rules: rules(message.spec, engine), now: context.now()))
        context.put(EngineJobDocument.orderKind, message.job.rawValue, message.json.removing("kind"))
        let run = EngineJobRun(
            document: document, message: message, engine: engine, folders: folders, tools: tools, context: context)
        try await run.play { $0.due(now: context.now(), chance: 0) }
    }

    private func rules(_ spec: JobSpec, _ engine: any JobEngine) -> RemoteJobMachine.Rules {
        let kept = Int64(min(max(spec.ttlSecondsAfterFinished ?? 3600, 0), 604_800)) * 1000
        return RemoteJobMachine.Rules(
            retries: engine.retriesItself ? 0 : spec.backoffLimit,
            deadlineMilliseconds: engine.retriesItself
                ? nil : spec.activeDeadlineSeconds.map { Milliseconds.of(seconds: $0) },
            keptMilliseconds: engine.leavesThings ? kept : nil)
    }

    private func refuse(
        _ message: JobRunMessage, _ why: String, _ history: JobHistoryCalls, _ context: any ReactorContext
    ) {
        let body = JobRunDocument.failed(step: "submit", exitCode: nil, reason: why, logTail: "")
        history.tell("status", "FAILED", body)
        context.log(.error, "Job \(message.job) failed: \(why)")
        context.reply(body.setting("status", "FAILED"))
    }

    /// What is said of an earlier state is passed over: the watch says it again if it still holds.
    private func hear(_ word: EngineWord, _ envelope: Envelope, _ context: any ReactorContext) async throws {
        guard envelope.message.sender == EngineWatchRules.sender else {
            throw ReactorFailure(.refused, "only the daemon itself says how a job stands at its engine")
        }
        guard let stored = try await context.document(EngineJobDocument.kind, word.job.rawValue),
            var document = EngineJobDocument(json: stored.body), document.revision == word.revision
        else { return context.log(.debug, "what was seen of job \(word.job) is out of date") }
        guard let engine = tools.engines[document.engine] else {
            throw ReactorFailure(.refused, "the executor \(document.engine) is not set up any more")
        }
        let order = try await context.document(EngineJobDocument.orderKind, word.job.rawValue)
        guard let order else { throw ReactorFailure(.permanent, "the order of job \(word.job) is gone") }
        let message = try JobRunMessage.decode(order.body.setting("kind", "run"))
        let folders = try await tools.files.prepareRun(document.execution.rawValue, fresh: false)
        switch word.content {
        case .due: break
        case .withdraw: document.seen = "withdrawn"
        case .seen(let sight): document.seen = sight.fingerprint
        }
        let run = EngineJobRun(
            document: document, message: message, engine: engine, folders: folders, tools: tools, context: context)
        // Nothing that is decided twice may differ: a repeat of this message draws the same.
        let chance = Double(word.revision * 7919 % 1000) / 1000
        try await run.play { machine in
            let now = context.now()
            return switch word.content {
            case .due: machine.due(now: now, chance: chance)
            case .withdraw: machine.withdraw(now: now)
            case .seen(.observed(let observation)): machine.seen(observation, now: now)
            case .seen(.absent): machine.absent(now: now)
            case .seen(.unreachable(let why)): machine.unseen(why)
            }
        }
    }
}
