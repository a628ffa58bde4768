import ActorAPI
import ActorCore
import Synchronization
import Testing

@testable import ActorCLI

@Suite("waiting")
struct WaitingTests {
    /// Answers by the path, the last answer of each for ever.
    private final class Script: HTTPClient {
        private let answers: Mutex<[String: [String]]>

        init(_ answers: [String: [String]]) { self.answers = Mutex(answers) }

        func send(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> IncomingResponse {
            let path = String(request.url.dropFirst("http://h".count))
            let body = answers.withLock { answers -> String? in
                guard let all = answers[path], let first = all.first else { return nil }
                if all.count > 1 { answers[path] = Array(all.dropFirst()) }
                return first
            }
            return IncomingResponse(status: body == nil ? 404 : 200, headers: [], body: Array((body ?? "{}").utf8))
        }

        func stream(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> ResponseStream {
            throw ActorError(.unavailable, "nothing is streamed here")
        }
    }

    private final class Said: Sendable {
        let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
    }

    private static func execution(_ status: String) -> String {
        #"{"id": "x1", "actor_id": "R4Xo", "status": "\#(status)"}"#
    }

    private static func why(_ reason: String, _ text: String, until: String = "null") -> String {
        #"{"waits_for": [{"reason": "\#(reason)", "text": "\#(text)", "until": \#(until)}]}"#
    }

    private static func actor(_ status: String) -> String {
        #"{"id": "R4Xo", "name": "hello", "status": "\#(status)", "status_message": "no such table"}"#
    }

    private func waiting(
        _ answers: [String: [String]], _ said: Said, patience: Swift.Duration = .zero
    ) -> Waiting {
        let client = DaemonClient(url: "http://h", token: nil, http: Script(answers))
        return Waiting(client: client, patience: patience) { line in said.lines.withLock { $0.append(line) } }
    }

    @Test("what an execution waits for is said, once for each change")
    func news() async throws {
        let said = Said()
        let ended = try await waiting(
            [
                "/api/v1/executions/x1": Array(repeating: Self.execution("SUBMITTED"), count: 14)
                    + [Self.execution("COMPLETE")],
                "/api/v1/executions/x1/why": [
                    Self.why("order", "an earlier message"), Self.why("order", "an earlier message"),
                    Self.why("nothing", "it runs"),
                ],
            ], said
        ).end(of: "x1")
        #expect(ended.status == "COMPLETE")
        #expect(said.all == ["execution x1: an earlier message", "execution x1: it runs"])
    }

    @Test("nothing is said about what ends soon")
    func quiet() async throws {
        let said = Said()
        let answers = ["/api/v1/executions/x1": [Self.execution("SUBMITTED"), Self.execution("COMPLETE")]]
        _ = try await waiting(answers, said, patience: .seconds(60)).end(of: "x1")
        #expect(said.all.isEmpty)
    }

    @Test("an actor in ERROR ends the wait; one that is only paused does not")
    func stopped() async throws {
        let said = Said()
        let stopped = [
            "/api/v1/executions/x1": [Self.execution("SUBMITTED")],
            "/api/v1/executions/x1/why": [
                Self.why("actor_stopped", "soon", until: "\"2026-11-22T21:00:00.000Z\""),
                Self.why("actor_stopped", "its actor does not run"),
            ],
            "/api/v1/actors/R4Xo": [Self.actor("ERROR")],
        ]
        let failure = await #expect(throws: Failure.self) { try await waiting(stopped, said).end(of: "x1") }
        #expect(failure?.exit == .failed)
        for words in ["hello is stopped in ERROR: no such table", "kept as execution x1", "/actors/hello/restart"] {
            #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
        }
        #expect(said.all == ["execution x1: soon"])
    }

    @Test("a request that waits for an actor in ERROR is given up")
    func request() async throws {
        let said = Said()
        let manager = waiting(["/api/v1/actors/manager": [Self.actor("READY"), Self.actor("ERROR")]], said)
        let failure = await #expect(throws: Failure.self) {
            try await manager.answer(from: "manager") {
                try await Task.sleep(for: .seconds(60))
                return .null
            }
        }
        #expect(failure?.message.contains("what it was asked is kept") == true)
        #expect(said.all.count == 1)
        let patient = waiting([:], said, patience: .seconds(60))
        let answer = try await patient.answer(from: "manager") { ["a": 1] }
        #expect(answer == ["a": 1])
    }

    @Test("uploads that are not among those asked for are not taken for none at all")
    func uploads() {
        #expect(Tables.uploads([], .plain).contains("no uploads yet"))
        #expect(Tables.uploads([], isNarrowed: true, .plain).hasPrefix("no upload is like that"))
    }
}
