import ActorCore
import Crypto
import HTTPTypes

/// A message that came as a CloudEvent: what its actor is given, and what tells it from others.
struct CloudEventMessage: Sendable, Equatable {
    let event: CloudEvent
    let body: MessageBody
    /// From source and id: the same event counts once, however it is spelled. No header can hold such a key.
    let idempotency: IdempotencyKey
    /// Events of one key are handled one after another.
    let partitionKey: String?
    /// `CE_ID`, `CE_SOURCE`, `CE_TYPE`, `CE_SPECVERSION`, and `CE_<NAME>` for every other attribute that is set.
    let environment: [EnvironmentEntry]

    init(_ event: CloudEvent) {
        self.event = event
        let body = Self.body(of: event.payload)
        self.body = body
        let name = "\(event.source.utf8.count):\(event.source)\(event.id)"
        idempotency = IdempotencyKey(
            key: "\u{1}cloudevent:" + Hexadecimal.text(SHA256.hash(data: Array(name.utf8))),
            digest: Hexadecimal.text(SHA256.hash(data: Array("\(body.kind.rawValue)\n".utf8) + body.bytes)))
        partitionKey = event.attribute("partitionkey").flatMap { $0.isEmpty ? nil : $0 }
        environment = event.attributes.map { EnvironmentEntry("CE_" + $0.name.uppercased(), $0.value) }
    }

    /// Nil when the request is no event; throws `invalidInput` naming the attribute when it is a bad one.
    static func interpret(
        _ headers: HTTPFields, body: [UInt8], limits: Limits
    ) throws(ActorError) -> CloudEventMessage? {
        let contentType = ContentType(headers[.contentType])
        switch contentType.essence {
        case CloudEvent.structuredType:
            return CloudEventMessage(try CloudEvent(structured: body, maxDepth: limits.maxJSONDepth))
        case CloudEvent.batchType:
            throw ActorError(.invalidInput, "a batch of events is sent to …/messages/batch")
        case let essence where essence.hasPrefix("application/cloudevents"):
            throw ActorError(
                .invalidInput, "events are taken as \(CloudEvent.structuredType) or in binary mode, not as \(essence)")
        default: break
        }
        let fields = headers.filter { $0.name.canonicalName.hasPrefix("ce-") }
        let marks = ["ce-specversion", "ce-id", "ce-source", "ce-type"]
        guard fields.contains(where: { marks.contains($0.name.canonicalName) }) else { return nil }
        var attributes: [(name: String, value: String)] = []
        for field in fields {
            let name = String(field.name.canonicalName.dropFirst(3))
            guard name != "datacontenttype" else {
                throw CloudEvent.wrong("ce-\(name)", "is not taken: Content-Type says what the data is")
            }
            attributes.append((name, try decoded(field.value, of: name)))
        }
        if !contentType.text.isEmpty { attributes.append(("datacontenttype", contentType.text)) }
        let payload = try payload(body, contentType, limits)
        return CloudEventMessage(
            try CloudEvent(
                attributes: attributes, payload: payload,
                place: { $0 == "datacontenttype" ? "Content-Type" : "ce-\($0)" }))
    }

    /// The events of a batch in order, each taken or refused on its own; throws when the whole is no JSON array.
    static func batch(
        _ body: [UInt8], limits: Limits
    ) throws(ActorError) -> [Result<CloudEventMessage, ActorError>] {
        try CloudEvent.batch(body, maxDepth: limits.maxJSONDepth).map { $0.map { CloudEventMessage($0) } }
    }

    /// The same for the same event, however it is spelled.
    var canonicalBytes: [UInt8] {
        Array(environment.map { "\($0.name)=\($0.value)\n" }.joined().utf8) + body.bytes
    }

    /// With the event's entries before those of the query, which cannot stand in for them.
    func environment(beside entries: [EnvironmentEntry]) -> [EnvironmentEntry] {
        let own = Set(environment.map(\.name))
        return environment + entries.filter { !own.contains($0.name) }
    }

    /// Data as received; an event without any is an empty object.
    private static func body(of payload: CloudEvent.Payload) -> MessageBody {
        switch payload {
        case .none: MessageBody(bytes: Array("{}".utf8), kind: .json, shown: Array("{}".utf8))
        case .json(let bytes): MessageBody(bytes: bytes, kind: .json, shown: bytes)
        case .text(let text):
            MessageBody(bytes: Array(text.utf8), kind: .text, shown: JSONWriter.bytes(.string(text)))
        case .binary(let bytes):
            MessageBody(bytes: bytes, kind: .binary, shown: JSONWriter.bytes("binary - omitted"))
        }
    }

    private static func payload(
        _ body: [UInt8], _ contentType: ContentType, _ limits: Limits
    ) throws(ActorError) -> CloudEvent.Payload {
        if body.isEmpty { return .none }
        if CloudEvent.isJSON(contentType.text) {
            _ = try BodyJSON.read(body, maxDepth: limits.maxJSONDepth)
            return .json(body)
        }
        if contentType.essence.hasPrefix("text/"), let text = String(validating: body, as: UTF8.self) {
            return .text(text)
        }
        return .binary(body)
    }

    /// A header's value: quotes taken off, then percent-decoded (CloudEvents HTTP binding 1.0, section 3.1.3.2).
    static func decoded(_ value: String, of name: String) throws(ActorError) -> String {
        var bytes = Array(value.utf8)
        if bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") {
            var plain: [UInt8] = []
            var isEscaped = false
            for byte in bytes.dropFirst().dropLast() {
                if !isEscaped, byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else {
                    plain.append(byte)
                    isEscaped = false
                }
            }
            bytes = plain
        }
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = Character(Unicode.Scalar(bytes[index + 1])).hexDigitValue,
                let low = Character(Unicode.Scalar(bytes[index + 2])).hexDigitValue
            {
                output.append(UInt8(high << 4 | low))
                index += 3
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        guard let text = String(validating: output, as: UTF8.self) else {
            throw CloudEvent.wrong("ce-\(name.prefix(CloudEvent.maxNameBytes))", "is not UTF-8 once decoded")
        }
        return text
    }
}
