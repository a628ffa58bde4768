import ActorCore

/// What the body of a `POST …/messages` means: the first rule of the actors API, section 3.1, that applies.
struct MessageBody: Sendable, Equatable {
    var bytes: [UInt8]
    var kind: MessageKind
    /// What the reply shows as `msg`: JSON text, for a JSON message its own bytes.
    var shown: [UInt8]
    /// A JSON tree that did not call itself JSON; a script is told `str` (rule 4).
    var isLoose = false

    static func interpret(
        contentType: ContentType, body: [UInt8], query: FormItems, maxDepth: Int
    ) throws(ActorError) -> MessageBody {
        var isJSON = false
        if contentType.isJSON, !body.isEmpty {
            isJSON = true
            let hasMessage = try BodyJSON.check(body, maxDepth: maxDepth, member: "message").hasMember
            if hasMessage, let message = try BodyJSON.read(body, maxDepth: maxDepth)["message"], message.isTruthy {
                return text(PythonText.str(message))
            }
        }
        if let message = query.first("message"), !message.isEmpty { return text(message) }
        if let message = formField("message", contentType, body), !message.isEmpty { return text(message) }
        if contentType.isBinary {
            return MessageBody(bytes: body, kind: .binary, shown: Array("\"binary - omitted\"".utf8))
        }
        if isJSON { return MessageBody(bytes: body, kind: .json, shown: body) }
        if !contentType.isForm, !contentType.isMultipart,
            let finding = body.withUnsafeBytes({ JSONScan.finding($0, maxDepth: maxDepth) })
        {
            return try loose(finding.shape, body, maxDepth: maxDepth)
        }
        // Ours, not Abaco's: a callback that says everything in its query may come without a body.
        if body.isEmpty, query.items.contains(where: { $0.name != "x-nonce" }) {
            return MessageBody(bytes: Array("{}".utf8), kind: .json, shown: Array("{}".utf8))
        }
        throw ActorError(
            .invalidInput,
            "message POST body could not be serialized. Pass JSON data or use the message attribute.")
    }

    static func formField(_ name: String, _ contentType: ContentType, _ body: [UInt8]) -> String? {
        if contentType.isForm { return FormItems(String(decoding: body, as: UTF8.self)).first(name) }
        if contentType.isMultipart, let boundary = contentType.parameter("boundary") {
            return MultipartForm.field(name, in: body, boundary: boundary)
        }
        return nil
    }

    private static func text(_ text: String) -> MessageBody {
        MessageBody(bytes: Array(text.utf8), kind: .text, shown: JSONWriter.bytes(.string(text)))
    }

    /// JSON that came without a JSON content type. A tree stays JSON, so that schemas and Reactors see it and a
    /// script gets it as a Python literal, as before; a lone word or number is text.
    private static func loose(
        _ shape: JSONScan.Shape, _ body: [UInt8], maxDepth: Int
    ) throws(ActorError) -> MessageBody {
        switch shape {
        case .object, .array: MessageBody(bytes: body, kind: .json, shown: body, isLoose: true)
        default: text(PythonText.str(try BodyJSON.read(body, maxDepth: maxDepth)))
        }
    }
}

extension JSONValue {
    /// As Python's `bool()` decides.
    var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .wide: true
        case .double(let number): number != 0
        case .string(let text): !text.isEmpty
        case .array(let items): !items.isEmpty
        case .object(let members): !members.isEmpty
        }
    }
}
