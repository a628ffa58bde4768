/// What a word means, so that a terminal can show it in a colour.
package enum Tone: Sendable, Equatable {
    case plain
    case strong
    case faint
    case good
    case bad
    case busy

    /// Of a status of an actor, an execution or a job.
    package static func of(status: String) -> Tone {
        switch status {
        case "READY", "FINISHED", "VALIDATED", "FINALIZED", "succeeded", "done": .good
        case "ERROR", "FAILED", "REJECTED", "failed", "partly_failed", "timed_out", "cancelled": .bad
        case "RUNNING", "SUBMITTED", "INDEXING", "VALIDATING", "RESET", "interrupted": .busy
        case "running", "receiving", "settling": .busy
        default: .plain
        }
    }
}

/// Turns tones into escape sequences, or leaves them out.
package enum Style: Sendable, Equatable {
    case plain
    case colour

    package func paint(_ text: String, _ tone: Tone) -> String {
        guard self == .colour, let code = Self.code(tone) else { return text }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }

    private static func code(_ tone: Tone) -> String? {
        switch tone {
        case .plain: nil
        case .strong: "1"
        case .faint: "2"
        case .good: "32"
        case .bad: "31"
        case .busy: "33"
        }
    }
}

/// Makes text from elsewhere safe to show: a terminal would obey what is hidden in it.
package enum Safe {
    /// One line: control characters become `?`, line ends a blank.
    package static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    if scalar == "\n" || scalar == "\t" || scalar == "\r" { return " " }
                    return isControl(scalar) ? "?" : scalar
                }))
    }

    /// Several lines, as a log has them.
    package static func block(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar == "\n" || scalar == "\t" || !isControl(scalar) ? scalar : "?"
                }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // C0, DEL and C1, and the marks that turn the direction of writing.
        case 0..<0x20, 0x7f..<0xa0, 0x202a...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
