package import ActorCore

/// `secrets.json`: what the house knows and does not tell. A flat object of names and values.
package struct SecretsFile: Sendable, Equatable {
    package let values: [String: Secret]
    package let warnings: [Problem]

    package init(values: [String: Secret] = [:], warnings: [Problem] = []) {
        self.values = values
        self.warnings = warnings
    }

    package subscript(name: String) -> String? { values[name]?.reveal() }

    /// A missing file holds nothing. Throws `invalidInput` naming the line; never shows a value.
    package static func load(_ path: String) throws(ActorError) -> SecretsFile {
        let file: BoundedFile
        do {
            file = try BoundedFile.read(path, limit: 1_048_576)
        } catch let error where error.code == .notFound {
            return SecretsFile()
        }
        var warnings: [Problem] = []
        if file.mode & 0o077 != 0 {
            let mode = String(file.mode & 0o777, radix: 8)
            warnings.append(
                Problem(file: path, reason: "others on this machine may read it (mode 0\(mode)); run chmod 600 on it"))
        }
        let tree: JSONValue
        do {
            tree = try JSONReader.read(file.bytes)
        } catch {
            // The reason may quote a key, never a value.
            throw failure(path, line: file.line(at: error.offset), "not valid JSON: \(error.reason)")
        }
        guard case .object(let members) = tree else {
            throw failure(path, line: 1, "it must be an object of names and values: {\"NAME\": \"value\"}")
        }
        var values: [String: Secret] = [:]
        for member in members {
            switch member.value {
            case .string(let text): values[member.name] = Secret(text)
            case .null: continue
            default: values[member.name] = Secret(JSONWriter.string(member.value))
            }
        }
        return SecretsFile(values: values, warnings: warnings)
    }

    private static func failure(_ path: String, line: Int, _ problem: String) -> ActorError {
        ActorError(
            .invalidInput, "\(path) cannot be used",
            details: [ActorError.Detail(place: "\(path):\(line)", problem: problem)])
    }
}
