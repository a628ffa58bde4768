import ActorCore
import HTTPTypes
import Hummingbird

/// Named fields of a request from wherever they may come: JSON body, query, form (actors API, section 1.4).
struct RequestFields {
    private let json: JSONValue
    private let query: FormItems
    private let form: FormItems

    static func read(_ request: Request, limits: Limits) async throws -> RequestFields {
        let contentType = ContentType(request.headers[.contentType])
        let bytes = try await BodyReader.bytes(of: request, limit: limits.maxBodyBytes)
        var json = JSONValue.null
        if contentType.isJSON, !bytes.isEmpty { json = try BodyJSON.read(bytes, maxDepth: limits.maxJSONDepth) }
        let form = contentType.isForm ? String(decoding: bytes, as: UTF8.self) : ""
        return RequestFields(json: json, query: request.formItems, form: FormItems(form))
    }

    /// By its snake_case name; the camelCase one is taken as well.
    subscript(name: String) -> JSONValue? {
        for spelling in [name, KeyCase.camel(name)] {
            if let value = json[spelling] { return value }
            if let text = query.first(spelling) ?? form.first(spelling) { return .string(text) }
        }
        return nil
    }
}

extension Request {
    /// The query, decoded.
    var formItems: FormItems { FormItems(uri.query ?? "") }

    /// A bounded whole number from the query.
    func number(_ name: String, default fallback: Int, in range: ClosedRange<Int>) throws(ActorError) -> Int {
        guard let text = formItems.first(name), !text.isEmpty else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw ActorError(
                .invalidInput, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)",
                details: [ActorError.Detail(place: name, problem: "\"\(text.prefix(32))\" is none")])
        }
        return number
    }
}
