import ActorAPI
import ActorCore
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// Content type exactly `application/json`: old clients compare it letter by letter.
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        bytes(JSONWriter.bytes(value), type: "application/json", status: status)
    }

    static func bytes(
        _ bytes: some Sequence<UInt8>, type: String, status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Whatever a log holds, a browser must take it for text.
    static func text(_ bytes: [UInt8]) -> Response { .bytes(bytes, type: plainText) }

    static let plainText = "text/plain; charset=utf-8"

    static func page<Item: Payload>(_ page: Page<Item>, plural: String) -> Response { .json(page.json(plural: plural)) }
}

/// The envelope that every answer of the actors API comes in (section 1.2).
struct ActorsReply {
    let version: String
    let keyCase: KeyCase

    func success(_ message: String, _ result: JSONValue) -> Response {
        object(message, keyCase.applied(to: result))
    }

    /// A result whose names are not ours to spell.
    func object(_ message: String, _ result: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        .json(
            ["message": .string(message), "status": "success", "version": .string(version), "result": result],
            status: status)
    }

    static func failure(_ message: String, status: HTTPResponse.Status, version: String) -> Response {
        .bytes(failureBytes(message, version: version), type: "application/json", status: status)
    }

    static func failureBytes(_ message: String, version: String) -> [UInt8] {
        JSONWriter.bytes([
            "message": .string(message), "status": "error", "version": .string(version), "result": .null,
        ])
    }
}
