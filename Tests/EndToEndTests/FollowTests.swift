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
        print(secret[9:] + "!\\nümlaut " + os.environ["_abaco_access_token"])
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
            #expect(end == 0 && text.hasSuffix("b'first\\nthe word is *****!\\n\\xc3\\xbcmlaut *****\\n'"), "\(text)")
            let nobody = try await daemon.request("GET", path, authorised: false)
            #expect(nobody.status == 400)
        }
    }

    /// Reads the first line on many connections, then drops half of them and closes the others.
    private static let leavers = """
        import socket, struct, sys
        port, path, token = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        readers = []
        for _ in range(20):
            reader = socket.create_connection(("127.0.0.1", port))
            head = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}", "", ""]
            reader.sendall("\\r\\n".join(head).encode())
            seen = b""
            while b"first" not in seen:
                more = reader.recv(4096)
                assert more, seen
                seen += more
            readers.append(reader)
        for index, reader in enumerate(readers):
            if index % 2:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            reader.close()
        """

    @Test("readers that go away leave nothing behind, and who stays is told that the daemon stops")
    func leaving() async throws {
        let daemon = try RunningDaemon(config: "executors: {process: {grace_seconds: 1}}", shipped: [])
        try daemon.write(Self.program, to: "program.py")
        try daemon.write(
            """
            name: talker
            run: {command: [python3, \(daemon.folder)/program.py, \(daemon.folder)/go]}
            environment: {SECRET_WORD: correct-horse-battery}
            """, to: "actors/talker/actor.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let execution = try await daemon.send("talker", ["a": 1])
            let path = "/actors/v2/talker/executions/\(execution)/logs?follow=true"
            _ = try await daemon.until("/actors/v2/talker/executions/\(execution)/logs") {
                $0["result"]?["logs"]?.string?.contains("the word is ") == true
            }
            let before = sockets(of: daemon)
            for _ in 0..<3 {
                let readers = try spawnPython(
                    [Self.leavers, "\(daemon.port)", path, daemon.token], output: "\(daemon.folder)/leavers")
                #expect(await ended(readers) == 0)
            }
            // Nothing is printed meanwhile, and nobody else asks anything: it is not by writing that their going shows.
            let deadline = ContinuousClock.now + .seconds(30)
            while sockets(of: daemon) > before, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(sockets(of: daemon) <= before)

            let script = """
                import sys, urllib.request
                request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
                answer = urllib.request.urlopen(request)
                first = answer.readline()
                open(sys.argv[3], "w").close()
                sys.stdout.write(repr(first + answer.read()))
                """
            let stays = try spawnPython(
                [script, daemon.base + path, daemon.token, "\(daemon.folder)/reading"],
                output: "\(daemon.folder)/stays")
            while !FileManager.default.fileExists(atPath: "\(daemon.folder)/reading") {
                try await Task.sleep(for: .milliseconds(20))
            }
            // An answer that breaks off would be an error over there.
            #expect(await daemon.stop() == 0)
            #expect(await ended(stays) == 0)
            let text = try String(contentsOfFile: "\(daemon.folder)/stays", encoding: .utf8)
            #expect(text.hasPrefix("b'first\\nthe word is "), "\(text)")
            try daemon.write("", to: "go")
        }
    }

    private func sockets(of daemon: RunningDaemon) -> Int {
        let folder = "/proc/\(daemon.pid)/fd"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
            return target?.hasPrefix("socket:") == true
        }
    }
}
