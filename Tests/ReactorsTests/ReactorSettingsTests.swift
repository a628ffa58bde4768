import ActorCore
import Testing

@testable import Reactors

/// A Reactor does not start with settings that it would misread.
@Suite struct ReactorSettingsTests {
    private struct Setup: ReactorSetup {
        let settings: JSONValue
        let actor = ActorID("a")
        let tenant = "dev"
        let folder = "/nonexistent"

        func log(_ level: LogLevel, _ message: String) {}
        func secret(_ name: String) -> String? { nil }
    }

    @Test func everyOneSaysWhatItTakes() {
        #expect(Set(Catalog.settings.keys) == Set(Catalog.makers.keys))
    }

    @Test func itDoesNotStartAndSaysAllThatIsWrong() async throws {
        let reactor = PipelinesReactor()
        try await reactor.prepare(Setup(settings: [:]))
        try await reactor.prepare(Setup(settings: ["token_pepper": .null, "admin_token_key": "k"]))
        do {
            try await reactor.prepare(
                Setup(settings: ["token_peper": "x", "admin_token_lifetime_seconds": "long", "admin_token_key": "k"]))
            Issue.record("it started")
        } catch let error as ActorError {
            #expect(error.details.map(\.place) == ["/token_peper", "/admin_token_lifetime_seconds"])
            #expect(error.details.last?.problem == "must be a number above 0")
        }
    }

    /// What a rule says of values that are there.
    @Test(
        arguments: [
            ("token_hours", 0.5, nil), ("token_hours", 0, "must be a number of hours above 0, at most ten years"),
            ("token_events", "*", nil), ("token_events", ["run", "finish"], nil), ("callbacks", "slurm", nil),
            ("callbacks", ["statuses": ["DONE": "finish"]], nil), ("max_data_bytes", 0, nil),
            ("max_data_bytes", -1, "must be a number, 0 or more"), ("state_exit", "yes", "must be true or false"),
            ("archive_patterns", [["level": "1", "patterns": [".*"]]], nil), ("job_indexer", "", nil),
            ("stalled_after_hours", 0, nil), ("callback_maps", [], "must be a mapping (key: value)"),
        ] as [(String, JSONValue, String?)])
    func manager(key: String, value: JSONValue, expected: String?) {
        let found = PipelineJobsReactor.settings.problems(in: .object([JSONValue.Member(key, value)]))
        #expect(found.first?.problem == expected, "\(found)")
        #expect(found.count == (expected == nil ? 0 : 1))
    }
}
