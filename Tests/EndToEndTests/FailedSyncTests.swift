import ActorCore
import HTTPTransport
import Testing

/// A disk that fails while it holds what was not acknowledged yet.
@Suite(.serialized) struct FailedSyncTests {
    private static let before = 40

    /// What so many messages at once are answered; nil for a connection that ended.
    private func statuses(of count: Int, to daemon: RunningDaemon) async throws -> [Int?] {
        let client = daemon.client
        let request = OutgoingRequest(
            method: "POST", url: "\(daemon.base)/actors/v2/hello/messages",
            headers: [
                (name: "Content-Type", value: "application/json"),
                (name: "Authorization", value: "Bearer \(daemon.token)"),
            ], body: Array("{}".utf8), timeoutMilliseconds: 60000)
        return await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<count { group.addTask { try? await client.send(request, policy: .anywhere).status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// On a slow disk commits lie in the log while others are synced: behind a sync that failed there may be a hole. So
    /// nothing is committed any more until the store is opened again.
    @Test func aDaemonWhoseSyncFailsEndsAndTheNextHasAllThatItAccepted() async throws {
        let hello = ["actor.yml": "name: hello\nrun: {builtin: discard}\n"]
        try await withDaemon(RunningDaemon(actors: ["hello": hello])) { daemon in
            let disk = try Preload("slowdisk", in: daemon.folder, [0])
            daemon.environment = disk.environment
            try await daemon.start()
            var accepted: [String] = []
            for number in 1...Self.before { accepted.append(try await daemon.send("hello", ["n": JSONValue(number)])) }

            disk.set([1])
            // Answered with an error, or with nothing: never with an id.
            #expect(try await statuses(of: 16, to: daemon).allSatisfy { $0 != 200 })
            let end = await daemon.waitForEnd()
            #expect(end == 1, "\(daemon.errors)")
            #expect(daemon.errors.contains("nothing more can be committed"), "\(daemon.errors)")

            disk.set([0])
            try await daemon.start()
            for execution in accepted { #expect(try await daemon.finished(execution)["outcome"] == "succeeded") }
            #expect(await daemon.stop() == 0)
            let verdict = try await daemon.runToEnd(["verify", "--data-dir", daemon.data])
            #expect(verdict.code == 0, "\(verdict.output)\(verdict.errors)")
        }
    }
}
