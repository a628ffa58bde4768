import ActorCore
import Foundation
import Testing

/// Logs that are read while they are written.
@Suite("logs that are followed", .serialized)
struct FollowTests {
    /// Prints half of a secret, waits until it is told to go on, and prints the rest.
    private static let program = """
        import os, sys, time
        secret = os.environ["SECRET_WORD"]
        sys.stdout.write("first\\nthe word is " + secret[:9])
        sys.stdout.flush()
        while not os.path.exists(sys.argv[1]):
            time.sleep(0.02)
        print(secret[9:] + "!\\nümlaut")
        """

    @Test("the actors API streams until the execution ends, and no part of a secret is in it")
    func stream() async throws {
        let daemon = try RunningDaemon(shipped: [])
        try daemon.write(Self.program, to: "program.py")
        try daemon.write("{\"SECRET_WORD\": \"correct-horse-battery\"}", to: "secrets.json", mode: 0o600)
        try daemon.write(
            """
            name: talker
            run: {command: [python3, \(daemon.folder)/program.py, \(daemon.folder)/go]}
            secrets: [SECRET_WORD]
            """, to: "actors/talker/actor.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let execution = try await daemon.send("talker", ["a": 1])
            _ = try await daemon.until("/actors/v2/talker/executions/\(execution)/logs") {
                $0["result"]?["logs"]?.string?.contains("the word is ") == true
            }
            let early = try await daemon.get("/actors/v2/talker/executions/\(execution)/logs")
            #expect(early["result"]?["logs"] == "first\nthe word is ", "what may become the secret is held back")
            let path = "/actors/v2/talker/executions/\(execution)/logs?follow=true"
            let script = """
                import sys, urllib.request
                request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
                answer = urllib.request.urlopen(request)
                print(answer.headers["Content-Type"])
                sys.stdout.write(repr(answer.read() if len(sys.argv) > 3 else answer.readline()))
                """
            let whole = try spawnPython(
                [script, daemon.base + path, daemon.token, "all"], output: "\(daemon.folder)/whole")
            // Another reader that goes away is no harm.
            let brief = try spawnPython([script, daemon.base + path, daemon.token], output: "\(daemon.folder)/brief")
            let code = await ended(brief)
            let line = try String(contentsOfFile: "\(daemon.folder)/brief", encoding: .utf8)
            #expect(code == 0 && line == "text/plain; charset=utf-8\nb'first\\n'", "\(line)")
            try daemon.write("", to: "go")
            let end = await ended(whole)
            let text = try String(contentsOfFile: "\(daemon.folder)/whole", encoding: .utf8)
            #expect(end == 0 && text.hasSuffix("b'first\\nthe word is *****!\\n\\xc3\\xbcmlaut\\n'"), "\(text)")
            let nobody = try await daemon.request("GET", path, authorised: false)
            #expect(nobody.status == 400)
        }
    }
}
