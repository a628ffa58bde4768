/// How files are named in the catalogue (PipelineJobs, section 4.9).
package enum CatalogueName {
    /// `.` and `..` resolved, slashes collapsed; a leading blank is a name like any other.
    package static func normalized(_ name: String) -> String {
        let isAbsolute = name.hasPrefix("/")
        var parts: [Substring] = []
        for part in name.split(separator: "/") where part != "." {
            if part == ".." {
                if let last = parts.last, last != ".." {
                    parts.removeLast()
                } else if !isAbsolute {
                    parts.append(part)
                }
            } else {
                parts.append(part)
            }
        }
        return (isAbsolute ? "/" : "") + parts.joined(separator: "/")
    }

    /// The name as a record carries it: trimmed, blanks and `=` turned into dashes.
    package static func cleaned(_ name: String) -> String {
        let scalars = name.unicodeScalars
        let trimmed = scalars.drop { $0.properties.isWhitespace }.reversed().drop { $0.properties.isWhitespace }
        var output = ""
        var run: Unicode.Scalar?
        for scalar in normalized(String(String.UnicodeScalarView(trimmed.reversed()))).unicodeScalars {
            let isBlank = scalar.properties.isWhitespace
            guard isBlank || scalar == "=" else {
                output.unicodeScalars.append(scalar)
                run = nil
                continue
            }
            let kind: Unicode.Scalar = isBlank ? " " : "="
            if run != kind { output += "-" }
            run = kind
        }
        return output
    }
}
