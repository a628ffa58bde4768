/// A compiled JSON schema.
package protocol MessageSchema: Sendable {
    /// Empty when `json` (checked JSON text) satisfies the schema; else each violation with its JSON pointer.
    func violations(of json: [UInt8]) -> [ActorError.Detail]
    /// Whether a small message is checked so quickly that an event loop may do it.
    var isQuick: Bool { get }
}

/// Compiles JSON Schema (draft 7) once per actor.
package protocol SchemaCompiler: Sendable {
    /// Throws `invalidInput` naming the file when the text is no schema.
    func compile(_ source: SchemaSource) throws(ActorError) -> any MessageSchema
}
