import ActorCore
import ActorRuntime
import Crypto

/// The rules of a message POST, once its sender and its actor are known: what becomes of headers, query and body.
///
/// Used by the route and by the ``FastLane``: a message means the same whichever way it came in.
struct MessageDoor: Sendable {
    private static let longestKey = 255

    let limits: Limits
    let now: Timestamp

    func draft(
        _ fields: MessageFields, query: FormItems, body bytes: [UInt8], for spec: ActorSpec, from caller: Caller
    ) throws(ActorError) -> (draft: MessageDraft, shown: [UInt8]) {
        let body = try MessageBody.interpret(
            contentType: fields.contentType, body: bytes, query: query, maxDepth: limits.maxJSONDepth)
        var draft = try blank(fields, query: query, for: spec, from: caller)
        draft.body = body.bytes
        draft.kind = body.kind
        if body.isLoose {
            draft.environment.append(EnvironmentEntry(MessageKind.variable, MessageKind.text.rawValue))
        }
        if let key = try idempotencyKey(fields) { draft.idempotency = Self.idempotency(key, bytes, query) }
        return (draft, body.shown)
    }

    /// A CloudEvent as a message: its data is the body, its attributes are the environment, its id and source tell a
    /// repeat unless the sender gave a key.
    func draft(
        _ event: CloudEventMessage, _ fields: MessageFields, key: IdempotencyKey?, query: FormItems,
        for spec: ActorSpec, from caller: Caller
    ) throws(ActorError) -> MessageDraft {
        var draft = try blank(fields, query: query, for: spec, from: caller)
        draft.body = event.body.bytes
        draft.kind = event.body.kind
        draft.environment = event.environment(beside: draft.environment)
        draft.key = draft.key ?? event.partitionKey
        draft.idempotency = key ?? event.idempotency
        return draft
    }

    /// What a message has that does not come from its body.
    func blank(
        _ fields: MessageFields, query: FormItems, for spec: ActorSpec, from caller: Caller
    ) throws(ActorError) -> MessageDraft {
        let options = try DeliveryOptions(fields.options, query: query, now: now)
        var environment = try MessageEnvironment.entries(query: query, limits: limits)
        try MessageEnvironment.check(environment, against: spec)
        try refuseUnknownTable(query, of: spec)
        if let header = caller.tokenHeader { environment.append(EnvironmentEntry("_abaco_jwt_header_name", header)) }
        // Roles change, and the message may be handled later: what its sender was goes with it.
        if case .builtin("pipeline-jobs") = spec.run, caller.isAdmin {
            environment.append(EnvironmentEntry(JobAuthority.senderRole, Role.admin.rawValue))
        }
        return MessageDraft(
            actor: spec.id, body: [], environment: environment, sender: caller.username, hops: fields.hops,
            key: options.key, priority: options.priority, deliverAt: options.deliverAt, expires: options.expires,
            nonce: caller.nonce?.id)
    }

    /// A callback that is read by a table which is not there would move nothing, and whoever wrote its URL is the one
    /// to be told.
    private func refuseUnknownTable(_ query: FormItems, of spec: ActorSpec) throws(ActorError) {
        guard case .builtin("pipeline-jobs") = spec.run, query.first("uuid") != nil, let name = query.first("map"),
            let refusal = CallbackMap.refusal(of: name, in: spec.settings)
        else { return }
        throw ActorError(
            .invalidInput, refusal, details: [ActorError.Detail(place: "map", problem: "names no callback map")])
    }

    func idempotencyKey(_ fields: MessageFields) throws(ActorError) -> String? {
        guard let key = fields.idempotencyKey, !key.isEmpty else { return nil }
        guard key.utf8.count <= Self.longestKey else {
            throw ActorError(.invalidInput, "an Idempotency-Key has at most \(Self.longestKey) bytes")
        }
        return key
    }

    /// The key that a sender gives, among those of others: what the house sends itself has keys that nobody outside
    /// may take.
    ///
    /// - Parameter query: part of what is said, except for what lets it in and how it is answered.
    static func idempotency(_ key: String, _ body: [UInt8], _ query: FormItems? = nil) -> IdempotencyKey {
        var digest = SHA256()
        digest.update(data: body)
        for item in query?.items ?? [] where !unsaid.contains(item.name) {
            digest.update(data: Array("\u{1}\(item.name.utf8.count):\(item.name)=\(item.value)".utf8))
        }
        return IdempotencyKey(
            key: "\u{1}key:" + key, digest: digest.finalize().withUnsafeBytes { Hexadecimal.text($0) })
    }

    /// Parameters of the query that are no part of the message.
    private static let unsaid: Set<String> = ["x-nonce", MessageRoutes.synchronous]

    /// What is signed is the body alone: an actor that asks for signatures takes nothing else for a message.
    func refuseUnsigned(_ query: FormItems, of spec: ActorSpec) throws(ActorError) {
        guard !spec.webhookSecrets.isEmpty,
            let item = query.items.first(where: { !Self.unsaid.contains($0.name) && $0.name != "key" })
        else { return }
        throw ActorError(
            .invalidInput,
            "actor \(spec.name) takes only what is signed, which the query parameter \"\(item.name.prefix(64))\" is "
                + "not: put it into the body")
    }
}

/// The header fields that say something about a message, whatever server type brought them.
struct MessageFields: Sendable {
    var contentType: ContentType
    var idempotencyKey: String?
    /// The `Reactord-…` fields, by their lower-case names.
    var options: [String: String]
    /// How many messages lead to this one; 0 unless this daemon itself says so.
    var hops = 0
}

/// When, in which order and until when a message is to be delivered: its `Reactord-…` header fields.
struct DeliveryOptions: Equatable {
    static let prefix = "reactord-"
    static let names = [
        "reactord-key", "reactord-priority", "reactord-delay", "reactord-deliver-at", "reactord-expires-in",
        "reactord-expires-at",
    ]
    private static let longestKey = 255
    private static let longestSeconds: Int64 = 366 * 86400

    private(set) var key: String?
    private(set) var priority = 0
    private(set) var deliverAt: Timestamp?
    private(set) var expires: Timestamp?

    init(_ fields: [String: String], query: FormItems, now: Timestamp) throws(ActorError) {
        key = fields["reactord-key"] ?? query.first("key")
        if key?.isEmpty == true { key = nil }
        if let key, key.utf8.count > Self.longestKey {
            throw Self.refusal("Reactord-Key", "has at most \(Self.longestKey) bytes")
        }
        guard !fields.isEmpty else { return }
        if let text = fields["reactord-priority"] {
            guard let number = Int(text), (-9...9).contains(number) else {
                throw Self.refusal("Reactord-Priority", "is a whole number from -9 to 9, not \"\(text.prefix(32))\"")
            }
            priority = number
        }
        deliverAt = try Self.moment(fields, "Delay", "Deliver-At", now)
        expires = try Self.moment(fields, "Expires-In", "Expires-At", now)
        if let expires, expires <= deliverAt ?? now {
            let given = fields[Self.prefix + "expires-in"] == nil ? "Expires-At" : "Expires-In"
            throw Self.refusal("Reactord-\(given)", "lies before the message could be delivered")
        }
    }

    /// From a span or a moment, whichever is there.
    private static func moment(
        _ fields: [String: String], _ span: String, _ moment: String, _ now: Timestamp
    ) throws(ActorError) -> Timestamp? {
        switch (fields[prefix + span.lowercased()], fields[prefix + moment.lowercased()]) {
        case (nil, nil): return nil
        case (.some, .some):
            throw refusal("Reactord-\(moment)", "cannot be given together with Reactord-\(span)")
        case (.some(let text), nil):
            guard let seconds = seconds(text) else {
                throw refusal(
                    "Reactord-\(span)",
                    "is a number of seconds, or like 90s, 10m, 2h, 3d, and at most 366 days, not "
                        + "\"\(text.prefix(32))\"")
            }
            return now.adding(milliseconds: seconds * 1000)
        case (nil, .some(let text)):
            guard let time = Timestamp(iso8601: text) else {
                throw refusal("Reactord-\(moment)", "is a time like 2027-01-31T12:00:00Z, not \"\(text.prefix(32))\"")
            }
            return time
        }
    }

    static func seconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? Substring(text) : text.dropLast()
        guard digits.utf8.count <= 9, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(digits)
        else { return nil }
        let seconds = number * (unit ?? 1)
        return seconds <= longestSeconds ? seconds : nil
    }

    private static func refusal(_ name: String, _ rule: String) -> ActorError {
        ActorError(
            .invalidInput, "the header \(name) \(rule)", details: [ActorError.Detail(place: name, problem: rule)])
    }
}
