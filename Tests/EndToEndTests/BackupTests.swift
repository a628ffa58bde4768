import ActorCore
import Foundation
import Testing

/// `reactord backup` beside the working daemon, and `reactord restore` after it has died.
@Suite struct BackupTests {
    private static let actors = ["later": ["actor.yml": "name: later\nrun: {command: [/bin/true]}\n"]]

    /// Sends messages that wait for an hour, one after the other; their executions.
    private func send(_ count: Int, _ name: String, to daemon: RunningDaemon) async throws -> [String] {
        var executions: [String] = []
        for number in 0..<count {
            let answer = try await daemon.request(
                "POST", "/actors/v2/later/messages", body: JSONWriter.bytes(["name": .string("\(name)\(number)")]),
                headers: [(name: "Reactord-Delay", value: "1h")])
            guard let id = answer.json["result"]?["executionId"]?.string else {
                throw RunningDaemon.Failure(description: "not accepted: \(answer.status) \(answer.text)")
            }
            executions.append(id)
        }
        return executions
    }

    @Test func whatWasAcceptedBeforeABackupIsThereAfterARestore() async throws {
        try await withDaemon(RunningDaemon(actors: Self.actors)) { daemon in
            try await daemon.start()
            let file = "\(daemon.folder)/backup.sqlite"
            let before = try await send(100, "before", to: daemon)
            let made = try await daemon.runBeside(["backup", file, "--data-dir", daemon.data]) {
                try await send(300, "beside", to: daemon)
            }
            #expect(made.code == 0 && made.output.hasPrefix("\(file): "), "\(made.code) \(made.output)")
            let during = made.value
            let after = try await send(10, "after", to: daemon)

            let twice = try await daemon.runBeside(["backup", file, "--data-dir", daemon.data])
            #expect(twice.code == 2)
            let early = try await daemon.runBeside(["restore", file, "--data-dir", daemon.data])
            #expect(early.code == 1)
            #expect(daemon.errors.contains("another reactord holds the data folder"), "\(daemon.errors.suffix(1000))")

            await daemon.killNow()
            let restored = try await daemon.runBeside(["restore", file, "--data-dir", daemon.data, "--json"])
            #expect(restored.code == 0, "\(daemon.errors.suffix(1000))")
            try await daemon.start()

            let waiting = try await daemon.get("/api/v1/executions?actor=later&limit=1000")
            let found = Set(waiting["executions"]?.array?.compactMap { $0["id"]?.string } ?? [])
            #expect(found.isSuperset(of: before))
            #expect(found.isDisjoint(with: after))
            // Those that were sent one after the other beside it: a beginning of them, without a hole.
            let kept = during.prefix { found.contains($0) }
            #expect(found.count == before.count + kept.count)
            let new = try await send(300, "new", to: daemon)
            #expect(Set(new).isDisjoint(with: before + during + after), "an id was given twice")

            #expect(await daemon.stop() == 0)
            let answer = try JSONReader.read(Array(restored.output.utf8))
            let aside = try #require(answer["aside"]?.string)
            for folder in [daemon.data, aside] {
                let verified = try await daemon.runBeside(["verify", "--data-dir", folder])
                #expect(verified.code == 0, "\(folder): \(verified.output)")
            }
        }
    }
}
