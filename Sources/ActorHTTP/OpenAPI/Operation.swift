import ActorCore
import HTTPTypes

/// What one method of one path takes and answers, as the description of the API says it.
struct Operation: Sendable {
    /// How refusals are written, and who may call.
    enum Area: Sendable {
        /// Abaco's envelope; a token or a nonce.
        case actors
        /// problem+json; a token.
        case api
        /// Abaco's envelope; open where users have passwords.
        case login
        /// Nobody is asked who it is.
        case open
    }

    struct Parameter: Sendable {
        enum Place: String, Sendable {
            case query, header, path
        }

        let name: String
        let place: Place
        let shape: Shape
        let note: String

        static func query(_ name: String, _ shape: Shape, _ note: String = "") -> Parameter {
            Parameter(name: name, place: .query, shape: shape, note: note)
        }

        static func header(_ name: String, _ shape: Shape, _ note: String = "") -> Parameter {
            Parameter(name: name, place: .header, shape: shape, note: note)
        }
    }

    struct Content: Sendable {
        let media: String
        let shape: Shape
        /// Whether the names of `shape` are spelled as the generation spells them.
        var isSpelled = false
    }

    struct Body: Sendable {
        let content: [Content]
        let isRequired: Bool

        /// Named fields, which may come as JSON, as a form or in the query.
        static func fields(_ shape: Shape) -> Body {
            Body(
                content: ["application/json", "application/x-www-form-urlencoded"].map {
                    Content(media: $0, shape: shape, isSpelled: true)
                }, isRequired: false)
        }

        static func json(_ shape: Shape, isRequired: Bool = true) -> Body {
            Body(content: [Content(media: "application/json", shape: shape)], isRequired: isRequired)
        }

        static func bytes(_ media: String) -> Body {
            Body(content: [Content(media: media, shape: .any)], isRequired: true)
        }
    }

    struct Answer: Sendable {
        let status: Int
        let content: [Content]
        var text = "Done."

        /// Abaco's envelope around a result whose names are spelled as the generation spells them.
        static func result(_ shape: Shape) -> Answer {
            Answer(
                status: 200, content: [Content(media: "application/json", shape: .envelope(shape), isSpelled: true)])
        }

        /// The same around a result whose names are not ours to spell.
        static func exact(_ shape: Shape, status: Int = 200) -> Answer {
            Answer(status: status, content: [Content(media: "application/json", shape: .envelope(shape))])
        }

        static func json(_ shape: Shape, status: Int = 200) -> Answer {
            Answer(status: status, content: [Content(media: "application/json", shape: shape)])
        }

        static func bytes(_ media: String) -> Answer {
            Answer(status: 200, content: [Content(media: media, shape: .any)])
        }

        static let nothing = Answer(status: 204, content: [])
        static let elsewhere = Answer(status: 303, content: [], text: "See the page that `Location` names.")
    }

    let method: HTTPRequest.Method
    /// With `{name}` for what varies.
    let path: String
    /// Unique over all paths.
    let id: String
    let summary: String
    let area: Area
    let tag: String
    var parameters: [Parameter] = []
    var body: Body?
    var answers: [Answer]
}

extension Operation {
    /// - Parameter spelling: of the generation it belongs to.
    func json(_ writer: inout SchemaWriter, _ spelling: SchemaWriter.Spelling, isOpen: Bool) -> JSONValue {
        var responses: [JSONValue.Member] = []
        for answer in answers {
            var response: JSONValue = ["description": .string(answer.text)]
            if !answer.content.isEmpty {
                response = response.setting("content", content(answer.content, spelling, &writer))
            }
            responses.append(JSONValue.Member(String(answer.status), response))
        }
        let refusal = area == .actors || area == .login ? "Refusal" : "Problem"
        for range in ["4XX", "5XX"] {
            responses.append(JSONValue.Member(range, ["$ref": .string("#/components/responses/\(refusal)")]))
        }
        var json: JSONValue = [
            "operationId": .string(id), "summary": .string(summary), "tags": [.string(tag)],
        ]
        if isOpen || area == .open {
            json = json.setting("security", [])
        } else if area != .actors {
            json = json.setting("security", [["bearer": []], ["tapis": []]])
        }
        let all = pathParameters + parameters
        if !all.isEmpty {
            json = json.setting("parameters", .array(all.map { parameter($0, &writer) }))
        }
        if let body {
            json = json.setting(
                "requestBody",
                ["required": .bool(body.isRequired), "content": content(body.content, spelling, &writer)])
        }
        return json.setting("responses", .object(responses))
    }

    var pathNames: [String] {
        path.split(separator: "/").compactMap { part in
            part.hasPrefix("{") && part.hasSuffix("}") ? String(part.dropFirst().dropLast()) : nil
        }
    }

    private var pathParameters: [Parameter] {
        pathNames.map { Parameter(name: $0, place: .path, shape: Self.shapes[$0] ?? .text, note: Self.notes[$0] ?? "") }
    }

    private static let notes = [
        "id": "What it is known by; an actor also by one of its aliases.",
        "path": "May have slashes, although this notation knows no way to say so.",
    ]

    private static let shapes: [String: Shape] = ["subject": .words(SearchSubject.allCases.map(\.rawValue))]

    private func parameter(_ parameter: Parameter, _ writer: inout SchemaWriter) -> JSONValue {
        var json: JSONValue = [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "schema": writer.schema(parameter.shape),
        ]
        if parameter.place == .path {
            json = json.setting("required", true)
            if case .text = parameter.shape { json = json.setting("schema", ["type": "string", "minLength": 1]) }
        }
        return parameter.note.isEmpty ? json : json.setting("description", .string(parameter.note))
    }

    private func content(
        _ contents: [Content], _ spelling: SchemaWriter.Spelling, _ writer: inout SchemaWriter
    ) -> JSONValue {
        .object(
            contents.map { content in
                JSONValue.Member(
                    content.media,
                    ["schema": writer.schema(content.shape, content.isSpelled ? spelling : .asIs)])
            })
    }
}
