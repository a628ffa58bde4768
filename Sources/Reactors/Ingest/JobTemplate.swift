import ActorCore

/// Puts values into the text of a job file (lab workflows, section 0.3).
package enum JobTemplate {
    /// The variable that every job file has: the upload's name.
    package static func render(_ text: [UInt8], uuid: String) -> [UInt8] { render(text, variables: ["UUID": uuid]) }

    /// Replaces `${NAME}` and `$NAME` (not followed by a letter, a digit or `_`) of these variables and nothing else:
    /// shell variables in a job's own commands stay as they are.
    package static func render(_ text: [UInt8], variables: [String: String]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "$"), let (name, length) = reference(in: text[index...]),
                let value = variables[name]
            {
                output += value.utf8
                index += length
            } else {
                output.append(text[index])
                index += 1
            }
        }
        return output
    }

    /// Whether something can be the name of a variable: a letter or `_`, then also digits.
    package static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy(continuesName)
    }

    /// The name behind a dollar sign and how many bytes the whole takes.
    private static func reference(in rest: ArraySlice<UInt8>) -> (name: String, length: Int)? {
        let behind = rest.dropFirst()
        let isBraced = behind.first == UInt8(ascii: "{")
        let name = (isBraced ? behind.dropFirst() : behind).prefix(while: continuesName)
        guard !name.isEmpty else { return nil }
        if isBraced { guard rest.dropFirst(2 + name.count).first == UInt8(ascii: "}") else { return nil } }
        return (String(decoding: name, as: UTF8.self), name.count + (isBraced ? 3 : 1))
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || NameRules.isAlphanumeric(byte)
    }
}
