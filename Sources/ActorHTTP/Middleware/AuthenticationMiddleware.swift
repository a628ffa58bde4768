import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// Finds out who asks, before any body is read. Nothing but the page, health and preflights is open.
struct AuthenticationMiddleware: RouterMiddleware {
    typealias Context = HTTPContext

    let front: HTTPFront

    func handle(
        _ request: Request, context: HTTPContext,
        next: @concurrent (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        switch RequestArea(path: request.uri.path) {
        case .open: break
        case .actors where request.method == .options: break
        case .actors: context.caller = try await caller(of: request, takesNonce: true)
        case .api: context.caller = try await caller(of: request, takesNonce: false)
        }
        return try await next(request, context)
    }

    private func caller(of request: Request, takesNonce: Bool) async throws(ActorError) -> Caller {
        if front.settings.authenticationOff { return front.anybody }
        if let header = request.headers[.authorization] {
            guard let token = Self.bearer(header), let principal = await front.verifier.principal(of: token) else {
                throw .notAuthorized
            }
            return Caller(principal: principal)
        }
        // Only in the query, and only without a token (actors API, section 4).
        guard takesNonce, let word = request.formItems.first("x-nonce"), !word.isEmpty, word.utf8.count <= 256,
            let nonce = try await front.system.store.nonce(NonceID(word)), let caller = front.caller(of: nonce)
        else { throw .notAuthorized }
        front.nonces.keep(nonce)
        return caller
    }

    /// The same without waiting; nil when that takes a look at the disk, and for who is refused.
    func callerNow(authorization: String?, query: FormItems) -> Caller? {
        if front.settings.authenticationOff { return front.anybody }
        if let authorization {
            guard !front.verifier.isLookDue, let token = Self.bearer(authorization) else { return nil }
            return front.verifier.knownPrincipal(of: token).map { Caller(principal: $0) }
        }
        guard let word = query.first("x-nonce") else { return nil }
        return front.nonces[NonceID(word)].flatMap(front.caller(of:))
    }

    /// The token of an `Authorization: Bearer …` header; any other scheme is none.
    static func bearer(_ header: String) -> String? {
        let words = header.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer", words[1].utf8.count <= 4096 else { return nil }
        return String(words[1])
    }
}

extension HTTPFront {
    /// Everybody, when nobody has to say who it is.
    var anybody: Caller {
        Caller(principal: Principal(username: "admin", tenant: settings.tenant, roles: [.admin]))
    }

    /// Whom a nonce lets in, if anybody.
    func caller(of nonce: Nonce) -> Caller? {
        guard nonce.tenant == settings.tenant, !nonce.isExhausted else { return nil }
        let roles = Set(nonce.roles).subtracting([.admin])
        return Caller(
            principal: Principal(username: nonce.owner, tenant: nonce.tenant, roles: roles, nonce: nonce.id),
            nonce: nonce)
    }
}
