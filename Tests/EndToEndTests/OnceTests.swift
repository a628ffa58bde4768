import ActorCore
import Foundation
import HTTPTransport
import Testing

/// What may happen once happens once, whoever asks how often and whatever happens to the daemon in between.
@Suite(.serialized) struct OnceTests {
    private static let actors = ["echo": ["actor.yml": "name: echo\nrun: {command: [/bin/echo, ok]}\n"]]

    /// A nonce with one use, used by 1,000 requests at once over 64 connections.
    @Test func aNonceWithOneUseOpensOnce() async throws {
        try await withDaemon(RunningDaemon(actors: Self.actors)) { daemon in
            try await daemon.start()
            let made = try await daemon.post("/actors/v2/echo/nonces", ["maxUses": 1, "level": "EXECUTE"])
            let nonce = try #require(made.json["result"]?["id"]?.string, "\(made.text)")
            // A nonce of an actor opens its id, not its name.
            let id = try #require(made.json["result"]?["actorId"]?.string)
            let url = "\(daemon.base)/actors/v2/\(id)/messages?x-nonce=\(nonce)"
            let client = daemon.client
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                // 64 at a time, each as soon as the one before it is answered: 1,000 in all.
                for sender in 0..<64 {
                    group.addTask {
                        var statuses: [Int] = []
                        for number in stride(from: sender, to: 1000, by: 64) {
                            let answer = try await client.send(
                                OutgoingRequest(
                                    method: "POST", url: url,
                                    headers: [(name: "Content-Type", value: "application/json")],
                                    body: JSONWriter.bytes(["n": JSONValue(number)]), timeoutMilliseconds: 60000),
                                policy: .anywhere)
                            statuses.append(answer.status)
                        }
                        return statuses
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(statuses.count == 1000)
            #expect(statuses.count { $0 == 200 } == 1)
            #expect(statuses.count { $0 == 400 } == 999, "\(Set(statuses))")
            let executions = try await daemon.get("/api/v1/executions?actor=echo")
            #expect(executions["executions"]?.array?.count == 1)
        }
    }

    /// A key sent before and after a kill and a restart is the same execution; with another body it is refused.
    @Test func aKeyIsKnownAfterAKillAndARestart() async throws {
        try await withDaemon(RunningDaemon(actors: Self.actors)) { daemon in
            func send(_ body: JSONValue) async throws -> RunningDaemon.Answer {
                try await daemon.request(
                    "POST", "/actors/v2/echo/messages", body: JSONWriter.bytes(body),
                    headers: [(name: "Idempotency-Key", value: "once")])
            }
            try await daemon.start()
            let first = try await send(["n": 1])
            let execution = try #require(first.json["result"]?["executionId"]?.string, "\(first.text)")
            #expect(try await daemon.finished(execution)["outcome"]?.string == "succeeded")
            for life in ["the same", "killed", "drained"] {
                if life == "killed" { await daemon.killNow() }
                if life == "drained" { #expect(await daemon.stop() == 0) }
                if life != "the same" { try await daemon.start() }
                let again = try await send(["n": 1])
                #expect(again.status == 200, "\(life)")
                #expect(again.json["result"]?["executionId"]?.string == execution, "\(life)")
                #expect(try await send(["n": 2]).status == 422, "\(life)")
            }
            let executions = try await daemon.get("/api/v1/executions?actor=echo")
            #expect(executions["executions"]?.array?.count == 1)
        }
    }
}
