/// Puts an upload's name and what was declared into the text of a job file (lab workflows, section 0.3).
package struct JobTemplate: Sendable, Equatable {
    /// Which `$NAME` and `${NAME}` are variables.
    package enum Mode: String, Sendable, CaseIterable {
        /// `UUID` and what was declared; all others stay as they are, so that shell variables in a job's own commands
        /// are safe.
        case declared = "uuid"
        /// Every one, those that were not declared are replaced by nothing: what `envsubst` without arguments does.
        case envsubst
    }

    package var mode: Mode
    /// Besides `UUID`.
    package var variables: [String: String]

    package init(mode: Mode = .declared, variables: [String: String] = [:]) {
        self.mode = mode
        self.variables = variables
    }

    /// Only `UUID`, as every job file may use it.
    package static func render(_ text: [UInt8], uuid: String) -> [UInt8] { JobTemplate().render(text, uuid: uuid) }

    /// These variables and nothing else.
    package static func render(_ text: [UInt8], variables: [String: String]) -> [UInt8] {
        JobTemplate(variables: variables).render(text, uuid: nil)
    }

    /// `${NAME}` and `$NAME`, where the name is as long as letters, digits and `_` go and does not begin with a digit.
    /// Anything else after a `$` is text: `$$`, `$5`, `$(…)`, `${NAME:-…}`, an unclosed brace.
    ///
    /// - Parameter uuid: nil leaves `UUID` as any other name that was not declared.
    package func render(_ text: [UInt8], uuid: String?) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "$"), let found = Self.reference(in: text, at: index + 1),
                let value = value(of: found.name, uuid)
            else {
                output.append(text[index])
                index += 1
                continue
            }
            output += value.utf8
            index = found.end
        }
        return output
    }

    /// Nil when it is no variable and stays.
    private func value(of name: String, _ uuid: String?) -> String? {
        if name == "UUID", let uuid { return uuid }
        return variables[name] ?? (mode == .envsubst ? "" : nil)
    }

    /// The name behind a dollar sign at `start - 1`, and the index behind the reference.
    private static func reference(in text: [UInt8], at start: Int) -> (name: String, end: Int)? {
        guard start < text.count else { return nil }
        let isBraced = text[start] == UInt8(ascii: "{")
        let first = isBraced ? start + 1 : start
        var end = first
        while end < text.count, isNamePart(text[end], first: end == first) { end += 1 }
        guard end > first else { return nil }
        if isBraced, end >= text.count || text[end] != UInt8(ascii: "}") { return nil }
        return (String(decoding: text[first..<end], as: UTF8.self), isBraced ? end + 1 : end)
    }

    private static func isNamePart(_ byte: UInt8, first: Bool) -> Bool {
        switch byte {
        case 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"): true
        case 0x30...0x39: !first
        default: false
        }
    }

    /// Whether a variable may have this name.
    package static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return (1...128).contains(bytes.count)
            && bytes.indices.allSatisfy { isNamePart(bytes[$0], first: $0 == 0) }
    }
}
