import ActorCore

/// Gathers everything wrong in one document, so that one look repairs it all.
final class ProblemCollector {
    let file: String
    let lines: [String: Int]
    /// JSON pointer to the variable that its value was taken from.
    let origins: [String: String]
    private var found: [Problem] = []

    init(file: String, lines: [String: Int], origins: [String: String] = [:]) {
        self.file = file
        self.lines = lines
        self.origins = origins
    }

    /// From top to bottom, as a person goes through the file.
    var problems: [Problem] {
        found.enumerated().sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }
            .map(\.element)
    }

    func report(_ pointer: String, _ reason: String) {
        if let variable = origins[pointer] {
            found.append(Problem(file: variable, reason: reason))
        } else {
            found.append(Problem(file: file, line: line(of: pointer), reason: reason))
        }
    }

    /// The line of a value, or of the nearest thing around it that is in the file.
    func line(of pointer: String) -> Int? {
        var place = Substring(pointer)
        while true {
            if let line = lines[String(place)] { return line }
            guard let slash = place.lastIndex(of: "/") else { return nil }
            place = place[..<slash]
        }
    }
}
