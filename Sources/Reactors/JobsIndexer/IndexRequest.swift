package import ActorCore

/// Which files of a job go into the catalogue, and as what (PipelineJobs, section 8.2).
package struct IndexRequest: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Files at a processing level.
        case archive(level: String)
        /// Files that were computed from others.
        case product(derivedFrom: [String], derivedUsing: [String])
    }

    package static let levels = ["0", "1", "2", "3", "Reference", "User", "Unknown"]
    private static let maxReferences = 1000

    package let kind: Kind
    /// As they were given; a file that one of them is found in is meant. None means all files.
    package let patterns: [String]
    package let generatedBy: [String]
    package let note: String?
    package let fixity: Bool
    private let compiled: [LinearPattern]

    /// Throws with the words of the predecessor where it had some.
    package init(_ json: JSONValue) throws(ReactorFailure) {
        let patterns = json["patterns"] ?? json["filters"]
        let level = json["level"] ?? json["processing_level"]
        let isArchive = patterns != nil && level != nil
        guard let patterns else { throw Self.missing("patterns") }
        guard isArchive || json["derived_from"] != nil else { throw Self.missing("derived_from") }
        self.patterns = try Self.texts(patterns, "patterns")
        if isArchive {
            guard let text = Self.level(level ?? .null) else {
                throw ReactorFailure(.refused, "level: must be one of \(Self.levels.joined(separator: ", "))")
            }
            kind = .archive(level: text)
        } else {
            kind = .product(
                derivedFrom: try Self.texts(json["derived_from"] ?? [], "derived_from"),
                derivedUsing: try Self.texts(json["derived_using"] ?? [], "derived_using"))
        }
        generatedBy = try Self.texts(json["generated_by"] ?? [], "generated_by")
        note = json["note"]?.string
        fixity = json["fixity"]?.bool ?? isArchive
        var compiled: [LinearPattern] = []
        for pattern in self.patterns {
            do {
                compiled.append(try LinearPattern(pattern, as: .python))
            } catch {
                throw ReactorFailure(.refused, "pattern \"\(pattern.prefix(100))\" \(error.problem)")
            }
        }
        self.compiled = compiled
    }

    /// A level may be given as a number.
    package static func level(_ json: JSONValue) -> String? {
        let text = json.string ?? json.int.map(String.init)
        return text.flatMap { levels.contains($0) ? $0 : nil }
    }

    private static func missing(_ key: String) -> ReactorFailure {
        ReactorFailure(.refused, "ProductIndexRequest missing required key \(key)")
    }

    private static func texts(_ json: JSONValue, _ name: String) throws(ReactorFailure) -> [String] {
        let items = json.isNull ? [] : json.array ?? [json]
        let texts = items.compactMap(\.string)
        guard texts.count == items.count, texts.count <= maxReferences else {
            throw ReactorFailure(.refused, "\(name): must be a list of at most \(maxReferences) texts")
        }
        return texts
    }

    /// Searched in the base name only, as the predecessor did: folders do not make a file match.
    package func matches(path: String) -> Bool {
        guard !compiled.isEmpty else { return true }
        let base = path.split(separator: "/").last.map(String.init) ?? path
        return compiled.contains { $0.isFound(in: base) }
    }

    package var json: JSONValue {
        let common: JSONValue = [
            "filters": .array(patterns.map { .string($0) }), "fixity": .bool(fixity),
            "generated_by": .array(generatedBy.map { .string($0) }), "note": JSONValue(note),
        ]
        switch kind {
        case .archive(let level): return common.setting("level", .string(level))
        case .product(let from, let using):
            return common.setting("derived_from", .array(from.map { .string($0) }))
                .setting("derived_using", .array(using.map { .string($0) }))
        }
    }
}
