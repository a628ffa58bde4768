import ActorCore

/// Gathers everything wrong in one document, so that one look repairs it all.
final class ProblemCollector {
    let file: String
    private let lines: [String: Int]
    /// JSON pointer to the variable that its value was taken from.
    let origins: [String: String]
    private(set) var problems: [Problem] = []

    init(file: String, lines: [String: Int], origins: [String: String] = [:]) {
        self.file = file
        self.lines = lines
        self.origins = origins
    }

    func report(_ pointer: String, _ reason: String) {
        if let variable = origins[pointer] {
            problems.append(Problem(file: variable, reason: reason))
        } else {
            problems.append(Problem(file: file, line: line(of: pointer), reason: reason))
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
