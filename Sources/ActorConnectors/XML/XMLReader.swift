package import ActorCore

/// An element of an XML document, as far as answers of web services need it: no attributes, no mixed content.
package struct XMLElement: Sendable, Equatable {
    /// Without a namespace prefix.
    package let name: String
    /// Its own text; blanks around it are kept.
    package var text = ""
    package var children: [XMLElement] = []

    package init(name: String) { self.name = name }

    /// The first child of that name.
    package subscript(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The text of the first child of that name; nil when there is none or it is empty.
    package func text(_ name: String) -> String? { self[name].flatMap { $0.text.isEmpty ? nil : $0.text } }

    package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
}

/// Reads XML from other machines: bounded in depth and number of elements, and without declarations, so that no entity
/// can stand for more than one character.
package struct XMLReader {
    private static let maxDepth = 32
    private static let maxElements = 200_000

    private var rest: ArraySlice<UInt8>
    private var elements = 0

    private init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The root element. Throws `unavailable`: it is the other side that sent what cannot be read.
    package static func read(_ bytes: [UInt8]) throws(ActorError) -> XMLElement {
        var reader = XMLReader(bytes)
        if reader.rest.starts(with: [0xef, 0xbb, 0xbf]) { reader.rest = reader.rest.dropFirst(3) }
        try reader.skipMisc()
        let root = try reader.element(depth: 1)
        try reader.skipMisc()
        guard reader.rest.isEmpty else { throw reader.failure("something follows the root element") }
        return root
    }

    /// A text as it may stand in an element.
    package static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: escaped += "&#\(scalar.value);"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    // MARK: - Elements

    private mutating func element(depth: Int) throws(ActorError) -> XMLElement {
        guard depth <= Self.maxDepth else { throw failure("it is nested deeper than \(Self.maxDepth) elements") }
        elements += 1
        guard elements <= Self.maxElements else { throw failure("it has more than \(Self.maxElements) elements") }
        guard rest.popFirst() == UInt8(ascii: "<") else { throw failure("an element was expected") }
        let tag = try name()
        var element = XMLElement(name: tag.split(separator: ":").last.map(String.init) ?? tag)
        if try skipAttributes() { return element }
        var text: [UInt8] = []
        while let byte = rest.first {
            if byte != UInt8(ascii: "<") {
                try appendText(to: &text)
            } else if rest.starts(with: Array("</".utf8)) {
                rest = rest.dropFirst(2)
                guard try name() == tag else { throw failure("the end of <\(tag)> is missing") }
                skipBlanks()
                guard rest.popFirst() == UInt8(ascii: ">") else { throw failure("the end of <\(tag)> is malformed") }
                guard let decoded = String(validating: text, as: UTF8.self) else { throw failure("it is not UTF-8") }
                element.text = decoded
                return element
            } else if rest.starts(with: Array("<![CDATA[".utf8)) {
                rest = rest.dropFirst(9)
                text += try upTo("]]>")
            } else if rest.starts(with: Array("<!".utf8)) || rest.starts(with: Array("<?".utf8)) {
                try skipMarkup()
            } else {
                element.children.append(try self.element(depth: depth + 1))
            }
        }
        throw failure("it ends within <\(tag)>")
    }

    /// True when the element is empty and has ended.
    private mutating func skipAttributes() throws(ActorError) -> Bool {
        while true {
            skipBlanks()
            switch rest.popFirst() {
            case UInt8(ascii: ">"): return false
            case UInt8(ascii: "/"):
                guard rest.popFirst() == UInt8(ascii: ">") else { throw failure("a tag is malformed") }
                return true
            case UInt8(ascii: "\""): _ = try upTo("\"")
            case UInt8(ascii: "'"): _ = try upTo("'")
            case UInt8(ascii: "<"), nil: throw failure("a tag does not end")
            default: continue
            }
        }
    }

    private mutating func appendText(to text: inout [UInt8]) throws(ActorError) {
        let run = rest.prefix { $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "&") }
        text += run
        rest = rest.dropFirst(run.count)
        guard rest.first == UInt8(ascii: "&") else { return }
        rest = rest.dropFirst()
        let entity = String(decoding: rest.prefix(10).prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
        guard rest.dropFirst(entity.utf8.count).first == UInt8(ascii: ";"), let scalar = Self.scalar(entity) else {
            throw failure("it uses an entity that is not one of XML's own five")
        }
        rest = rest.dropFirst(entity.utf8.count + 1)
        text += Array(String(scalar).utf8)
    }

    private static func scalar(_ entity: String) -> Unicode.Scalar? {
        switch entity {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard entity.hasPrefix("#") else { return nil }
            let digits = entity.dropFirst()
            let value = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return value.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
        }
    }

    // MARK: - Everything else

    private mutating func skipMisc() throws(ActorError) {
        while true {
            skipBlanks()
            guard rest.starts(with: Array("<!".utf8)) || rest.starts(with: Array("<?".utf8)) else { return }
            try skipMarkup()
        }
    }

    private mutating func skipMarkup() throws(ActorError) {
        if rest.starts(with: Array("<!--".utf8)) {
            rest = rest.dropFirst(4)
            _ = try upTo("-->")
        } else if rest.starts(with: Array("<?".utf8)) {
            _ = try upTo("?>")
        } else {
            throw failure("it has a document type, which is not read")
        }
    }

    private mutating func name() throws(ActorError) -> String {
        let name = rest.prefix { NameRules.isAlphanumeric($0) || $0 > 0x7f || Array("_-.:".utf8).contains($0) }
        guard !name.isEmpty, name.count <= 256 else { throw failure("a tag has no name, or a very long one") }
        rest = rest.dropFirst(name.count)
        return String(decoding: name, as: UTF8.self)
    }

    private mutating func skipBlanks() { rest = rest.drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) } }

    private mutating func upTo(_ mark: String) throws(ActorError) -> ArraySlice<UInt8> {
        let mark = Array(mark.utf8)
        var index = rest.startIndex
        while index + mark.count <= rest.endIndex {
            if rest[index] == mark[0], rest[index..<index + mark.count].elementsEqual(mark) {
                defer { rest = rest[(index + mark.count)...] }
                return rest[..<index]
            }
            index += 1
        }
        throw failure("\(String(decoding: mark, as: UTF8.self)) is missing")
    }

    private func failure(_ what: String) -> ActorError {
        ActorError(.unavailable, "the answer's XML cannot be read: \(what) (at byte \(rest.startIndex))")
    }
}
