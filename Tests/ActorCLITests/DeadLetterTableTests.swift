import ActorAPI
import ActorCore
import Testing

@testable import ActorCLI

@Suite("a dead letter on the terminal")
struct DeadLetterTableTests {
    private var detail: DeadLetterDetailPayload {
        DeadLetterDetailPayload(
            letter: DeadLetterPayload(
                id: 17, actorID: "R4Xo", actor: "hello", executionID: "e1", reason: "exited with status 3",
                attempts: 1, parked: "2026-02-14T12:00:00.000Z", replayedAs: nil, message: "{\"a\":1}"),
            sender: "ann", received: "2026-02-14T11:59:00.000Z", cause: "e0",
            attemptList: [
                AttemptPayload(
                    number: 1, started: "2026-02-14T11:59:01.000Z", finished: "2026-02-14T11:59:02.000Z",
                    outcome: "failed", exitCode: 3, reason: "exited with status 3")
            ],
            log: "line\u{1b}[2J\nlast")
    }

    @Test("input, error, attempts and log are there, and nothing steers the terminal")
    func whole() {
        #expect(
            Tables.deadLetter(detail, .plain) == """
                id         17
                actor      hello
                execution  e1
                sender     ann
                cause      e0
                received   2026-02-14T11:59:00.000Z
                parked     2026-02-14T12:00:00.000Z
                replayed   -
                reason     exited with status 3

                message
                {"a":1}

                ATTEMPT  OUTCOME  EXIT  STARTED              FINISHED             REASON
                1        failed   3     2026-02-14 11:59:01  2026-02-14 11:59:02  exited with status 3

                log
                line?[2J
                last

                """)
    }

    @Test("what is gone, or not for this caller, is said")
    func empty() {
        var detail = detail
        detail.letter.message = ""
        detail.attemptList = []
        detail.log = ""
        let text = Tables.deadLetter(detail, .plain)
        for words in ["not shown, or empty", "not on record any more", "nothing was printed"] {
            #expect(text.contains(words))
        }
    }

    @Test("it goes over the wire and back")
    func wire() { #expect(DeadLetterDetailPayload(json: detail.json) == detail) }
}
