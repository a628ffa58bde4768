import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/actors/{id}/messages`: the way in (actors API, section 3).
struct MessageRoutes {
    let front: HTTPFront
    let generation: ActorsGeneration

    func add(to table: RouteTable) {
        table.on(
            "\(generation.prefix)/:id/messages", cors: true, [.get: count, .post: send, .delete: purge])
        table.on("\(generation.prefix)/:id/messages/batch", cors: true, [.post: sendBatch])
    }

    @Sendable private func send(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        try refuseOwnEvent(request)
        let limits = front.system.limits
        // The nonce is counted by the store, together with the message.
        let spec = try await front.authorized(context, .execute, countingUse: false)
        let fields = MessageFields(request, at: front.address)
        let bytes = try await BodyReader.bytes(
            of: request, limit: fields.contentType.isBinary ? limits.maxBinaryBytes : limits.maxBodyBytes)
        let door = MessageDoor(limits: limits, now: front.system.now())
        let query = request.formItems
        // Lane and route differ here only: signed messages and events come by the route.
        let webhook = try front.checkSignature(request.headers, bytes, of: spec)
        try door.refuseUnsigned(query, of: spec)
        let event = try CloudEventMessage.interpret(request.headers, body: bytes, limits: limits)
        var (draft, shown) =
            try event.map { event in
                let key = try door.idempotencyKey(fields).map { MessageDoor.idempotency($0, bytes, query) }
                let draft = try door.draft(event, fields, key: key, query: query, for: spec, from: caller)
                return (draft, event.body.shown)
            }
            ?? door.draft(fields, query: query, body: bytes, for: spec, from: caller)
        // The signed id goes over what anybody may write beside it.
        draft.idempotency = webhook ?? draft.idempotency
        if query.first(Self.synchronous)?.lowercased() == "true" { return try await ask(draft, of: spec) }
        let receipt = try await front.system.send(draft)
        return .bytes(
            front.messageReply(generation, spec.tenant).bytes(execution: receipt.execution, of: spec, shown: shown),
            type: "application/json")
    }

    /// The answer ends the subscription whose sink this is.
    private func refuseOwnEvent(_ request: Request) throws {
        guard let name = HTTPField.Name(SelfAddress.eventHeader),
            request.headers[name] == front.address.eventMark
        else { return }
        throw HTTPError(
            .gone,
            message: "this event was told by this very daemon, where each event would cause the next; to tell an "
                + "actor of another's executions, set link: in the other's actor.yml")
    }

    /// The answer of the execution itself instead of its id, when it has ended (actors API, section 3.5).
    private func ask(_ draft: MessageDraft, of spec: ActorSpec) async throws -> Response {
        let status = try front.status(of: spec)
        guard status.status == "READY" else {
            throw ActorError(
                .conflict,
                "actor \(spec.id) is in \(status.status) and runs nothing now: \(status.statusMessage). Without "
                    + "_abaco_synchronous the message is kept until it does")
        }
        guard status.waiting <= Self.mostWaiting else {
            throw ActorError(
                .invalidInput, "Cannot issue synchronous execution when actor message queue > 0.")
        }
        let record = try await front.system.ask(draft, timeoutMilliseconds: Self.patienceMilliseconds)
        if let failure = Self.failure(of: record) { throw failure }
        if let result = await front.system.takeResult(of: record.id) {
            return .bytes(result, type: "application/octet-stream")
        }
        if let result = record.result {
            return .bytes(JSONWriter.bytes(result), type: "application/octet-stream")
        }
        let log = try await front.system.log(of: record.id)
        return .bytes(Array(log.text.utf8), type: "text/html; charset=utf-8")
    }

    /// Of what did not come to its own end there is no answer, and an empty one would look like one.
    private static func failure(of record: ExecutionRecord) -> ActorError? {
        switch record.outcome {
        case .expired:
            ActorError(
                .timedOut, "execution \(record.id) expired before it could run: give the message more time, or none")
        case .cancelled:
            ActorError(.cancelled, "execution \(record.id) was cancelled: \(record.reason ?? "somebody stopped it")")
        default: nil
        }
    }

    static let synchronous = "_abaco_synchronous"
    /// A synchronous message does not stand in a long line.
    private static let mostWaiting = 3
    private static let patienceMilliseconds: Int64 = 600_000

    @Sendable private func sendBatch(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let system = front.system
        try refuseOwnEvent(request)
        let spec = try await front.authorized(context, .execute, countingUse: false)
        let fields = MessageFields(request, at: front.address)
        let form = fields.contentType.essence
        guard form == MessageBatch.lines || form == MessageBatch.events else {
            throw HTTPError(
                .unsupportedMediaType,
                message: "a batch is one JSON message a line, as \(MessageBatch.lines), or an array of CloudEvents, as "
                    + MessageBatch.events)
        }
        let bytes = try await BodyReader.bytes(of: request, limit: system.limits.maxBodyBytes)
        let webhook = try front.checkSignature(request.headers, bytes, of: spec)
        let door = MessageDoor(limits: system.limits, now: system.now())
        let query = request.formItems
        try door.refuseUnsigned(query, of: spec)
        let key = try webhook.map(MessageBatch.Key.webhook) ?? door.idempotencyKey(fields).map(MessageBatch.Key.given)
        let batch =
            if form == MessageBatch.events {
                try MessageBatch(
                    events: try CloudEventMessage.batch(bytes, limits: system.limits), key: key, query: query
                ) { event, key throws(ActorError) in
                    let draft = try door.draft(event, fields, key: key, query: query, for: spec, from: caller)
                    return try system.checked(draft)
                }
            } else {
                try MessageBatch(
                    lines: bytes, blank: try door.blank(fields, query: query, for: spec, from: caller), key: key,
                    query: query, maxDepth: system.limits.maxJSONDepth, check: system.checked)
            }
        let stored = try await webhook == nil ? system.append(batch.messages) : appendSigned(batch.messages)
        let result = batch.result(stored)
        return .bytes(front.messageReply(generation, spec.tenant).envelope(result), type: "application/json")
    }

    /// The first message takes the webhook's own key: when it is refused, all are, since the others have none that the
    /// webhook would be known by when it came as a single message.
    private func appendSigned(
        _ messages: [NewMessage]
    ) async throws(ActorError) -> [Result<SendReceipt, ActorError>] {
        guard let first = messages.first, let answer = try await front.system.append([first]).first else { return [] }
        if case .failure = answer { return messages.map { _ in answer } }
        return [answer] + (try await front.system.append(Array(messages.dropFirst())))
    }

    @Sendable private func count(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let documents = front.documents(generation, spec.tenant)
        return front.reply(generation).success(
            "The request was successful",
            [
                "_links": [
                    "owner": documents.profile(spec.owner), "self": documents.link("\(spec.id)/messages"),
                ],
                "messages": JSONValue(try front.status(of: spec).waiting),
            ])
    }

    @Sendable private func purge(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .update)
        _ = try await front.audited(try context.requireCaller(), "mailbox.purge", spec.id.rawValue) {
            try await front.system.purge(spec.id)
        }
        let documents = front.documents(generation, spec.tenant)
        return front.reply(generation).success(
            "The request was successful",
            [
                "_links": [
                    "owner": documents.profile(spec.owner), "self": documents.link("\(spec.id)/messages"),
                ],
                "msg": "Actor mailbox purged.",
            ])
    }
}

extension MessageFields {
    init(_ request: Request, at address: SelfAddress) {
        var options: [String: String] = [:]
        for field in request.headers where DeliveryOptions.names.contains(field.name.canonicalName) {
            options[field.name.canonicalName] = field.value
        }
        self.init(
            contentType: ContentType(request.headers[.contentType]),
            idempotencyKey: HTTPField.Name("Idempotency-Key").flatMap { request.headers[$0] }, options: options,
            hops: address.hops(in: HTTPField.Name(SelfAddress.hopsHeader).flatMap { request.headers[$0] }))
    }
}
