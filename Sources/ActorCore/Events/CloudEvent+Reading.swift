/// Events from outside: what stands in their attributes is checked before anybody acts on it.
extension CloudEvent {
    package static let maxAttributes = 64
    package static let maxNameBytes = 64
    package static let maxValueBytes = 4096

    /// Lower-case letters and digits (CloudEvents 1.0, naming conventions).
    package static func isAttributeName(_ name: String) -> Bool {
        (1...maxNameBytes).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
    }

    /// From attributes by name; `datacontenttype` is among them.
    ///
    /// - Parameter place: how the sender spelled an attribute, for errors: `ce-id`, or `/id`.
    package init(
        attributes: [(name: String, value: String)], payload: Payload, place: (String) -> String
    ) throws(ActorError) {
        var values: [String: String] = [:]
        var extensions: [Extension] = []
        guard attributes.count <= Self.maxAttributes else {
            throw Self.wrong(place(""), "there are more than \(Self.maxAttributes) attributes")
        }
        for (name, value) in attributes {
            let shown = place(String(name.prefix(Self.maxNameBytes)))
            guard Self.isAttributeName(name) else {
                throw Self.wrong(shown, "is no attribute name: those are made of a-z and 0-9")
            }
            guard values.updateValue(value, forKey: name) == nil else { throw Self.wrong(shown, "is given twice") }
            if let problem = Self.problem(of: value, in: name) { throw Self.wrong(shown, problem) }
            if !Self.specified.contains(name) { extensions.append(Extension(name, value)) }
        }
        func required(_ name: String) throws(ActorError) -> String {
            guard let value = values[name] else { throw Self.wrong(place(name), "is missing") }
            return value
        }
        let version = try required("specversion")
        guard version == Self.specVersion else {
            throw Self.wrong(place("specversion"), "must be \(Self.specVersion): other versions are not taken")
        }
        self.init(
            id: try required("id"), source: try required("source"), type: try required("type"),
            subject: values["subject"], time: values["time"], dataSchema: values["dataschema"],
            dataContentType: values["datacontenttype"], extensions: extensions, payload: payload)
    }

    private static let specified: Set<String> = [
        "specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype",
    ]

    /// What is wrong with a value; nil when it is good.
    private static func problem(of value: String, in name: String) -> String? {
        guard value.utf8.count <= maxValueBytes else { return "has more than \(maxValueBytes) bytes" }
        guard !value.isEmpty || !specified.contains(name) else { return "is empty" }
        guard !value.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) else {
            return "has a control character"
        }
        switch name {
        case "source", "dataschema":
            return value.utf8.contains(0x20) ? "is no URI: it has a blank" : nil
        case "time": return isRFC3339(value) ? nil : "is no time like 2026-11-21T09:30:00Z"
        default: return nil
        }
    }

    /// `YYYY-MM-DDThh:mm:ss[.f](Z|±hh:mm)` with numbers that can be.
    static func isRFC3339(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        func number(_ digits: Int, _ range: ClosedRange<Int>) -> Bool {
            guard rest.count >= digits else { return false }
            var value = 0
            for byte in rest.prefix(digits) {
                guard (0x30...0x39).contains(byte) else { return false }
                value = value * 10 + Int(byte - 0x30)
            }
            rest = rest.dropFirst(digits)
            return range.contains(value)
        }
        func take(_ choices: String) -> Bool {
            guard let first = rest.first, choices.utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard number(4, 0...9999), take("-"), number(2, 1...12), take("-"), number(2, 1...31), take("Tt"),
            number(2, 0...23), take(":"), number(2, 0...59), take(":"), number(2, 0...60)
        else { return false }
        if take(".") {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return false }
            rest = rest.dropFirst(digits.count)
        }
        if take("Zz") { return rest.isEmpty }
        return take("+-") && number(2, 0...23) && take(":") && number(2, 0...59) && rest.isEmpty
    }

    package static func wrong(_ place: String, _ problem: String) -> ActorError {
        ActorError(
            .invalidInput, "this is no CloudEvent that can be taken",
            details: [ActorError.Detail(place: place, problem: problem)])
    }
}

/// Structured mode: the whole event is one JSON object.
extension CloudEvent {
    /// Throws `invalidInput` with the JSON pointer of what is wrong.
    ///
    /// - Parameter place: the pointer of the event in what was sent: "" or `/3`.
    package init(structured bytes: [UInt8], maxDepth: Int, place: String = "") throws(ActorError) {
        let json: JSONValue
        do {
            json = try JSONReader.read(bytes, maxDepth: maxDepth)
        } catch {
            throw Self.wrong(place, "is no acceptable JSON: \(error.description)")
        }
        guard let members = json.object else { throw Self.wrong(place, "must be a JSON object") }
        var attributes: [(name: String, value: String)] = []
        for member in members where member.name != "data" && member.name != "data_base64" && !member.value.isNull {
            attributes.append((member.name, try Self.text(of: member, at: place)))
        }
        let type = attributes.first { $0.name == "datacontenttype" }?.value
        let payload = try Self.payload(of: json, bytes, contentType: type, at: place)
        try self.init(attributes: attributes, payload: payload, place: { "\(place)/\($0)" })
    }

    /// Attributes are texts, booleans or whole numbers of 32 bits.
    private static func text(of member: JSONValue.Member, at place: String) throws(ActorError) -> String {
        switch member.value {
        case .string(let text): return text
        case .bool(let flag) where !specified.contains(member.name): return flag ? "true" : "false"
        case .int(let number) where !specified.contains(member.name) && Int32(exactly: number) != nil:
            return String(number)
        default: throw wrong("\(place)/\(member.name.prefix(maxNameBytes))", "must be a text")
        }
    }

    private static func payload(
        of json: JSONValue, _ bytes: [UInt8], contentType: String?, at place: String
    ) throws(ActorError) -> Payload {
        let encoded = json["data_base64"].flatMap { $0.isNull ? nil : $0 }
        guard let data = json["data"] else {
            guard let encoded else { return .none }
            guard let text = encoded.string, let bytes = Base64.decode(text) else {
                throw wrong("\(place)/data_base64", "is no Base64 text")
            }
            return .binary(bytes)
        }
        guard encoded == nil else { throw wrong("\(place)/data_base64", "stands beside data; only one may be there") }
        if let contentType, !isJSON(contentType), let text = data.string { return .text(text) }
        // A value under an escaped name is written anew; all others are handed on as they came.
        let slice = JSONSlices.members(of: bytes).first { $0.name == "data" }?.value
        return .json(slice.map { Array(bytes[$0]) } ?? JSONWriter.bytes(data))
    }

    /// `application/json`, or any subtype that is `json` or ends with `+json`.
    package static func isJSON(_ contentType: String) -> Bool {
        var essence = contentType.prefix { $0 != ";" }.lowercased()
        while essence.last?.isWhitespace == true { essence.removeLast() }
        return essence.hasSuffix("/json") || essence.hasSuffix("+json")
    }

    /// Batched mode: the events of a JSON array, each good or bad on its own.
    package static func batch(
        _ bytes: [UInt8], maxDepth: Int
    ) throws(ActorError) -> [Result<CloudEvent, ActorError>] {
        let json: JSONValue
        do {
            json = try JSONReader.read(bytes, maxDepth: maxDepth)
        } catch {
            throw wrong("", "is no acceptable JSON: \(error.description)")
        }
        guard json.array != nil else { throw wrong("", "must be a JSON array of events") }
        return JSONSlices.items(of: bytes).enumerated().map { index, range in
            do throws(ActorError) {
                return .success(
                    try CloudEvent(structured: Array(bytes[range]), maxDepth: maxDepth, place: "/\(index)"))
            } catch {
                return .failure(error)
            }
        }
    }
}
