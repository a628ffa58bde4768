package import ActorCore
import CValijson

/// Compiles the JSON schemas of actors (draft 7), with valijson behind a C interface.
///
/// What bounds it, and why a string can be too long for a `pattern`, is said in `CValijson.h`.
package struct ValijsonCompiler: SchemaCompiler {
    package init() {}

    package func compile(_ source: SchemaSource) throws(ActorError) -> any MessageSchema {
        let problems = ProblemList()
        let handle = withExtendedLifetime(problems) {
            source.text.withUnsafeBytes { text in
                reactord_schema_compile(
                    text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count,
                    source.isForeign ? 1 : 0, collect, Unmanaged.passUnretained(problems).toOpaque())
            }
        }
        guard let handle else {
            throw ActorError(
                .invalidInput, "\(source.file) cannot be used as a JSON schema (draft 7)", details: problems.details)
        }
        return CompiledSchema(handle: handle)
    }
}

/// Owns one compiled schema.
///
/// Unchecked because the compiler cannot see through the pointer: the schema behind it is never changed after it is
/// compiled, and validation keeps everything it writes on its own stack (`CValijson.h` promises both).
private final class CompiledSchema: MessageSchema, @unchecked Sendable {
    private let handle: OpaquePointer

    init(handle: OpaquePointer) { self.handle = handle }

    deinit { reactord_schema_free(handle) }

    var isQuick: Bool { reactord_schema_is_quick(handle) != 0 }

    func violations(of json: [UInt8]) -> [ActorError.Detail] {
        let problems = ProblemList()
        withExtendedLifetime(problems) {
            json.withUnsafeBytes { text in
                _ = reactord_schema_validate(
                    handle, text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count, collect,
                    Unmanaged.passUnretained(problems).toOpaque())
            }
        }
        return problems.details
    }
}

/// What the C side reports during one call.
private final class ProblemList {
    var details: [ActorError.Detail] = []
}

private func collect(context: UnsafeMutableRawPointer?, place: UnsafePointer<CChar>?, problem: UnsafePointer<CChar>?) {
    guard let context, let place, let problem else { return }
    Unmanaged<ProblemList>.fromOpaque(context).takeUnretainedValue().details.append(
        ActorError.Detail(place: String(cString: place), problem: String(cString: problem)))
}
