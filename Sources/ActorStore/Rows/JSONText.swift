import ActorCore

/// JSON as the text of a column. Deeper nesting is read back than any door lets in, since Reactors wrap what they got.
enum JSONText {
    static func encode(_ value: JSONValue) -> String { JSONWriter.string(value) }

    /// For `IN (SELECT value FROM json_each(?))`.
    static func list(_ actors: Set<ActorID>) -> String { encode(.array(actors.map { .string($0.rawValue) })) }

    static func decode(_ text: String, of column: String) throws -> JSONValue {
        do {
            return try JSONReader.read(Array(text.utf8), maxDepth: 512)
        } catch {
            throw ActorError(.internalFailure, "the stored \(column) is not JSON", cause: error)
        }
    }
}

/// A word of a fixed vocabulary, read from a column.
enum StoredWord {
    static func decode<Word: RawRepresentable<String>>(_ text: String, of column: String) throws -> Word {
        guard let word = Word(rawValue: text) else {
            throw ActorError(
                .internalFailure, "the stored \(column) \"\(text)\" is none that this version knows")
        }
        return word
    }
}
