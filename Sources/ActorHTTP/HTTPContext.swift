import ActorCore
package import Hummingbird
import NIOCore

/// What travels with one request through the front.
package struct HTTPContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The connection, for answers after which it must be closed.
    let channel: any Channel
    /// Set by the authentication; nil on open paths.
    var caller: Caller?

    package init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.channel = source.channel
    }

    /// The path segment captured as `name`, percent-decoded.
    func word(_ name: String = "id") -> String { parameters.get(name).map(FormItems.decoded(percent:)) ?? "" }

    func requireCaller() throws(ActorError) -> Caller {
        guard let caller else { throw .notAuthorized }
        return caller
    }
}

/// Who asks, and the nonce that was shown instead of a token.
package struct Caller: Sendable {
    let principal: Principal
    let nonce: Nonce?
    /// The header whose signed token said who it is, as scripts are told its name.
    let tokenHeader: String?

    init(principal: Principal, nonce: Nonce? = nil, tokenHeader: String? = nil) {
        self.principal = principal
        self.nonce = nonce
        self.tokenHeader = tokenHeader
    }

    var username: String { principal.username }
    var isAdmin: Bool { principal.isAdmin }
}

extension ActorError {
    /// The one answer to every token that is refused: a guess learns nothing from it.
    static var notAuthorized: ActorError { ActorError(.unauthenticated, "Not authorized.") }
}
