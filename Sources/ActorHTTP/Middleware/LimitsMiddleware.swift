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
        let isBinary = ContentType(request.headers[.contentType]).isBinary
        return Int64(isBinary ? limits.maxBinaryBytes : limits.maxBodyBytes)
    }
}
