import ActorCore
import Foundation
import Testing

/// Webhooks of actors: what becomes of an execution reaches the address that was given, signed, again and again.
@Suite("webhooks of actors", .serialized)
struct ActorWebhookTests {
    @Test("an event is repeated until it is taken, with one id and a signature on every attempt")
    func signed() async throws {
        let daemon = try RunningDaemon(shipped: [])
        try daemon.write(
            "callbacks: {allow: [127.0.0.1]}\n" + PeerImages.configuration(in: daemon.folder), to: "config.yml")
        try PeerImages.write(to: daemon)
        try await withDaemon(daemon) { daemon in
            let sink = try await EventSink(folder: daemon.folder, refusals: 2)
            do {
                try await tell(daemon, sink)
            } catch {
                await sink.stop()
                throw error
            }
            await sink.stop()
        }
    }

    @Test("what a deleted actor leaves to be told is signed too, also after a restart")
    func departed() async throws {
        let daemon = try RunningDaemon(shipped: [])
        try daemon.write(
            "callbacks: {allow: [127.0.0.1]}\n" + PeerImages.configuration(in: daemon.folder), to: "config.yml")
        try PeerImages.write(to: daemon)
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let sink = try await EventSink(folder: daemon.folder, refusals: 4)
            do {
                let made = try await daemon.post(
                    "/actors/v2",
                    [
                        "image": "abacosamples/test", "webhook": .string("http://127.0.0.1:\(sink.port)/hook"),
                        "webhookSecret": .string(secret),
                    ])
                let actor = try #require(made.json["result"]?["id"]?.string, "\(made.text)")
                _ = try await daemon.finished(try await daemon.send(actor, ["n": 1]))
                let gone = try await daemon.request("DELETE", "/actors/v2/\(actor)")
                #expect(gone.status == 200, "\(gone.text)")
                await daemon.killNow()
                try await daemon.start()
                _ = try await taken(sink, 2)
                #expect(try await sink.signed(with: secret) == sink.requests.count)
                #expect(sink.requests.count >= 6)
            } catch {
                await sink.stop()
                throw error
            }
            await sink.stop()
        }
    }

    private func tell(_ daemon: RunningDaemon, _ sink: EventSink) async throws {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        try await daemon.start()
        let wrong = try await daemon.post(
            "/actors/v2", ["image": "abacosamples/test", "webhookSecret": "a word"])
        #expect(wrong.status == 400 && wrong.text.contains("whsec_"), "\(wrong.text)")
        let made = try await daemon.post(
            "/actors/v2",
            [
                "image": "abacosamples/test", "webhook": .string("http://127.0.0.1:\(sink.port)/hook"),
                "webhookSecret": .string(secret),
            ])
        let actor = try #require(made.json["result"]?["id"]?.string, "\(made.text)")
        #expect(made.json["result"]?["webhookSigned"] == true)
        #expect(!made.text.contains(secret), "it is never shown")
        let execution = try await daemon.send(actor, ["n": 1])
        let types = ["ACTOR_READY", "EXECUTION_COMPLETE"]
        let seen = try await taken(sink, types.count)
        let told = try seen.map { try body($0)["event_type"]?.string ?? "" }
        #expect(told == types)
        #expect(try body(seen[1])["execution_id"] == .string(execution))
        let requests = sink.requests
        let id = requests.first?["headers"]?["webhook-id"]
        #expect(requests.count == 4 && requests.prefix(3).allSatisfy { $0["headers"]?["webhook-id"] == id })
        #expect(try await sink.signed(with: secret) == 4)
        // A client that knows nothing of it changes the actor: the signing goes on. An empty text ends it.
        let path = "/actors/v2/\(actor)"
        let hook = JSONValue.string("http://127.0.0.1:\(sink.port)/hook")
        var changed = try await daemon.request(
            "PUT", path, body: JSONWriter.bytes(["image": "abacosamples/test", "webhook": hook]))
        #expect(changed.json["result"]?["webhookSigned"] == true, "\(changed.text)")
        changed = try await daemon.request(
            "PUT", path,
            body: JSONWriter.bytes(["image": "abacosamples/test", "webhook": hook, "webhook_secret": ""]))
        #expect(changed.status == 200 && changed.json["result"]?["webhookSigned"] == nil, "\(changed.text)")
        _ = try await daemon.send(actor, ["n": 2])
        let all = try await taken(sink, 3)
        let last = all[2]
        #expect(last["headers"]?["webhook-signature"] == nil && last["headers"]?["idempotency-key"] != nil)
        #expect(!daemon.errors.contains(secret))
    }

    private func body(_ request: JSONValue) throws -> JSONValue {
        try JSONReader.read(try #require(Base64.decode(request["body"]?.string ?? "")))
    }

    private func taken(_ sink: EventSink, _ count: Int) async throws -> [JSONValue] {
        for _ in 0..<2000 {
            let taken = sink.requests.filter { $0["status"]?.int == 204 }
            if taken.count >= count { return taken }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw RunningDaemon.Failure(description: "the sink was told \(sink.requests)")
    }
}
