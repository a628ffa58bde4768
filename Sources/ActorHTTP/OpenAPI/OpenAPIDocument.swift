import ActorAPI
import ActorCore
import Hummingbird

/// The description of the whole API (OpenAPI 3.1), as this daemon is configured.
struct OpenAPIDocument {
    private static let introduction = """
        Two APIs in one: that of Abaco and Tapis Actors under /actors/v2, /v3/actors and /actors, in their envelope, \
        and the daemon's own under /api/v1, whose errors are problem+json. Every path of the actors API answers \
        OPTIONS, every GET answers HEAD, any other method is 405 with Allow. Slashes that follow each other are one.
        """

    let version: String
    let url: String
    /// `server.case: camel`; the third generation is snake_case whatever it says.
    let isCamel: Bool
    /// `auth.mode: off`.
    let isOpen: Bool

    static let operations: [Operation] =
        ActorsGeneration.allCases.flatMap { ActorsAPIOperations(generation: $0).all } + DaemonOperations.all

    var json: JSONValue {
        var writer = SchemaWriter()
        var paths: [(path: String, methods: [JSONValue.Member])] = []
        for operation in Self.operations {
            let member = JSONValue.Member(
                operation.method.rawValue.lowercased(),
                operation.json(&writer, spelling(of: operation.path), isOpen: isOpen))
            if let index = paths.firstIndex(where: { $0.path == operation.path }) {
                paths[index].methods.append(member)
            } else {
                paths.append((operation.path, [member]))
            }
        }
        let responses: JSONValue = [
            "Refusal": response(
                "Refused, in the envelope; `message` says why.", "application/json",
                writer.schema(.named("Refusal", DaemonShapes.refusal))),
            "Problem": response(
                "Refused (RFC 9457).", "application/problem+json",
                writer.schema(.named("Problem", DaemonShapes.problem))),
        ]
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "reactord", "version": .string(version), "description": .string(Self.introduction),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": .string(url)]],
            "security": isOpen ? [] : [["bearer": []], ["tapis": []], ["nonce": []]],
            "paths": .object(paths.map { JSONValue.Member($0.path, .object($0.methods)) }),
            "components": [
                "schemas": .object(writer.components), "responses": responses, "securitySchemes": Self.schemes,
            ],
        ]
    }

    private func spelling(of path: String) -> SchemaWriter.Spelling {
        isCamel && !path.hasPrefix(ActorsGeneration.third.prefix) ? .camel : .asIs
    }

    private func response(_ text: String, _ media: String, _ schema: JSONValue) -> JSONValue {
        ["description": .string(text), "content": .object([JSONValue.Member(media, ["schema": schema])])]
    }

    private static let schemes: JSONValue = [
        "bearer": [
            "type": "http", "scheme": "bearer",
            "description": "A token of `reactord token create`, of a login, of a gateway, or `var/admin.token`.",
        ],
        "tapis": ["type": "apiKey", "in": "header", "name": "X-Tapis-Token"],
        "nonce": [
            "type": "apiKey", "in": "query", "name": "x-nonce",
            "description": "Opens one actor or alias; looked at only where there is no token.",
        ],
    ]
}

/// `/openapi.json`.
struct DescriptionRoutes {
    let front: HTTPFront

    func add(to table: RouteTable) { table.on(Paths.description, [.get: read]) }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        _ = try context.requireCaller()
        let settings = front.settings
        return .json(
            OpenAPIDocument(
                version: settings.version, url: front.baseURL, isCamel: settings.camelCase,
                isOpen: settings.authenticationOff
            ).json)
    }
}
