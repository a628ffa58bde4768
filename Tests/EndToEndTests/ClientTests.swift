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

    /// agavepy drops its token when there is a port in the address: it has to be 443.
    @Test(
        "through TLS with a certificate of one's own, as they come",
        .enabled(if: geteuid() == 0 && PythonTools.hasClients, "needs root for port 443, and the clients"))
    func throughTLS() async throws {
        let python = try #require(PythonTools.program("python3", in: PythonTools.clients))
        let host = "127.0.\(Int.random(in: 80...250)).\(Int.random(in: 2...250))"
        let daemon = try daemon()
        let plain = try String(contentsOfFile: "\(daemon.folder)/config.yml", encoding: .utf8)
        try daemon.write("server: {public_url: \"https://\(host)\"}\n" + plain, to: "config.yml")
        let folder = daemon.folder
        let made = try await PythonTools.run(
            "/usr/bin/env",
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab", "-keyout",
                "\(folder)/key.pem", "-out", "\(folder)/certificate.pem",
            ], in: folder)
        try #require(made.code == 0, "\(made.output)")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let proxy = Process()
            proxy.executableURL = URL(fileURLWithPath: python)
            proxy.arguments = [
                "\(RunningDaemon.root)/Tests/EndToEndTests/Clients/tls_proxy.py", host, "443", "\(daemon.port)",
                "\(folder)/certificate.pem", "\(folder)/key.pem",
            ]
            let output = Pipe()
            proxy.standardOutput = output
            try proxy.run()
            // TERM may be blocked in what a test starts; one that stays holds the output of the tests open for ever.
            defer {
                kill(proxy.processIdentifier, SIGKILL)
                proxy.waitUntilExit()
            }
            let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            #expect(said.hasPrefix("ready"), "\(said)")
            let login = try await daemon.request(
                "POST", "/v3/oauth2/tokens",
                body: Array(#"{"username":"alice","password":"wonderland","grant_type":"password"}"#.utf8),
                authorised: false)
            let jwt = try #require(
                login.json["result"]?["access_token"]?["access_token"]?.string, "\(login.text)")
            let run = try await PythonTools.run(
                python,
                ["\(RunningDaemon.root)/Tests/EndToEndTests/Clients/tls_calls.py", host, daemon.token, jwt],
                in: folder, environment: ["HOME": folder])
            #expect(run.code == 0 && run.output.contains("both clients, through TLS"), "\(run.output.suffix(3000))")
        }
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
