internal import ActorCore
internal import Logging
internal import Synchronization

/// Tells the linked actor and the webhook of an actor what became of it and of its executions (actors API, sections
/// 6.4 and 6.5).
///
/// The end of an execution is told by the transaction that records it; what becomes of the actor itself is queued
/// here, in memory, and told once: what the store does not take then is logged and lost.
final class ActorNews: Sendable {
    enum Event: Sendable {
        case ready
        case error(String)
        case complete(ExecutionID, ExecutionStatus, exitCode: Int?)

        var type: String {
            switch self {
            case .ready: "ACTOR_READY"
            case .error: "ACTOR_ERROR"
            case .complete: "EXECUTION_COMPLETE"
            }
        }
    }

    private static let sender = ActorSystem.eventSender
    private static let mostQueued = 4096

    private let environment: RuntimeEnvironment
    private let queue: AsyncStream<(Event, ActorSpec)>
    private let sink: AsyncStream<(Event, ActorSpec)>.Continuation

    init(environment: RuntimeEnvironment) {
        self.environment = environment
        (queue, sink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.mostQueued))
    }

    func tell(_ event: Event, of spec: ActorSpec) {
        guard spec.link != nil || spec.webhook != nil else { return }
        sink.yield((event, spec))
    }

    /// Until ``close()``.
    func run() async {
        for await (event, spec) in queue {
            let key = "\(spec.id)#\(event.type)#\(environment.clock.now().milliseconds)"
            if let call = call(event, spec, key: key) {
                do {
                    try await environment.store.promise(call, at: environment.clock.now())
                    environment.outboxBell.ring()
                } catch {
                    complain(error, spec)
                }
            }
            // Neither is lost with the other.
            if let draft = link(event, spec, key: key) {
                do {
                    _ = try await environment.bus.send(draft)
                } catch {
                    complain(error, spec)
                }
            }
        }
    }

    func close() { sink.finish() }

    /// What the end of an execution makes known, to be committed with it.
    func add(
        _ verdict: ExecutionMachine.Verdict, _ envelope: Envelope, _ spec: ActorSpec, to effects: inout Effects
    ) {
        guard verdict.endsMessage, spec.link != nil || spec.webhook != nil else { return }
        let event = Event.complete(envelope.execution, verdict.status, exitCode: verdict.exitCode)
        let hops = envelope.message.hops + 1
        if var draft = link(event, spec, key: Self.linkKey(envelope.execution)) {
            draft.cause = envelope.execution
            draft.hops = hops
            do {
                effects.mail.append(try environment.bus.checked(draft))
            } catch {
                complain(error, spec)
            }
        }
        let key = OutgoingCall.webhookEnd(of: envelope.execution, hops: hops)
        guard let outgoing = call(event, spec, key: key) else { return }
        do {
            // What leads elsewhere is told however long the chain is: nobody there sends the next message.
            if let webhook = spec.webhook, environment.callbacks.address.leadsBack(webhook) {
                try environment.bus.checkHops(hops)
            }
            effects.calls.append(outgoing)
        } catch {
            complain(error, spec)
        }
    }

    /// An event that the linked actor cannot take.
    struct Dropped: Sendable {
        let linked: ActorID
        let execution: ExecutionID
        let error: ActorError
    }

    /// Takes the message to the linked actor out of what could not be stored for want of room, or because its key is
    /// taken, and notes that in the audit trail. Nil when there is none in it, or when it was mail to another actor
    /// that was refused: the store names whom the mail was for.
    func withdraw(from completion: inout Completion, because error: ActorError) -> Dropped? {
        let key = Self.linkKey(completion.envelope.execution)
        guard let index = completion.effects.mail.firstIndex(where: { $0.idempotency?.key == key }) else { return nil }
        let linked = completion.effects.mail[index].actor
        guard error.message.contains(linked.rawValue) else { return nil }
        completion.effects.mail.remove(at: index)
        completion.effects.audits.append(
            AuditEntry(
                at: environment.clock.now(), who: "actor:\(completion.actor)", action: AuditEntry.linkDrop,
                target: "\(linked) \(completion.envelope.execution)", outcome: error.code.rawValue))
        return Dropped(linked: linked, execution: completion.envelope.execution, error: error)
    }

    /// To be called when the rest is on disk: it may have been other mail to the same actor that it had no room for.
    func tell(_ dropped: Dropped) {
        environment.logger.warning(
            "an event was dropped: the linked actor cannot take it",
            metadata: [
                LogKeys.actor: "\(dropped.linked)", LogKeys.execution: "\(dropped.execution)",
                LogKeys.error: "\(dropped.error)",
            ])
    }

    private static func linkKey(_ execution: ExecutionID) -> String { "\(execution)#link" }

    private func complain(_ error: ActorError, _ spec: ActorSpec) {
        environment.logger.warning(
            "an event could not be sent to the linked actor or the webhook",
            metadata: [LogKeys.actor: "\(spec.word)", LogKeys.error: "\(error)"])
    }

    private func link(_ event: Event, _ spec: ActorSpec, key: String) -> MessageDraft? {
        guard let link = spec.link else { return nil }
        do {
            let target = try environment.directory.resolve(link, tenant: spec.tenant)
            try environment.checkLink(of: spec, to: target)
            return MessageDraft(
                actor: target.id, body: JSONWriter.bytes(body(event, spec)),
                environment: [EnvironmentEntry("_abaco_username", Self.sender)], sender: "actor:\(spec.id)",
                idempotency: IdempotencyKey(key: key))
        } catch {
            complain(error, spec)
            return nil
        }
    }

    private func call(_ event: Event, _ spec: ActorSpec, key: String) -> OutgoingCall? {
        guard let webhook = spec.webhook else { return nil }
        var body = body(event, spec)
        body = body.setting("_abaco_Content_Type", "application/json")
        body = body.setting("_abaco_username", .string(Self.sender))
        body = body.setting("_abaco_api_server", .string(environment.apiServer(spec.tenant)))
        return OutgoingCall(
            url: environment.callbacks.address.folded(webhook), contentType: "application/json",
            body: JSONWriter.bytes(body), orderKey: OutgoingCall.webhookKey(of: spec.id), idempotencyKey: key)
    }

    private func body(_ event: Event, _ spec: ActorSpec) -> JSONValue {
        let now = environment.clock.now().iso8601
        var body: JSONValue = [
            "event_type": .string(event.type), "tenant_id": .string(spec.tenant), "event_time_utc": .string(now),
            "event_time_display": .string(now), "actor_id": .string(spec.id.rawValue),
            "actor_dbid": .string("\(spec.tenant)_\(spec.id)"),
        ]
        switch event {
        case .ready: body = body.setting("status_message", " ")
        case .error(let reason): body = body.setting("status_message", .string(reason))
        case .complete(let execution, let status, let exitCode):
            body = body.setting("execution_id", .string(execution.rawValue))
            body = body.setting("status", .string(status.rawValue))
            body = body.setting("exit_code", JSONValue(exitCode))
        }
        body = body.setting("_abaco_link", .string(spec.link ?? ""))
        return body.setting("_abaco_webhook", .string(spec.webhook ?? ""))
    }
}

extension ActorSystem {
    /// Who tells linked actors and webhooks, as they are told.
    package static let eventSender = "Abaco Event"
}

extension ActorSpec {
    /// The URL that is told of its events.
    fileprivate var webhook: String? {
        guard let url = definition?.webhook, !url.isEmpty else { return nil }
        return url
    }
}
