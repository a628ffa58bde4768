import ActorCore
import Foundation
import Synchronization
import Testing

/// Events leave the real daemon for a real sink: signed, in order, again and again until they are taken.
@Suite(.serialized) struct SubscriptionTests {
    private func event(_ request: JSONValue) throws -> CloudEvent {
        let body = try #require(Base64.decode(request["body"]?.string ?? ""))
        return try CloudEvent(structured: body, maxDepth: 64)
    }

    @Test func eventsReachASinkThatRefusedTwiceAcrossARestart() async throws {
        let config = "callbacks: {allow: [127.0.0.1]}\n"
        let hello = ["actor.yml": "name: hello\nrun: {command: [/bin/true]}\n"]
        try await withDaemon(RunningDaemon(config: config, actors: ["hello": hello])) { daemon in
            let sink = try await EventSink(folder: daemon.folder, refusals: 2)
            do {
                try await refuseTwice(daemon, sink)
            } catch {
                await sink.stop()
                throw error
            }
            await sink.stop()
        }
    }

    private func refuseTwice(_ daemon: RunningDaemon, _ sink: EventSink) async throws {
        try await daemon.start()
        let done = "reactord.execution.finished"
        let made = try await daemon.post(
            "/api/v1/subscriptions",
            [
                "sink": .string("http://127.0.0.1:\(sink.port)/hook"),
                "filters": [
                    ["any": [["suffix": ["type": "message.accepted"]], ["exact": ["type": .string(done)]]]]
                ],
            ])
        #expect(made.status == 201, "\(made.text)")
        let one = "/api/v1/subscriptions/\(try #require(made.json["id"]?.string))"
        let secret = try #require(made.json["secret"]?.string)

        var executions: [String] = []
        for number in 1...3 { executions.append(try await daemon.send("hello", ["n": JSONValue(number)])) }
        // The first event is refused: the daemon is killed while it waits for the next attempt.
        _ = try await daemon.until("\(one)/deliveries") {
            ($0["deliveries"]?.array?.last?["attempts"]?.int ?? 0) > 0
        }
        await daemon.killNow()
        try await daemon.start()
        for execution in executions { _ = try await daemon.finished(execution) }
        let state = try await daemon.until(one) { $0["delivered"]?.int == 6 && $0["waiting"]?.int == 0 }
        #expect(state["given_up"] == 0 && state["dropped"] == 0)

        let seen = sink.requests
        let refused = seen.filter { $0["status"]?.int == 503 }
        let taken = try seen.filter { $0["status"]?.int == 204 }.map(event)
        #expect(refused.count == 2)
        #expect(try refused.map(event) == [taken[0], taken[0]], "the same event on every attempt")
        #expect(try await sink.signed(with: secret) == seen.count)
        for request in seen {
            let told = try event(request)
            #expect(request["headers"]?["webhook-id"]?.string == told.id)
            #expect(request["headers"]?["content-type"]?.string == "application/cloudevents+json")
        }
        // A kill between an answer and its commit sends an event again; its id tells.
        var ids: Set<String> = []
        let once = taken.filter { ids.insert($0.id).inserted }
        #expect(once.count == 6)
        let accepted = once.filter { $0.type == "reactord.message.accepted" }.compactMap(\.subject)
        #expect(accepted == executions, "in the order of acceptance")
        let finished = once.filter { $0.type == done }
        #expect(Set(finished.compactMap(\.subject)) == Set(executions))
        #expect(finished.allSatisfy { $0.source.hasSuffix("/actors/\(actorID(in: $0))") })
        #expect(!daemon.errors.contains("whsec_"))

        // The daemon itself is no sink.
        let loop = try await daemon.post(
            "/api/v1/subscriptions", ["sink": .string("\(daemon.base)/actors/v2/hello/messages")])
        #expect(loop.status == 400, "\(loop.text)")
        try await noLoop(daemon)
    }

    /// A name for this daemon that it does not know to be its own: the first event that comes back ends it.
    private func noLoop(_ daemon: RunningDaemon) async throws {
        let nonce = try await daemon.post("/actors/v2/hello/nonces", ["maxUses": -1, "level": "EXECUTE"])
        let id = try #require(nonce.json["result"]?["id"]?.string, "\(nonce.text)")
        let actor = try #require(try await daemon.get("/actors/v2/hello")["result"]?["id"]?.string)
        let port = try #require(daemon.base.split(separator: ":").last)
        let made = try await daemon.post(
            "/api/v1/subscriptions",
            ["sink": .string("http://127.0.0.1:0\(port)/actors/v2/\(actor)/messages?x-nonce=\(id)")])
        #expect(made.status == 201, "\(made.text)")
        let one = "/api/v1/subscriptions/\(try #require(made.json["id"]?.string))"
        let before = try await daemon.get("/api/v1/executions?actor=hello&limit=1000")["executions"]?.array?.count
        _ = try await daemon.finished(try await daemon.send("hello", ["n": 4]))
        let ended = try await daemon.until(one) { $0["enabled"] == false }
        #expect(ended["disabled_reason"]?.string?.contains("410") == true, "\(ended)")
        let after = try await daemon.get("/api/v1/executions?actor=hello&limit=1000")["executions"]?.array?.count
        #expect(after == (before ?? 0) + 1)
    }

    private func actorID(in event: CloudEvent) -> String {
        guard case .json(let bytes) = event.payload else { return "" }
        return (try? JSONReader.read(bytes))?["actor_id"]?.string ?? ""
    }

    /// What came in as an event is told to a script by its environment.
    @Test func aScriptSeesTheEventItWasSent() async throws {
        let hello = [
            "actor.yml": "name: hello\nrun: {command: [/bin/sh, -c, 'echo \"$CE_TYPE from $CE_SOURCE: $MSG\"']}\n"
        ]
        try await withDaemon(RunningDaemon(actors: ["hello": hello])) { daemon in
            try await daemon.start()
            let answer = try await daemon.request(
                "POST", "/actors/v2/hello/messages", body: Array("hi there".utf8), type: "text/plain",
                headers: [
                    (name: "ce-specversion", value: "1.0"), (name: "ce-id", value: "1"),
                    (name: "ce-source", value: "/lab"), (name: "ce-type", value: "com.example.greeting"),
                ])
            let id = try #require(answer.json["result"]?["executionId"]?.string, "\(answer.text)")
            _ = try await daemon.finished(id)
            let log = try await daemon.request("GET", "/api/v1/executions/\(id)/logs")
            #expect(log.text.contains("com.example.greeting from /lab: hi there"), "\(log.text)")
        }
    }
}
