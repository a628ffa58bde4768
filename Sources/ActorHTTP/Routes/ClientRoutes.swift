import ActorCore
import ActorRuntime
import Crypto
import HTTPTypes
import Hummingbird

/// `/clients/v2`: OAuth clients as agavepy makes them before it asks for a token (actors API, section 5.5).
///
/// A client is no right of its own: `POST /token` asks for the user's password whatever client is shown. Names are
/// kept so that they can be listed and deleted; keys and secrets are made of the name and this daemon's own key.
struct ClientRoutes {
    private static let mostClients = 100
    private static let longestText = 256

    private struct Client {
        let name: String
        let description: String
    }

    let front: HTTPFront

    private var reply: ActorsReply { ActorsReply(version: front.settings.version, keyCase: .snake) }

    func add(to table: RouteTable) {
        table.on("/clients/v2", cors: true, [.get: list, .post: create])
        table.on("/clients/v2/:client", cors: true, [.get: read, .delete: delete])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (user, logins) = try login(request)
        let clients = try await clients(of: user)
        return reply.object("Clients retrieved successfully.", .array(clients.map { document($0, user, logins) }))
    }

    @Sendable private func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (user, logins) = try login(request)
        let fields = try await RequestFields.read(request, limits: front.system.limits)
        guard let name = fields.text("clientName"), Self.isName(name) else {
            throw ActorError(
                .invalidInput, "clientName takes 1 to \(Self.longestText) bytes of text without slashes and controls")
        }
        let client = Client(
            name: name, description: fields.text("description").map { String($0.prefix(Self.longestText)) } ?? "")
        try await front.clientChanges.run { () async throws(ActorError) in
            let clients = try await self.clients(of: user)
            guard !clients.contains(where: { $0.name == name }) else {
                throw ActorError(.conflict, "there is a client \(name) already; delete it first, or take another name")
            }
            guard clients.count < Self.mostClients else {
                throw ActorError(.tooManyRequests, "a user has at most \(Self.mostClients) clients; delete one first")
            }
            try await self.keep(clients + [client], of: user)
        }
        return reply.object(
            "Client created successfully.",
            document(client, user, logins).setting("consumerSecret", .string(logins.clientKey("secret", user, name))),
            status: .created)
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (user, logins) = try login(request)
        let name = context.word("client")
        guard let client = try await clients(of: user).first(where: { $0.name == name }) else {
            throw Self.missing(name)
        }
        return reply.object("Client details retrieved successfully.", document(client, user, logins))
    }

    @Sendable private func delete(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (user, _) = try login(request)
        let name = context.word("client")
        try await front.clientChanges.run { () async throws(ActorError) in
            let clients = try await self.clients(of: user)
            guard clients.contains(where: { $0.name == name }) else { throw Self.missing(name) }
            try await self.keep(clients.filter { $0.name != name }, of: user)
        }
        return reply.object("Client removed successfully.", .null)
    }

    // MARK: Who asks

    /// Name and password, as HTTP's Basic scheme sends them (RFC 7617).
    private func login(_ request: Request) throws(ActorError) -> (user: String, logins: LoginTokens) {
        let logins = try front.openLogins()
        guard let header = request.headers[.authorization] else {
            throw ActorError(.unauthenticated, "OAuth clients want a user and a password (Basic authentication)")
        }
        guard let word = Credentials.word(behind: "basic", in: header, mostBytes: 8192),
            let bytes = SignedToken.bytes(word)
        else { throw ActorError(.unauthenticated, "OAuth clients want a user and a password (Basic authentication)") }
        let halves = String(decoding: bytes, as: UTF8.self)
            .split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else { throw ActorError(.unauthenticated, "Invalid username or password.") }
        try logins.check(String(halves[0]), String(halves[1]))
        return (String(halves[0]), logins)
    }

    // MARK: What is kept

    private static func setting(_ user: String) -> String { "oauth_clients/\(user)" }

    private func clients(of user: String) async throws(ActorError) -> [Client] {
        guard let text = try await front.system.store.setting(Self.setting(user)) else { return [] }
        let items = (try? JSONReader.read(Array(text.utf8)))?.array ?? []
        return items.compactMap { item in
            item["name"]?.string.map { Client(name: $0, description: item["description"]?.string ?? "") }
        }
    }

    private func keep(_ clients: [Client], of user: String) async throws(ActorError) {
        let items: [JSONValue] = clients.map {
            ["name": .string($0.name), "description": .string($0.description)]
        }
        try await front.system.store.setSetting(Self.setting(user), JSONWriter.string(.array(items)))
    }

    private func document(_ client: Client, _ user: String, _ logins: LoginTokens) -> JSONValue {
        [
            "name": .string(client.name), "description": .string(client.description), "tier": "Unlimited",
            "callbackUrl": "", "consumerKey": .string(logins.clientKey("key", user, client.name)),
            "_links": [
                "self": ["href": .string("\(front.baseURL)/clients/v2/\(PercentText.escaped(client.name))")],
                "subscriber": ["href": .string("\(front.baseURL)/profiles/v2/\(PercentText.escaped(user))")],
            ],
        ]
    }

    private static func isName(_ name: String) -> Bool {
        (1...longestText).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f && $0 != "/" }
    }

    private static func missing(_ name: String) -> ActorError {
        ActorError(.notFound, "there is no client \(name.prefix(64))")
    }
}
