/// A `Content-Type` header taken apart.
struct ContentType: Sendable, Equatable {
    /// As it was sent.
    let text: String
    /// `application/json`, in lower case, without parameters.
    let essence: String
    private let parameters: [String: String]

    /// What nearly every message says.
    private static let json = ContentType(parsing: "application/json")

    init(_ text: String?) {
        self = text == Self.json.text ? Self.json : ContentType(parsing: text ?? "")
    }

    private init(parsing text: String) {
        self.text = text
        let parts = self.text.split(separator: ";")
        essence = parts.first.map { Self.trimmed($0).lowercased() } ?? ""
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            let halves = part.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else { continue }
            var value = Self.trimmed(halves[1])
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
                value = String(value.dropFirst().dropLast())
            }
            parameters[Self.trimmed(halves[0]).lowercased()] = value
        }
        self.parameters = parameters
    }

    func parameter(_ name: String) -> String? { parameters[name] }

    var isJSON: Bool {
        essence == "application/json" || (essence.hasPrefix("application/") && essence.hasSuffix("+json"))
    }
    var isForm: Bool { essence == "application/x-www-form-urlencoded" }
    var isMultipart: Bool { essence == "multipart/form-data" }
    /// Parameters are not allowed here (actors API, section 3.1).
    var isBinary: Bool { text == "application/octet-stream" }

    static func trimmed(_ text: some StringProtocol) -> String {
        var slice = Substring(text)
        while let first = slice.first, first.isWhitespace { slice.removeFirst() }
        while let last = slice.last, last.isWhitespace { slice.removeLast() }
        return String(slice)
    }
}
