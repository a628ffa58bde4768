import ActorCLI
import ActorCore
import Testing

/// What `reactord run` shows of logs that it asks for again and again.
struct LogTailsTests {
    private func answer(_ text: String, bytes: Int? = nil, name: String = "main-a.log") -> JSONValue {
        let log: JSONValue = [
            "name": .string(name), "execution_id": "e1", "text": .string(text),
            "bytes": JSONValue(bytes ?? text.utf8.count),
        ]
        return ["logs": [log]]
    }

    @Test func onlyWhatIsNewAndWholeLines() {
        var tails = LogTails()
        var shown: [[String]] = []
        for text in ["", "one", "one\ntw", "one\ntwo\n", "one\ntwo\n", "one\ntwo\n\nthree"] {
            shown.append(tails.news(in: answer(text), isOver: false))
        }
        #expect(shown == [[], [], ["main-a | one"], ["main-a | two"], [], ["main-a | "]])
        let last = tails.news(in: answer("one\ntwo\n\nthree"), isOver: true)
        #expect(last == ["main-a | three"])
        let nothing = tails.news(in: answer("one\ntwo\n\nthree"), isOver: true)
        #expect(nothing.isEmpty)
    }

    @Test func ofALongLogTheEndIsTold() {
        var tails = LogTails()
        let first = tails.news(in: answer("tail\n", bytes: 1000), isOver: false)
        #expect(first == ["main-a | … 995 bytes left out", "main-a | tail"])
        let next = tails.news(in: answer("tail\nmore\n", bytes: 1005), isOver: false)
        #expect(next == ["main-a | more"])
    }

    @Test func whatTheHouseNotesStandsInTheHistory() {
        var tails = LogTails()
        let lines = tails.news(in: answer("Job x runs\n", name: "execution"), isOver: true)
        #expect(lines.isEmpty)
        let control = tails.news(in: answer("a\u{1b}[2Jb\n"), isOver: true)
        #expect(control.count == 1 && !control[0].contains("\u{1b}"))
    }
}
