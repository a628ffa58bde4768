import ActorAPI
import ActorCore
import HTTPTypes
import Hummingbird

/// Refuses what announces itself as too large or packed, before anybody looks at it.
struct LimitsMiddleware: RouterMiddleware {
    typealias Context = HTTPContext

    let limits: Limits

    func handle(
        _ request: Request, context: HTTPContext,
        next: @concurrent (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw HTTPError(.unsupportedMediaType, message: "Content-Encoding is not supported: send the body as it is")
        }
        if let coding = request.headers[.transferEncoding], coding.lowercased() != "chunked" {
            throw HTTPError(.notImplemented, message: "Transfer-Encoding: nothing but chunked is known here")
        }
        // The first one has become the request's authority.
        if let name = HTTPField.Name("Host"), request.headers[name] != nil {
            throw ActorError(.invalidInput, "there is more than one Host header")
        }
        if let text = request.headers[.contentType] { try MultipartForm.check(ContentType(text)) }
        if let text = request.headers[.contentLength] {
            let limit = limit(for: request)
            guard let length = Int64(text), length >= 0 else {
                throw ActorError(.invalidInput, "Content-Length is no number")
            }
            guard length <= limit else {
                throw ActorError(.tooLarge, "the body has \(length) bytes, at most \(limit) are taken")
            }
        }
        return try await next(request, context)
    }

    private func limit(for request: Request) -> Int64 {
        if request.method == .put, request.uri.path.hasPrefix(Paths.uploads + "/") { return limits.maxUploadBytes }
        if request.uri.path == Paths.importAbaco { return ImportRoutes.maxBytes }
        if RequestArea(path: request.uri.path) == .login { return Int64(limits.fieldBytes(of: request)) }
        let isBinary = ContentType(request.headers[.contentType]).isBinary
        return Int64(isBinary ? limits.maxBinaryBytes : limits.maxBodyBytes)
    }
}

extension Limits {
    /// A password needs no more, and who sends one is not known yet.
    static let loginBytes = 65_536

    /// The most that a body with named fields may have.
    func fieldBytes(of request: Request) -> Int {
        RequestArea(path: request.uri.path) == .login ? min(maxBodyBytes, Self.loginBytes) : maxBodyBytes
    }
}
