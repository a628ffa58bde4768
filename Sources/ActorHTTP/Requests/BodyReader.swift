import ActorCore
import HTTPTypes
import Hummingbird
import NIOCore

/// Reads request bodies within their bounds: size while streaming, and a least rate.
struct BodyReader {
    /// A body that is slower than this after the time of grace comes from a client that holds a connection.
    static let leastBytesPerSecond = 1024
    static let graceSeconds: Int64 = 30

    private let limit: Int64
    private let began = ContinuousClock.now
    private var total: Int64 = 0

    init(limit: Int64) { self.limit = limit }

    /// The whole body.
    static func bytes(of request: Request, limit: Int) async throws -> [UInt8] {
        var reader = BodyReader(limit: Int64(limit))
        var bytes: [UInt8] = []
        for try await chunk in request.body {
            try reader.account(for: chunk)
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return bytes
    }

    mutating func account(for chunk: ByteBuffer) throws {
        total += Int64(chunk.readableBytes)
        guard total <= limit else { throw ActorError(.tooLarge, "the body has more than \(limit) bytes") }
        let seconds = (ContinuousClock.now - began).components.seconds
        if seconds > Self.graceSeconds, total < seconds * Int64(Self.leastBytesPerSecond) {
            throw HTTPError(.requestTimeout, message: "the body arrives too slowly")
        }
    }
}

/// JSON bodies, read strictly.
enum BodyJSON {
    /// Throws `invalidInput` naming the byte offset.
    static func read(_ bytes: [UInt8], maxDepth: Int) throws(ActorError) -> JSONValue {
        do {
            return try JSONReader.read(bytes, maxDepth: maxDepth)
        } catch {
            throw refusal(error)
        }
    }

    /// Says the same without building the tree.
    static func check(_ bytes: [UInt8], maxDepth: Int, member: String) throws(ActorError) -> JSONScan.Finding {
        do {
            return try JSONScan.check(bytes, maxDepth: maxDepth, member: member)
        } catch {
            throw refusal(error)
        }
    }

    private static func refusal(_ failure: JSONReader.Failure) -> ActorError {
        ActorError(
            .invalidInput, "the body is no acceptable JSON: \(failure.description)",
            details: [ActorError.Detail(place: "byte \(failure.offset)", problem: failure.reason)])
    }

    /// An object, or nothing for an empty body.
    static func object(_ request: Request, limits: Limits) async throws -> JSONValue {
        let bytes = try await BodyReader.bytes(of: request, limit: limits.maxBodyBytes)
        guard !bytes.isEmpty else { return [:] }
        let value = try read(bytes, maxDepth: limits.maxJSONDepth)
        guard value.object != nil else { throw ActorError(.invalidInput, "the body must be a JSON object") }
        return value
    }
}
