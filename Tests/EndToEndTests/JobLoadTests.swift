import ActorCore
import Foundation
import HTTPTransport
import Testing

/// Many jobs at once, each moved on by its callback URL alone: no history loses a line or has two the wrong way round.
@Suite(.serialized) struct JobLoadTests {
    private static let connections = 64
    /// In `make test` beside everything else; all of them in `make soak`.
    private static let jobs = Soak.rounds(200, soak: 1000)
    /// After `run` and before `finish`: ten callbacks in all.
    private static let updates = 8

    private struct Made: Sendable {
        let number: Int
        let uuid: String
        /// Of its last callback.
        let execution: String
    }

    /// Makes jobs and calls their callbacks, the next one when the one before is acknowledged.
    private struct Lab: Sendable {
        let client: CurlClient
        let base: String
        let token: String

        func post(_ url: String, _ body: JSONValue, by user: String? = nil) async throws -> JSONValue {
            var headers = [(name: "Content-Type", value: "application/json")]
            if let user { headers.append((name: "Authorization", value: "Bearer \(user)")) }
            let answer = try await client.send(
                OutgoingRequest(
                    method: "POST", url: url, headers: headers, body: JSONWriter.bytes(body),
                    timeoutMilliseconds: 60000),
                policy: .anywhere)
            let text = String(decoding: answer.body, as: UTF8.self)
            try #require(answer.status == 200 || answer.status == 201, "\(answer.status) \(text)")
            return try JSONReader.read(answer.body)
        }

        func walk(_ number: Int) async throws -> Made {
            let job = try await post(
                "\(base)/api/v1/jobs",
                ["pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "data": ["job": JSONValue(number)]],
                by: token)
            let uuid = try #require(job["uuid"]?.string)
            let callback = try #require(job["callback"]?.string)
            _ = try await post("\(callback)&status=RUNNING", ["job": JSONValue(number)])
            for step in 0..<JobLoadTests.updates {
                _ = try await post("\(callback)&event=update", ["step": JSONValue(step)])
            }
            let last = try await post("\(callback)&status=FINISHED", ["job": JSONValue(number)])
            let execution = try #require(last["result"]?["executionId"]?.string)
            return Made(number: number, uuid: uuid, execution: execution)
        }
    }

    @Test func everyHistoryIsCompleteAndInOrder() async throws {
        try await withDaemon(RunningDaemon()) { daemon in
            try await daemon.start()
            try await daemon.register(.tacobot)
            let lab = Lab(client: daemon.client, base: daemon.base, token: daemon.token)
            let made = try await withThrowingTaskGroup(of: [Made].self) { group in
                for sender in 0..<Self.connections {
                    group.addTask {
                        var made: [Made] = []
                        for number in stride(from: sender, to: Self.jobs, by: Self.connections) {
                            made.append(try await lab.walk(number))
                        }
                        return made
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(made.count == Self.jobs)
            #expect(Set(made.map(\.uuid)).count == Self.jobs)
            for job in made { try await check(job, daemon) }
        }
    }

    private func check(_ job: Made, _ daemon: RunningDaemon) async throws {
        // Handled one after another: when the last is done, all are.
        let execution = try await daemon.finished(job.execution, seconds: 120)
        #expect(execution["outcome"]?.string == "succeeded", "\(execution)")
        let record = try await daemon.get("/api/v1/jobs/\(job.uuid)")
        #expect(record["status"]?.string == "FINISHED")
        let lines = (record["history"]?.array ?? []).compactMap { $0.object?.first }
        let steps = (0..<Self.updates).map { number -> JSONValue in ["step": JSONValue(number)] }
        let mine: JSONValue = ["job": JSONValue(job.number)]
        #expect(lines.map(\.name) == ["CREATE", "RUN"] + steps.map { _ in "UPDATE" } + ["FINISH"], "\(record)")
        #expect(lines.dropFirst().map { $0.value["data"] ?? .null } == [mine] + steps + [mine], "\(record)")
        let dates = lines.compactMap { $0.value["date"]?.string }
        #expect(dates == dates.sorted(), "\(record)")
    }
}
