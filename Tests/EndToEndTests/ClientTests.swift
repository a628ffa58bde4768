import ActorCore
import Foundation
import Testing

/// The clients that users of the old service have, as they come from PyPI, against the real daemon.
@Suite("agavepy and tapipy", .serialized)
struct ClientTests {
    private static let missing: Comment =
        "agavepy and tapipy are missing: scripts/setup --tests installs them"

    private func daemon() throws -> RunningDaemon {
        let daemon = try RunningDaemon(shipped: [])
        try daemon.write(
            """
            auth:
              users:
                alice: {roles: [admin], password: wonderland}
                bob: {roles: [user]}
            executors:
              process:
                max_running: 8
                images:
                  lab/printer: {command: [/bin/sh, \(daemon.folder)/images/printer.sh]}
                  lab/answerer: {command: [python3, \(daemon.folder)/images/answerer.py]}
            """, to: "config.yml")
        try PeerImages.write(to: daemon)
        return daemon
    }

    @Test(
        "every call that they have for actors, and the logins before them",
        .enabled(if: PythonTools.hasClients, missing),
        arguments: [
            ("agavepy_calls.py", "agavepy: 34 kinds of calls"), ("tapipy_calls.py", "tapipy: 30 operations"),
        ])
    func allCalls(script: String, says: String) async throws {
        let python = try #require(PythonTools.program("python3", in: PythonTools.clients))
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            let run = try await PythonTools.run(
                python,
                ["\(RunningDaemon.root)/Tests/EndToEndTests/Clients/\(script)", daemon.base, "alice", "wonderland"],
                in: daemon.folder, environment: ["HOME": daemon.folder])
            #expect(run.code == 0, "\(run.output.suffix(3000))")
            #expect(run.output.contains(says), "\(run.output.suffix(3000))")
        }
    }
}
