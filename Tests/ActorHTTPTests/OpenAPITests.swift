import ActorCore
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ActorHTTP

/// The description against the router, both ways, and against its own rules.
@Suite("the description of the API")
struct OpenAPITests {
    private struct Route: Hashable {
        let method: String
        let path: String
    }

    /// `/jobs/:id/files/**` as the description writes it.
    private static func described(_ path: String) -> String {
        let parts = path.split(separator: "/").map { part in
            part == "**" ? "{path}" : part.hasPrefix(":") ? "{\(part.dropFirst())}" : String(part)
        }
        return "/" + parts.joined(separator: "/")
    }

    private func document(isCamel: Bool = true) -> JSONValue {
        OpenAPIDocument(version: "1", url: "http://lab.example", isCamel: isCamel, isOpen: false).json
    }

    @Test("every route has an operation, and every operation a route")
    func complete() {
        let routes = Set(
            House().front.table().declared.map { Route(method: $0.method.rawValue, path: Self.described($0.path)) })
        let operations = Set(OpenAPIDocument.operations.map { Route(method: $0.method.rawValue, path: $0.path) })
        #expect(routes.count > 150)
        for route in routes.subtracting(operations) {
            Issue.record("\(route.method) \(route.path) has no Operation: add it in Sources/ActorHTTP/OpenAPI")
        }
        for route in operations.subtracting(routes) {
            Issue.record("\(route.method) \(route.path) is described, and there is no such route")
        }
        #expect(OpenAPIDocument.operations.count == operations.count, "one is described twice")
    }

    @Test("ids are unique, paths name their parameters, references lead somewhere", arguments: [false, true])
    func wellFormed(isCamel: Bool) throws {
        let document = document(isCamel: isCamel)
        var ids: Set<String> = []
        for path in try #require(document["paths"]?.object) {
            for method in try #require(path.value.object) {
                let id = try #require(method.value["operationId"]?.string)
                #expect(ids.insert(id).inserted, "\(id)")
                let named = Set(
                    (method.value["parameters"]?.array ?? []).filter { $0["in"] == "path" }.compactMap {
                        $0["name"]?.string
                    })
                let wanted = Set(
                    path.name.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                        String($0.dropFirst().dropLast())
                    })
                #expect(named == wanted, "\(path.name)")
            }
        }
        let schemas = Set((document["components"]?["schemas"]?.object ?? []).map(\.name))
        var found: Set<String> = []
        Self.references(in: document, &found)
        for reference in found where reference.hasPrefix("#/components/schemas/") {
            #expect(schemas.contains(String(reference.dropFirst("#/components/schemas/".count))), "\(reference)")
        }
        #expect(found.count > 30)
    }

    private static func references(in value: JSONValue, _ found: inout Set<String>) {
        for member in value.object ?? [] {
            if member.name == "$ref", let reference = member.value.string { found.insert(reference) }
            references(in: member.value, &found)
        }
        for item in value.array ?? [] { references(in: item, &found) }
    }

    @Test("names are spelled as replies spell them: nulls are dropped in camelCase, and kept by searches")
    func spelling() throws {
        let camel = document(isCamel: true)
        let schemas = try #require(camel["components"]?["schemas"])
        let required = { (name: String) in Set((schemas[name]?["required"]?.array ?? []).compactMap(\.string)) }
        #expect(schemas["ActorCamel"]?["properties"]?["createTime"]?["format"] == "date-time")
        #expect(!required("ActorCamel").contains("maxWorkers") && required("ActorCamel").contains("createTime"))
        #expect(required("ActorCamelFound").contains("maxWorkers"))
        #expect(required("Actor").contains("max_workers"), "the third generation")
        let snake = document(isCamel: false)
        #expect(snake["components"]?["schemas"]?["ActorCamel"] == nil)
    }

    @Test("it is served to who shows a token, and says what this daemon is called")
    func served() async throws {
        let house = House()
        try await house.expect(
            Row(name: "a stranger", path: "/openapi.json", status: 401, lacks: ["paths"]))
        try await house.expect(
            Row(
                name: "with a token", path: "/openapi.json", token: House.annToken, status: 200,
                has: [#""openapi":"3.1.0""#, "http://lab.example:8000"],
                answers: ["Content-Type": "application/json"]))
    }
}
