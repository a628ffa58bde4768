import ActorAPI

extension Tables {
    static func deadLetter(_ detail: DeadLetterDetailPayload, _ style: Style) -> String {
        let letter = detail.letter
        let facts: [(String, String)] = [
            ("id", String(letter.id)), ("actor", letter.actor), ("execution", letter.executionID),
            ("sender", detail.sender), ("cause", detail.cause ?? "-"), ("received", detail.received),
            ("parked", letter.parked), ("replayed", letter.replayedAs ?? "-"), ("reason", letter.reason),
        ]
        var output = ""
        for (name, value) in facts {
            let gap = String(repeating: " ", count: 11 - name.count)
            output += style.paint(name, .strong) + gap + Safe.line(value) + "\n"
        }
        output += "\n" + style.paint("message", .strong) + "\n"
        output += letter.message.isEmpty ? "not shown, or empty\n" : block(letter.message)
        var table = Table("ATTEMPT", "OUTCOME", "EXIT", "STARTED", "FINISHED", "REASON")
        for attempt in detail.attemptList {
            table.add(
                .number(attempt.number), .status(attempt.outcome), .optional(attempt.exitCode.map(String.init)),
                .time(attempt.started), .time(attempt.finished), .optional(attempt.reason))
        }
        output += "\n" + table.render(style, empty: "its attempts are not on record any more")
        output += "\n" + style.paint("log", .strong) + "\n"
        return output + (detail.log.isEmpty ? "nothing was printed, or it is not kept any more\n" : block(detail.log))
    }

    private static func block(_ text: String) -> String {
        let safe = Safe.block(text)
        return safe.hasSuffix("\n") ? safe : safe + "\n"
    }
}
