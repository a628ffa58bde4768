import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// Tokens for passwords, in the two forms that clients of the actors API ask for them (section 5.5). Open only where
/// `config.yml` gives users passwords.
struct LoginRoutes {
    private static let site = "reactord"

    let front: HTTPFront

    private var reply: ActorsReply { ActorsReply(version: front.settings.version, keyCase: .snake) }

    func add(to table: RouteTable) {
        table.on("/token", cors: true, [.post: second])
        table.on("/v3/oauth2/tokens", cors: true, [.post: third])
        table.on("/v3/tenants", cors: true, [.get: tenants])
        table.on("/v3/tenants/:tenant", cors: true, [.get: tenant])
        table.on("/v3/sites", cors: true, [.get: sites])
    }

    // MARK: Second generation

    /// OAuth's own form. Clients are not kept: any key and secret do, the password decides.
    @Sendable private func second(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let logins = try front.openLogins()
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        let scope = fields.text("scope") ?? "PRODUCTION"
        let result = Result { () throws(ActorError) in try pair(fields, logins) }
        switch result {
        case .success(nil): return Self.refusal("unsupported_grant_type", "password and refresh_token are known here")
        case .success(let pair?):
            return .json([
                "access_token": .string(pair.access), "refresh_token": .string(pair.refresh),
                "expires_in": .int(LoginTokens.accessSeconds), "token_type": "bearer", "scope": .string(scope),
            ])
        case .failure(let error):
            switch error.code {
            case .invalidInput: return Self.refusal("invalid_request", error.message)
            case .unauthenticated: return Self.refusal("invalid_grant", error.message)
            default: throw error
            }
        }
    }

    /// Nil for a grant that is not known here.
    private func pair(_ fields: RequestFields, _ logins: LoginTokens) throws(ActorError) -> LoginTokens.Pair? {
        switch fields.text("grant_type") {
        case "password": return try logins.login(try Self.text(fields, "username"), try Self.text(fields, "password"))
        case "refresh_token": return try logins.refresh(try Self.text(fields, "refresh_token"))
        case "admin_password":
            let user = try Self.text(fields, "username")
            _ = try logins.login(user, try Self.text(fields, "password"))
            guard front.verifier.configuredRoles(of: user)?.contains(.admin) == true else {
                throw ActorError(.unauthenticated, "only admins may have tokens of others")
            }
            let other = try Self.text(fields, "token_username")
            guard logins.knows(other) else {
                throw ActorError(.unauthenticated, "there is no user \(other.prefix(64)) with a password")
            }
            return logins.pair(for: other)
        default: return nil
        }
    }

    private static func text(_ fields: RequestFields, _ name: String) throws(ActorError) -> String {
        guard let text = fields.text(name), !text.isEmpty, text.utf8.count <= 8192 else {
            throw ActorError(.invalidInput, "the field \(name) is needed")
        }
        return text
    }

    /// RFC 6749, section 5.2.
    private static func refusal(_ error: String, _ description: String) -> Response {
        .json(["error": .string(error), "error_description": .string(description)], status: .badRequest)
    }

    // MARK: Third generation

    @Sendable private func third(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let logins = try front.openLogins()
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        let pair: LoginTokens.Pair
        switch fields.text("grant_type") ?? "password" {
        case "password":
            pair = try logins.login(try Self.text(fields, "username"), try Self.text(fields, "password"))
        case "refresh_token": pair = try logins.refresh(try Self.text(fields, "refresh_token"))
        default: throw ActorError(.invalidInput, "grant_type is password or refresh_token")
        }
        return reply.object(
            "Token created successfully.",
            [
                "access_token": [
                    "access_token": .string(pair.access), "expires_at": JSONValue(pair.expires),
                    "expires_in": .int(LoginTokens.accessSeconds), "jti": .string(pair.accessID),
                ],
                "refresh_token": [
                    "refresh_token": .string(pair.refresh), "expires_at": JSONValue(pair.refreshExpires),
                    "expires_in": .int(LoginTokens.refreshSeconds), "jti": .string(pair.refreshID),
                ],
            ])
    }

    @Sendable private func tenants(_ request: Request, _ context: HTTPContext) async throws -> Response {
        reply.object("Tenants retrieved successfully.", .array(names.map(document)))
    }

    @Sendable private func tenant(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let name = context.word("tenant")
        guard names.contains(name) else { throw ActorError(.notFound, "there is no tenant \(name.prefix(64))") }
        return reply.object("Tenant retrieved successfully.", document(name))
    }

    @Sendable private func sites(_ request: Request, _ context: HTTPContext) async throws -> Response {
        reply.object(
            "Sites retrieved successfully.",
            [
                [
                    "site_id": .string(Self.site), "primary": true, "base_url": .string(front.baseURL),
                    "tenant_base_url_template": .string(front.baseURL),
                    "site_admin_tenant_id": .string(front.settings.tenant), "services": ["actors", "tokens"],
                ]
            ])
    }

    private var names: [String] { front.settings.tenants }

    private func document(_ name: String) -> JSONValue {
        [
            "tenant_id": .string(name), "base_url": .string(front.baseURL(of: name)), "site_id": .string(Self.site),
            "status": "active", "description": "", "owner": "admin", "token_service": "",
        ]
    }
}

extension HTTPFront {
    /// `notFound` where nobody has a password.
    func openLogins() throws(ActorError) -> LoginTokens {
        guard let logins = verifier.logins, logins.isOpen else {
            throw ActorError(
                .notFound, "nobody has a password here: set auth.users.NAME.password, or use a token of reactord token")
        }
        return logins
    }
}
