import ActorCore

/// One thing wrong in a file that people write: where, and what to do about it.
package struct Problem: Sendable, Equatable, CustomStringConvertible {
    package let file: String
    /// 1 is the first; nil when the file as a whole is meant.
    package let line: Int?
    package let reason: String

    package init(file: String, line: Int? = nil, reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    /// What an error says about the files it names, one problem for each of its details.
    static func all(of error: ActorError, file: String) -> [Problem] {
        guard !error.details.isEmpty else { return [Problem(file: file, reason: error.message)] }
        return error.details.map { detail in
            guard let colon = detail.place.lastIndex(of: ":"), let line = Int(detail.place[colon...].dropFirst())
            else { return Problem(file: detail.place, reason: detail.problem) }
            return Problem(file: String(detail.place[..<colon]), line: line, reason: detail.problem)
        }
    }

    package var place: String { line.map { "\(file):\($0)" } ?? file }
    package var description: String { "\(place): \(reason)" }
}
