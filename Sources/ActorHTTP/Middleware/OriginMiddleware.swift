import ActorCore
import HTTPTypes
import Hummingbird

/// Keeps foreign web pages out of a daemon on loopback: no rebound host names, and no requests from other sites
/// when callers need no token.
struct OriginMiddleware: RouterMiddleware {
    typealias Context = HTTPContext

    private let allowedHosts: Set<String>?
    private let authenticationOff: Bool

    init(settings: HTTPServerSettings) {
        authenticationOff = settings.authenticationOff
        guard settings.isLoopback else {
            allowedHosts = nil
            return
        }
        var hosts: Set<String> = ["localhost", "127.0.0.1", "::1", settings.host.lowercased()]
        if let url = settings.publicURL, let scheme = url.firstRange(of: "://") {
            let authority = url[scheme.upperBound...].prefix { $0 != "/" }
            if let host = Self.host(of: String(authority)) { hosts.insert(host) }
        }
        allowedHosts = hosts
    }

    func handle(
        _ request: Request, context: HTTPContext,
        next: @concurrent (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        guard answers(to: request.head.authority) else {
            throw HTTPError(
                .misdirectedRequest,
                message: "this daemon does not answer to that host name; set server.public_url if it should")
        }
        if authenticationOff, isForeign(request), RequestArea(path: request.uri.path) != .open {
            throw HTTPError(.forbidden, message: "requests from other web sites are refused while auth.mode is off")
        }
        return try await next(request, context)
    }

    /// Whether this daemon is meant by the `Host` header.
    func answers(to authority: String?) -> Bool {
        guard let allowedHosts else { return true }
        return authority.flatMap(Self.host(of:)).map(allowedHosts.contains) ?? false
    }

    /// By `Sec-Fetch-Site` where the browser sends it, else by `Origin`.
    private func isForeign(_ request: Request) -> Bool {
        if let name = HTTPField.Name("Sec-Fetch-Site"), let site = request.headers[name] {
            return site != "same-origin" && site != "none"
        }
        guard let origin = request.headers[.origin], let authority = request.head.authority else { return false }
        return origin != "http://\(authority)" && origin != "https://\(authority)"
    }

    /// Host name of `name:port` or `[v6]:port`, in lower case; nil when it is neither.
    static func host(of authority: String) -> String? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            return authority[authority.index(after: authority.startIndex)..<end].lowercased()
        }
        let host = authority.utf8.prefix { $0 != UInt8(ascii: ":") }
        return host.isEmpty ? nil : Substring(host).lowercased()
    }
}
