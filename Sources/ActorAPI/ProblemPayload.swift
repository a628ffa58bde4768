package import ActorCore

/// An error on the wire, as RFC 9457 has it.
package struct ProblemPayload: Payload {
    /// Stable: `urn:reactord:problem:<code>`.
    package var type: String
    package var title: String
    package var status: Int
    package var detail: String
    package var errors: [Place]

    /// One violation: where, and what is wrong there.
    package struct Place: Sendable, Equatable {
        package var place: String
        package var problem: String

        package init(place: String, problem: String) {
            self.place = place
            self.problem = problem
        }
    }

    package static let contentType = "application/problem+json"
    package static let typePrefix = "urn:reactord:problem:"

    package init(type: String, title: String, status: Int, detail: String, errors: [Place] = []) {
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.errors = errors
    }

    /// `urn:reactord:problem:schema-violation` for `schemaViolation`.
    package static func type(for code: ActorError.Code) -> String {
        let words = code.rawValue.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }
        return typePrefix + words.joined()
    }

    /// The kind of failure that `type` names; nil for one that this version does not know.
    package var code: ActorError.Code? { ActorError.Code.allCases.first { Self.type(for: $0) == type } }

    package init?(json: JSONValue) {
        guard let type = json["type"]?.string, let title = json["title"]?.string, let status = json["status"]?.int
        else { return nil }
        self.init(
            type: type, title: title, status: status, detail: json["detail"]?.string ?? "",
            errors: (json["errors"]?.array ?? []).compactMap { item in
                guard let place = item["place"]?.string, let problem = item["problem"]?.string else { return nil }
                return Place(place: place, problem: problem)
            })
    }

    package var json: JSONValue {
        let value: JSONValue = [
            "type": .string(type), "title": .string(title), "status": JSONValue(status), "detail": .string(detail),
        ]
        guard !errors.isEmpty else { return value }
        return value.setting(
            "errors", .array(errors.map { ["place": .string($0.place), "problem": .string($0.problem)] }))
    }
}
