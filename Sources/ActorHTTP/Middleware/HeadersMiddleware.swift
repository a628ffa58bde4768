import HTTPTypes
import Hummingbird

/// Headers that every answer carries: browsers must not guess types, frame us, or keep what they saw.
struct HeadersMiddleware: RouterMiddleware {
    typealias Context = HTTPContext

    static let pagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    /// The lines that every answer of the actors API has besides its content type, as they go over the wire.
    static let actorsLines =
        "x-content-type-options: nosniff\r\ncontent-security-policy: \(dataPolicy)\r\nreferrer-policy: no-referrer\r\n"
        + "cache-control: no-store\r\naccess-control-allow-origin: *\r\n"
    static let dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox"

    func handle(
        _ request: Request, context: HTTPContext,
        next: @concurrent (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.contentSecurityPolicy] =
            request.uri.path.hasPrefix("/ui") ? Self.pagePolicy : Self.dataPolicy
        if let name = HTTPField.Name("Referrer-Policy") { response.headers[name] = "no-referrer" }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if RequestArea(path: request.uri.path) == .actors, response.headers[.accessControlAllowOrigin] == nil {
            response.headers[.accessControlAllowOrigin] = "*"
        }
        return response
    }
}
