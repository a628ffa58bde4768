import ActorCore
import HTTPTypes
import Hummingbird

/// Named fields of a request from wherever they may come: JSON body, query, form (actors API, section 1.4).
struct RequestFields {
    /// Of a form; nothing here takes as many.
    private static let mostItems = 1000

    private let json: JSONValue
    private let query: FormItems
    private let form: FormItems
    private let multipart: MultipartForm?

    /// Those of a JSON document.
    init(json: JSONValue) {
        self.init(json: json, query: FormItems(""), form: FormItems(""), multipart: nil)
    }

    private init(json: JSONValue, query: FormItems, form: FormItems, multipart: MultipartForm?) {
        self.json = json
        self.query = query
        self.form = form
        self.multipart = multipart
    }

    static func read(_ request: Request, limits: Limits) async throws -> RequestFields {
        let contentType = ContentType(request.headers[.contentType])
        let bytes = try await BodyReader.bytes(of: request, limit: limits.fieldBytes(of: request))
        var json = JSONValue.null
        if contentType.isJSON, !bytes.isEmpty { json = try BodyJSON.read(bytes, maxDepth: limits.maxJSONDepth) }
        var form = ""
        if contentType.isForm {
            guard bytes.count(where: { $0 == UInt8(ascii: "&") }) < mostItems else {
                throw ActorError(.invalidInput, "a form has at most \(mostItems) fields")
            }
            form = String(decoding: bytes, as: UTF8.self)
        }
        var multipart: MultipartForm?
        if contentType.isMultipart, let boundary = contentType.parameter("boundary") {
            multipart = try MultipartForm(bytes, boundary: boundary)
        }
        return RequestFields(json: json, query: request.formItems, form: FormItems(form), multipart: multipart)
    }

    /// The answer to a description that lacks a field or has a wrong one, as the old service words it.
    static func refusal(of thing: String, _ field: String, _ what: String) -> ActorError {
        let field = JSONValue.object([JSONValue.Member(field, .string(what))])
        return ActorError(.invalidInput, "Invalid \(thing) description: \(PythonText.repr(field))")
    }

    /// By its snake_case name; the camelCase one is taken as well.
    subscript(name: String) -> JSONValue? {
        for spelling in [name, KeyCase.camel(name)] {
            if let value = json[spelling] { return value }
            if let text = query.first(spelling) ?? form.first(spelling) ?? multipart?.first(spelling) {
                return .string(text)
            }
        }
        return nil
    }

    /// Every value of a field that may come more than once: a list, or a form's repetitions.
    func all(_ name: String) -> [JSONValue]? {
        for spelling in [name, KeyCase.camel(name)] {
            if let value = json[spelling] { return value.isNull ? nil : value.array ?? [value] }
            let items = (query.items + form.items).filter { $0.name == spelling }
            if !items.isEmpty { return items.map { .string($0.value) } }
        }
        return nil
    }

    /// A text; what is no text counts as its Python `str()`, as old forms have it. Null is none.
    func text(_ name: String) -> String? {
        guard let value = self[name], !value.isNull else { return nil }
        return PythonText.str(value)
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
