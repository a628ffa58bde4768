package import ActorCore

/// What was measured: the twelfth character of an experiment's UUID (lab workflows, section 0.1).
package enum Modality: String, Sendable, CaseIterable {
    case ephys
    case imaging
    case fluidics

    /// `2020-04-28-e-silicon` is ephys; nil when the character is missing or another one.
    package init?(uuid: String) {
        guard let letter = uuid.dropFirst(11).first,
            let match = Self.allCases.first(where: { $0.rawValue.first == letter })
        else { return nil }
        self = match
    }
}

/// Which job files apply to an upload.
package enum JobSelection {
    /// Lists which uploads a job file is for: globs over the paths of the upload, separated by commas.
    package static let annotation = "reactord/applies-to"

    /// Why the folder of a job file rules it out for this upload by the standard rule; nil when it does not.
    package static func obstacle(file: String, uuid: String) -> String? {
        FolderRule.standard.obstacle(file: file, UploadFacts(name: uuid))
    }

    /// Why the annotation rules a job file out; nil when it does not, or when there are no globs.
    package static func obstacle(globs: [String], files: [LabFile]) -> String? {
        guard !globs.isEmpty else { return nil }
        let applies = files.contains { file in
            let base = file.path.split(separator: "/").last.map(String.init) ?? file.path
            return globs.contains { Glob.matches($0, file.path) || Glob.matches($0, base) }
        }
        return applies ? nil : "no file of the upload matches \(annotation): \(globs.joined(separator: ", "))"
    }

    /// The globs of an annotation's text.
    package static func globs(_ text: String) -> [String] {
        text.split(separator: ",").map { part in
            var glob = part
            while glob.first?.isWhitespace ?? false { glob.removeFirst() }
            while glob.last?.isWhitespace ?? false { glob.removeLast() }
            return String(glob)
        }.filter { !$0.isEmpty }
    }
}

/// File name patterns: `*` is any run of characters but `/`, `?` is one of them, all others are themselves.
package enum Glob {
    package static func matches(_ pattern: String, _ name: String) -> Bool {
        let pattern = Array(pattern.unicodeScalars)
        let name = Array(name.unicodeScalars)
        var (patternIndex, nameIndex) = (0, 0)
        // Where the last star stood and how much it took: enough to go back to, so that time stays quadratic.
        var star: (pattern: Int, name: Int)?
        while nameIndex < name.count {
            if patternIndex < pattern.count, pattern[patternIndex] == "*" {
                star = (patternIndex, nameIndex)
                patternIndex += 1
            } else if patternIndex < pattern.count,
                pattern[patternIndex] == name[nameIndex]
                    || (pattern[patternIndex] == "?" && name[nameIndex] != "/")
            {
                patternIndex += 1
                nameIndex += 1
            } else if let last = star, name[last.name] != "/" {
                star = (last.pattern, last.name + 1)
                patternIndex = last.pattern + 1
                nameIndex = last.name + 1
            } else {
                return false
            }
        }
        return pattern[patternIndex...].allSatisfy { $0 == "*" }
    }
}
