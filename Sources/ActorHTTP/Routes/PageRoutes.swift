import ActorAPI
import ActorCore
import HTTPTypes
import Hummingbird

/// The page: three files that are part of the program.
struct PageRoutes {
    func add(to table: RouteTable) {
        table.on("/", [.get: root])
        table.on("/ui", [.get: index])
        table.on("/ui/app.css", [.get: style])
        table.on("/ui/app.js", [.get: script])
    }

    private static let redirect = Response(status: .seeOther, headers: [.location: Paths.page])

    /// A browser gets the page, a script a hint.
    @Sendable private func root(_ request: Request, _ context: HTTPContext) async throws -> Response {
        if let accept = request.headers[.accept], accept.contains("text/html") { return Self.redirect }
        return .json(["service": "reactord", "page": .string(Paths.page), "api": .string(Paths.root)])
    }

    /// With the slash at the end, which the page's relative links need.
    @Sendable private func index(_ request: Request, _ context: HTTPContext) async throws -> Response {
        guard request.uri.path.hasSuffix("/") else { return Self.redirect }
        return Self.file(PackageResources.index_html, "text/html; charset=utf-8")
    }

    @Sendable private func style(_ request: Request, _ context: HTTPContext) async throws -> Response {
        Self.file(PackageResources.app_css, "text/css; charset=utf-8")
    }

    @Sendable private func script(_ request: Request, _ context: HTTPContext) async throws -> Response {
        Self.file(PackageResources.app_js, "text/javascript; charset=utf-8")
    }

    private static func file(_ bytes: [UInt8], _ type: String) -> Response {
        var response = Response.bytes(bytes, type: type)
        response.headers[.cacheControl] = "no-cache"
        return response
    }
}
