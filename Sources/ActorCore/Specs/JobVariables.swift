/// The variables that one container sees, and `$(NAME)` in what it runs.
package enum JobVariables {
    /// The house's own variables, then the container's; a later one of the same name wins. The values of the
    /// container may use `$(NAME)` for what was defined before them.
    package static func make(_ base: [EnvironmentEntry], _ container: JobSpec.Container) -> [EnvironmentEntry] {
        var entries = base
        var values = table(base)
        for entry in container.env {
            let value = expand(entry.value, values)
            entries.removeAll { $0.name == entry.name }
            entries.append(EnvironmentEntry(entry.name, value))
            values[entry.name] = value
        }
        return entries
    }

    package static func table(_ entries: [EnvironmentEntry]) -> [String: String] {
        Dictionary(entries.map { ($0.name, $0.value) }) { _, later in later }
    }

    /// As Kubernetes does it: `$(NAME)` is replaced when the name is known, `$$` is a plain `$` (so that `$$(NAME)`
    /// comes out as `$(NAME)`), everything else stays as it is. No shell is involved.
    package static func expand(_ text: String, _ values: [String: String]) -> String {
        var output: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                output.append(bytes[index])
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "$"):
                output.append(bytes[index])
                index += 2
            case UInt8(ascii: "("):
                guard let end = bytes[index...].firstIndex(of: UInt8(ascii: ")")) else {
                    output += bytes[index...]
                    return String(decoding: output, as: UTF8.self)
                }
                let name = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
                output += values[name].map { Array($0.utf8) } ?? Array(bytes[index...end])
                index = end + 1
            default:
                output.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
