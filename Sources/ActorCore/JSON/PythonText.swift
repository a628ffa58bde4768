/// What Python's `repr` and `json.dumps` would print for a value: old scripts and old ids depend on the letter.
package enum PythonText {
    /// `{'a': 1, 'b': True, 'c': None}`: how MSG, state and configs reach a script (actors API, section 3.3).
    package static func repr(_ value: JSONValue) -> String {
        switch value {
        case .null: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .int(let number): String(number)
        case .wide(let digits): digits
        case .double(let number): float(number)
        case .string(let text): repr(text)
        case .array(let items): "[" + items.map(repr).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.map { "\(repr($0.name)): \(repr($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    /// As Python's `str()` prints: a text without quotes, anything else as its literal.
    package static func str(_ value: JSONValue) -> String {
        if case .string(let text) = value { text } else { repr(value) }
    }

    /// Keys sorted by code point, no blanks, ASCII only: the text that job and pipeline ids are hashed from
    /// (PipelineJobs, section 4.4).
    package static func minified(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .wide(let digits): return digits
        case .double(let number): return float(number)
        case .string(let text): return ascii(text)
        case .array(let items): return "[" + items.map(minified).joined(separator: ",") + "]"
        case .object(let members):
            let sorted = members.sorted { $0.name.unicodeScalars.lexicographicallyPrecedes($1.name.unicodeScalars) }
            return "{" + sorted.map { "\(ascii($0.name)):\(minified($0.value))" }.joined(separator: ",") + "}"
        }
    }

    private static func repr(_ text: String) -> String {
        // By scalar: a quote that carries a combining mark is a quote to Python.
        let scalars = text.unicodeScalars
        let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
        var output = String(quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "'" where quote == "'": output += "\\'"
            default:
                if isPrintable(scalar) {
                    output.unicodeScalars.append(scalar)
                } else if scalar.value < 0x100 {
                    output += "\\x" + hexadecimal(scalar.value, width: 2)
                } else if scalar.value < 0x10000 {
                    output += "\\u" + hexadecimal(scalar.value, width: 4)
                } else {
                    output += "\\U" + hexadecimal(scalar.value, width: 8)
                }
            }
        }
        return output + String(quote)
    }

    /// Python's `str.isprintable`: no separators but the blank, nothing of the categories "other".
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7f).contains(scalar.value) }
        return switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }

    private static func ascii(_ text: String) -> String {
        var output = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: output += "\\\""
            case 0x5c: output += "\\\\"
            case 0x0a: output += "\\n"
            case 0x0d: output += "\\r"
            case 0x09: output += "\\t"
            case 0x08: output += "\\b"
            case 0x0c: output += "\\f"
            case 0x20..<0x7f: output.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default: output += "\\u" + hexadecimal(UInt32(unit), width: 4)
            }
        }
        return output + "\""
    }

    private static func hexadecimal(_ number: UInt32, width: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// Python prints the shortest digits too, but switches to exponents below 1e-4 and from 1e16 on, with two digits.
    private static func float(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        let text = "\(abs(number))"
        let sign = number.sign == .minus ? "-" : ""
        let parts = text.split(separator: "e")
        var digits = parts[0].filter { $0 != "." }
        let point = parts[0].firstIndex(of: ".").map { parts[0].distance(from: parts[0].startIndex, to: $0) }
        var exponent = (point ?? digits.count) + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        let leading = digits.prefix { $0 == "0" }.count
        if leading == digits.count { return sign + "0.0" }
        digits.removeFirst(leading)
        exponent -= leading
        while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
        if exponent > 16 || exponent < -3 {
            let power = exponent - 1
            let mantissa = digits.count == 1 ? digits : "\(digits.prefix(1)).\(digits.dropFirst())"
            let size = String(abs(power))
            return "\(sign)\(mantissa)e\(power < 0 ? "-" : "+")\(size.count < 2 ? "0" : "")\(size)"
        }
        if exponent <= 0 { return "\(sign)0.\(String(repeating: "0", count: -exponent))\(digits)" }
        if digits.count <= exponent {
            return "\(sign)\(digits)\(String(repeating: "0", count: exponent - digits.count)).0"
        }
        return "\(sign)\(digits.prefix(exponent)).\(digits.dropFirst(exponent))"
    }
}
