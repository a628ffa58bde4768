import ActorAPI
import ActorCore
import HTTPTypes
import Hummingbird
import NIOCore

/// The one place where a failure becomes a status and a body.
enum ErrorReply {
    static func response(to error: ActorError, area: RequestArea, version: String) -> Response {
        let status = area == .actors ? actorsStatus(of: error.code) : status(of: error.code)
        var response =
            area == .actors || area == .login
            ? ActorsReply.failure(text(error), status: status, version: version) : problem(error, status: status)
        if let seconds = retryAfter(error.code) { response.headers[.retryAfter] = seconds }
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }

    static func response(to error: HTTPError, area: RequestArea, version: String) -> Response {
        let detail = error.body ?? error.status.reasonPhrase
        var response: Response
        if area == .actors || area == .login {
            let text =
                error.status == .methodNotAllowed || (error.status == .notFound && error.body == nil)
                ? noSuchEndpoint : detail
            response = ActorsReply.failure(text, status: error.status, version: version)
        } else {
            let code = error.status.reasonPhrase.lowercased().map { $0 == " " ? "-" : $0 }
            response = problem(
                ProblemPayload(
                    type: ProblemPayload.typePrefix + String(code), title: error.status.reasonPhrase,
                    status: error.status.code, detail: detail), status: error.status)
        }
        response.headers.append(contentsOf: error.headers)
        return response
    }

    /// A refusal with what the asker needs to do better: how the job stands and what it would take.
    static func response(to refused: KeeperRefusal) -> Response {
        let status = status(of: refused.code)
        var json = ProblemPayload(
            type: ProblemPayload.type(for: refused.code), title: title(of: refused.code), status: status.code,
            detail: refused.message
        ).json
        for fact in refused.facts { json = json.setting(fact.name, fact.value) }
        json = json.setting("execution_id", .string(refused.execution.rawValue))
        return .bytes(JSONWriter.bytes(json), type: ProblemPayload.contentType, status: status)
    }

    /// What ``response(to:area:version:)`` says in the actors API, for who writes bytes.
    static func actorsParts(
        of error: ActorError, version: String
    ) -> (status: HTTPResponse.Status, retryAfter: String?, body: [UInt8]) {
        let status = actorsStatus(of: error.code)
        return (status, retryAfter(error.code), ActorsReply.failureBytes(text(error), version: version))
    }

    private static func retryAfter(_ code: ActorError.Code) -> String? {
        switch code {
        case .tooManyRequests: "5"
        case .unavailable: "2"
        default: nil
        }
    }

    static let noSuchEndpoint =
        "Invalid request: the API endpoint does not exist or the provided HTTP method is not allowed."

    static func status(of code: ActorError.Code) -> HTTPResponse.Status {
        switch code {
        case .invalidInput: .badRequest
        case .schemaViolation, .idempotencyMismatch: .unprocessableContent
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict, .refusedTransition, .cancelled: .conflict
        case .tooLarge: .contentTooLarge
        case .tooManyRequests: .tooManyRequests
        case .storageFull: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        case .unavailable: .serviceUnavailable
        case .timedOut: .gatewayTimeout
        case .cannotStart, .internalFailure: .internalServerError
        }
    }

    /// Refusals of every kind are 400 there (actors API, section 1.5).
    static func actorsStatus(of code: ActorError.Code) -> HTTPResponse.Status {
        switch code {
        case .schemaViolation, .unauthenticated, .forbidden: .badRequest
        default: status(of: code)
        }
    }

    /// The message with its places; never the cause, which may quote what strangers must not read.
    static func text(_ error: ActorError) -> String {
        // The message may say it already.
        error.details.filter { !error.message.hasSuffix($0.problem) || !error.message.contains($0.place) }
            .reduce(error.message) { text, detail in
                "\(text); \(detail.place.isEmpty ? "" : "\(detail.place): ")\(detail.problem)"
            }
    }

    private static func problem(_ error: ActorError, status: HTTPResponse.Status) -> Response {
        let detail = error.code == .unauthenticated ? ActorError.notAuthorized.message : error.message
        return problem(
            ProblemPayload(
                type: ProblemPayload.type(for: error.code), title: title(of: error.code), status: status.code,
                detail: detail,
                errors: error.details.map { ProblemPayload.Place(place: $0.place, problem: $0.problem) }),
            status: status)
    }

    private static func problem(_ payload: ProblemPayload, status: HTTPResponse.Status) -> Response {
        .bytes(JSONWriter.bytes(payload.json), type: ProblemPayload.contentType, status: status)
    }

    private static func title(of code: ActorError.Code) -> String {
        switch code {
        case .invalidInput: "Invalid input"
        case .schemaViolation: "The message does not match its schema"
        case .unauthenticated: "Not authorized"
        case .forbidden: "Not allowed"
        case .notFound: "Not found"
        case .conflict: "Conflict"
        case .idempotencyMismatch: "The idempotency key was used with another body"
        case .tooLarge: "Too large"
        case .tooManyRequests: "Too many requests"
        case .storageFull: "No space left"
        case .unavailable: "Not available now"
        case .refusedTransition: "Not allowed in this state"
        case .cannotStart: "Could not be started"
        case .timedOut: "Timed out"
        case .cancelled: "Cancelled"
        case .internalFailure: "Internal failure"
        }
    }
}
