import ActorCore
import ActorRuntime
import Crypto
import HTTPTypes
import Hummingbird

/// `/actors/{id}/messages`: the way in (actors API, section 3).
struct MessageRoutes {
    private static let longestKey = 255

    let front: HTTPFront
    let generation: ActorsGeneration

    func add(to table: RouteTable) {
        table.on(
            "\(generation.prefix)/:id/messages", cors: true, [.get: count, .post: send, .delete: purge])
    }

    @Sendable private func send(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let limits = front.system.limits
        // The nonce is counted by the store, together with the message.
        let spec = try await front.authorized(context, .execute, countingUse: false)
        let contentType = ContentType(request.headers[.contentType])
        let bytes = try await BodyReader.bytes(
            of: request, limit: contentType.isBinary ? limits.maxBinaryBytes : limits.maxBodyBytes)
        let query = request.formItems
        let webhook = try front.checkSignature(request.headers, bytes, of: spec)
        let event = try CloudEventMessage.interpret(request.headers, body: bytes, limits: limits)
        let body =
            try event?.body
            ?? MessageBody.interpret(
                contentType: contentType, body: bytes, query: query, maxDepth: limits.maxJSONDepth)
        let entries = try MessageEnvironment.entries(
            query: query, username: caller.username, apiServer: front.baseURL, limits: limits)
        let environment = event?.environment(beside: entries) ?? entries
        let receipt = try await front.system.send(
            MessageDraft(
                actor: spec.id, body: body.bytes, kind: body.kind, environment: environment,
                sender: caller.username,
                idempotency: try Self.idempotency(request, bytes) ?? event?.idempotency ?? webhook,
                nonce: caller.nonce?.id))
        let documents = front.documents(generation)
        return front.reply(generation).success(
            "The request was successful",
            [
                "_links": [
                    "messages": documents.link("\(spec.id)/messages"), "owner": documents.profile(spec.owner),
                    "self": documents.link("\(spec.id)/executions/\(receipt.execution)"),
                ],
                "execution_id": .string(receipt.execution.rawValue), "msg": body.shown,
            ])
    }

    @Sendable private func count(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let spec = try await front.authorized(context, .read)
        let documents = front.documents(generation)
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
        let documents = front.documents(generation)
        return front.reply(generation).success(
            "The request was successful",
            [
                "_links": [
                    "owner": documents.profile(spec.owner), "self": documents.link("\(spec.id)/messages"),
                ],
                "msg": "Actor mailbox purged.",
            ])
    }

    private static func idempotency(_ request: Request, _ body: [UInt8]) throws(ActorError) -> IdempotencyKey? {
        guard let name = HTTPField.Name("Idempotency-Key"), let key = request.headers[name], !key.isEmpty else {
            return nil
        }
        guard key.utf8.count <= longestKey else {
            throw ActorError(.invalidInput, "an Idempotency-Key has at most \(longestKey) bytes")
        }
        return IdempotencyKey(key: key, digest: Hexadecimal.text(SHA256.hash(data: body)))
    }
}
