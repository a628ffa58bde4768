import ActorAPI
import ActorCore
import ActorRuntime

extension ActorPayload {
    init(_ status: ActorStatus) {
        let spec = status.spec
        self.init(
            id: spec.id.rawValue, name: spec.title, description: spec.description, run: spec.run.image,
            status: status.status, statusMessage: status.statusMessage, stateless: spec.stateless,
            maxWorkers: spec.maxWorkers, waiting: status.waiting, running: status.running, revision: spec.revision,
            folder: spec.folder, link: spec.link, schedule: spec.schedule?.text)
    }
}

extension QuarantinePayload {
    init(_ actor: QuarantinedActor) {
        self.init(
            folder: actor.folder, file: actor.file, line: actor.line, reason: actor.reason,
            goesOn: actor.goesOn)
    }
}

extension ExecutionPayload {
    /// - Parameter showsResult: results may hold tokens; only who sent the message or owns the actor sees them.
    init(_ record: ExecutionRecord, actor: String, showsResult: Bool, attempts: [AttemptRecord]? = nil) {
        self.init(
            id: record.id.rawValue, actorID: record.actor.rawValue, actor: actor, status: record.status.rawValue,
            outcome: record.outcome?.rawValue, exitCode: record.exitCode, reason: record.reason,
            attempts: record.attempts, sender: record.sender, cause: record.cause?.rawValue,
            received: record.received.iso8601, started: record.started?.iso8601,
            finished: record.finished?.iso8601, result: showsResult ? record.result ?? .null : .null,
            attemptList: attempts.map { $0.map(AttemptPayload.init) })
    }
}

extension AttemptPayload {
    init(_ attempt: AttemptRecord) {
        self.init(
            number: attempt.number, started: attempt.started.iso8601, finished: attempt.finished.iso8601,
            outcome: attempt.outcome.rawValue, exitCode: attempt.exitCode, reason: attempt.reason)
    }
}

extension UploadPayload {
    init(_ document: Document) { self.init(id: document.id, body: document.body) }
}

extension DeadLetterPayload {
    init(_ letter: DeadLetter, actor: String, showsMessage: Bool) {
        let body = letter.message.body.prefix(DeadLetterQuery.mostShown)
        self.init(
            id: letter.id, actorID: letter.message.actor.rawValue, actor: actor,
            executionID: letter.execution.rawValue, reason: letter.reason, attempts: letter.attempts,
            parked: letter.parked.iso8601, replayedAs: letter.replayedAs?.rawValue,
            message: showsMessage ? String(decoding: body, as: UTF8.self) : "")
    }
}

extension NoncePayload {
    init(_ nonce: Nonce) {
        self.init(
            id: nonce.id.rawValue, actorID: nonce.actor?.rawValue, alias: nonce.alias, owner: nonce.owner,
            roles: nonce.roles.map(\.rawValue), level: nonce.level.rawValue, maxUses: nonce.maxUses,
            currentUses: nonce.currentUses, remainingUses: nonce.remainingUses, description: nonce.description,
            created: nonce.created.iso8601, lastUsed: nonce.lastUsed?.iso8601)
    }
}

extension AuditPayload {
    init(_ entry: AuditEntry) {
        self.init(
            at: entry.at.iso8601, who: entry.who, action: entry.action, target: entry.target, outcome: entry.outcome)
    }
}
