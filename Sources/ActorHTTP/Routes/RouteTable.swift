import HTTPTypes
import Hummingbird

/// Declares what each path answers to; every other method is 405 with the list of those that work.
struct RouteTable {
    typealias Handler = @Sendable (Request, HTTPContext) async throws -> Response

    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete]

    /// What answers one method of one path.
    struct Declared: Hashable {
        let method: HTTPRequest.Method
        /// As it was declared, with `:name` for what varies.
        let path: String
    }

    private final class List {
        var all: [Declared] = []
    }

    let router: Router<HTTPContext>
    private let list = List()

    init(router: Router<HTTPContext>) { self.router = router }

    /// Everything that was declared, without what follows from it: HEAD, OPTIONS and refusals of other methods.
    var declared: [Declared] { list.all }

    /// - Parameter cors: answers `OPTIONS`, also as a preflight (actors API, section 1.1).
    func on(_ path: String, cors: Bool = false, _ handlers: [HTTPRequest.Method: Handler]) {
        var allowed = Self.methods.filter { handlers[$0] != nil }
        if handlers[.get] != nil { allowed.append(.head) }
        if cors { allowed.append(.options) }
        let allow = allowed.map(\.rawValue).joined(separator: ", ")
        for method in Self.methods {
            if let handler = handlers[method] {
                list.all.append(Declared(method: method, path: path))
                router.on(RouterPath(path), method: method, use: handler)
            } else {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw HTTPError(.methodNotAllowed, headers: [.allow: allow])
                }
            }
        }
        if cors {
            router.on(RouterPath(path), method: .options) { request, _ in Self.preflight(request, allow: allow) }
        }
    }

    private static func preflight(_ request: Request, allow: String) -> Response {
        var response = Response(status: .ok, headers: [.contentType: "text/html; charset=utf-8", .allow: allow])
        response.headers[.accessControlAllowOrigin] = "*"
        guard let origin = request.headers[.origin], request.headers[.accessControlRequestMethod] != nil else {
            return response
        }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.vary] = "Origin"
        response.headers[.accessControlAllowMethods] = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
        if let asked = request.headers[.accessControlRequestHeaders] {
            response.headers[.accessControlAllowHeaders] = asked
        }
        return response
    }
}
