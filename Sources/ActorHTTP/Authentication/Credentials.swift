import ActorCore
import HTTPTypes

/// Finds the token in a request and tells whose it is, whichever header it came in.
struct Credentials: Sendable {
    /// Who was shown, and by which header of a gateway.
    struct Shown: Sendable {
        let principal: Principal
        let signedHeader: String?
    }

    static let tapisHeader = "x-tapis-token"

    let verifier: TokenVerifier
    let gateways: [Gateway]
    let tenant: String

    /// Beginnings of header names, in lower case, in which a token may come besides `Authorization`.
    var headers: [String] {
        gateways.map { gateway in
            let name = gateway.settings.header.lowercased()
            return name.hasSuffix("*") ? String(name.dropLast()) : name
        }.filter { $0 != "authorization" } + [Self.tapisHeader]
    }

    /// Nil when there is no token at all. One that is refused is refused, whatever else the request has.
    func shown(in fields: HTTPFields) async throws(ActorError) -> Shown? {
        var isRefused = false
        for gateway in gateways where gateway.settings.header.lowercased() != "authorization" {
            for field in fields {
                guard let match = gateway.settings.match(field.name.canonicalName) else { continue }
                if let principal = await gateway.principal(
                    of: Self.token(field.value), headerTenant: match.tenant, standardTenant: tenant)
                {
                    return Shown(principal: known(principal), signedHeader: Self.spelled(field.name.rawName))
                }
                // The header may have other kinds of tokens, and that of Tapis our own.
                if field.name.canonicalName != Self.tapisHeader { isRefused = true }
            }
        }
        guard !isRefused else { throw .notAuthorized }
        if let name = HTTPField.Name(Self.tapisHeader), let token = fields[name] {
            guard let principal = await verifier.principal(of: Self.token(token)) else { throw .notAuthorized }
            return Shown(principal: principal, signedHeader: nil)
        }
        guard let header = fields[.authorization] else { return nil }
        guard let token = Self.bearer(header) else { throw .notAuthorized }
        if let principal = await verifier.principal(of: token) {
            return Shown(principal: principal, signedHeader: nil)
        }
        for gateway in gateways where gateway.settings.header.lowercased() == "authorization" {
            if let principal = await gateway.principal(of: token, headerTenant: nil, standardTenant: tenant) {
                return Shown(principal: known(principal), signedHeader: nil)
            }
        }
        throw .notAuthorized
    }

    /// What `config.yml` says about a user of this house goes for signed tokens as well.
    private func known(_ principal: Principal) -> Principal {
        guard principal.tenant == tenant, let roles = verifier.configuredRoles(of: principal.username) else {
            return principal
        }
        var principal = principal
        principal.roles.formUnion(roles)
        return principal
    }

    /// `X-Jwt-Assertion-Dev-Develop`, as scripts find it in their environment (actors API, section 3.3).
    private static func spelled(_ name: String) -> String {
        name.split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }.joined(separator: "-")
    }

    private static func token(_ value: String) -> String { bearer(value) ?? value }

    /// The token of an `Authorization: Bearer …` header; any other scheme is none.
    static func bearer(_ header: String) -> String? {
        Self.word(behind: "bearer", in: header, mostBytes: 16384).map(String.init)
    }

    /// The one word behind the scheme of an `Authorization` header (RFC 9110, section 11.4); nil for another scheme
    /// (`scheme` is in lower case), for none or more words, and for one that is too long.
    static func word(behind scheme: String, in header: String, mostBytes: Int) -> Substring? {
        // By bytes: to look for the borders of characters costs every message a tenth of its way in.
        let words = header.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
        guard words.count == 2, Substring(words[0]).lowercased() == scheme, words[1].count <= mostBytes else {
            return nil
        }
        return Substring(words[1])
    }
}
