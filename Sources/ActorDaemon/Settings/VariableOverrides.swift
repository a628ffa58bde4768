package import ActorCore

/// Fills settings from variables: `pipelines.updates_nonce` from `_REACTOR_PIPELINES_UPDATES_NONCE`.
///
/// PipelineJobs, section 6.1, extended to any depth: only keys that are there and whose value is `~` or text are
/// looked up; the value stays text; an empty variable counts; lists, numbers and flags are never touched.
package enum VariableOverrides {
    package struct Filled: Sendable, Equatable {
        package let value: JSONValue
        /// JSON pointer to the name of the variable that its value was taken from.
        package let origins: [String: String]
    }

    package static func variable(for keys: [String]) -> String {
        "_REACTOR_" + keys.map(word).joined(separator: "_")
    }

    /// - Parameter lookup: the name and value of the variable that stands for these keys, if there is one.
    package static func apply(
        to value: JSONValue, lookup: (_ keys: [String]) -> (name: String, value: String)?
    ) -> Filled {
        var origins: [String: String] = [:]
        func walk(_ value: JSONValue, _ keys: [String]) -> JSONValue {
            switch value {
            case .object(let members):
                return .object(members.map { JSONValue.Member($0.name, walk($0.value, keys + [$0.name])) })
            case .null, .string:
                guard !keys.isEmpty, let found = lookup(keys) else { return value }
                origins["/" + keys.map(Pointer.escape).joined(separator: "/")] = found.name
                return .string(found.value)
            default: return value
            }
        }
        let result = walk(value, [])
        return Filled(value: result, origins: origins)
    }

    /// Dots and dashes become underscores, letters upper case.
    static func word(_ key: String) -> String {
        key.uppercased().replacing(".", with: "_").replacing("-", with: "_")
    }
}
