import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// Finds out who asks, before any body is read. Nothing but the page, health, preflights and, where users have
/// passwords, the way to log in is open.
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
        case .login where front.takesLogins: break
        case .actors where request.method == .options, .login where request.method == .options: break
        case .actors: context.caller = try await caller(of: request, takesNonce: true)
        case .api where request.uri.path.hasPrefix(Paths.uploads + "/"):
            context.caller = try await caller(of: request, takesNonce: true)
        case .api, .login, .operations: context.caller = try await caller(of: request, takesNonce: false)
        }
        return try await next(request, context)
    }

    private func caller(of request: Request, takesNonce: Bool) async throws(ActorError) -> Caller {
        if front.settings.authenticationOff { return front.anybody }
        if let shown = try await front.credentials.shown(in: request.headers) {
            guard !shown.principal.roles.isEmpty else {
                throw ActorError(.forbidden, "Not authorized -- missing required role.")
            }
            return Caller(principal: shown.principal, tokenHeader: shown.signedHeader)
        }
        // Only in the query, and only without a token (actors API, section 4).
        guard takesNonce, let word = request.formItems.first("x-nonce") else {
            throw ActorError(.unauthenticated, "No JWT or nonce provided.")
        }
        guard !word.isEmpty, word.utf8.count <= 256, let nonce = try await front.system.store.nonce(NonceID(word))
        else { throw Nonce.missing }
        guard !nonce.isExhausted || Self.mayBeRepeated(request) else { throw Nonce.usedUp }
        front.nonces.keep(nonce)
        return front.caller(of: nonce)
    }

    /// Whether the message may be here already, under the key that it brings: the store, which knows, answers it as the
    /// first time then. A message that is new it refuses, as one that comes by any nonce without a use left.
    private static func mayBeRepeated(_ request: Request) -> Bool {
        guard request.method == .post, request.uri.path.hasSuffix("/messages") else { return false }
        return ["Idempotency-Key", "ce-id"].contains { HTTPField.Name($0).map { request.headers[$0] != nil } ?? false }
    }

    /// The same without waiting; nil when that takes a look at the disk, and for who is refused.
    func callerNow(authorization: String?, query: FormItems) -> Caller? {
        if front.settings.authenticationOff { return front.anybody }
        if let authorization {
            guard !front.verifier.isLookDue, let token = Credentials.bearer(authorization) else { return nil }
            return front.verifier.knownPrincipal(of: token).map { Caller(principal: $0) }
        }
        guard let word = query.first("x-nonce") else { return nil }
        return front.nonces[NonceID(word)].map(front.caller(of:))
    }
}

extension HTTPFront {
    /// Everybody, when nobody has to say who it is.
    var anybody: Caller {
        Caller(principal: Principal(username: "admin", tenant: settings.tenant, roles: [.admin]))
    }

    /// Whether what a long answer began with still stands for the same caller: tokens expire and are taken back, and
    /// so are roles.
    func stillLetsIn(_ caller: Caller, by fields: HTTPFields) async -> Bool {
        if settings.authenticationOff { return true }
        return (try? await credentials.shown(in: fields))?.principal == caller.principal
    }

    /// Whom a nonce lets in, if anybody: its owner, with the rights that its owner has now, but nobody's administrator.
    func caller(of nonce: Nonce) -> Caller {
        let roles = roles(behind: nonce).subtracting([.admin])
        return Caller(
            principal: Principal(username: nonce.owner, tenant: nonce.tenant, roles: roles, nonce: nonce.id),
            nonce: nonce)
    }

    /// What the owner of a nonce is now. Of users who are let in by a gateway alone nobody knows it here: they are
    /// what they were when they made it.
    func roles(behind nonce: Nonce) -> Set<Role> {
        guard nonce.tenant == settings.tenant else { return Set(nonce.roles) }
        // Whose token is the daemon's own.
        if nonce.owner == anybody.username { return [.admin] }
        if let roles = verifier.configuredRoles(of: nonce.owner) { return roles }
        return credentials.gateways.isEmpty ? [.user] : Set(nonce.roles)
    }
}

extension Nonce {
    static let missing = ActorError(.unauthenticated, "Nonce does not exist.")
    static let usedUp = ActorError(.unauthenticated, "No remaining uses left for this nonce.")
    static let tooLow = ActorError(.unauthenticated, "Nonce does not have sufficient permissions level.")
}
