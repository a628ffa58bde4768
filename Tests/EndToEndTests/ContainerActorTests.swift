import ActorCore
import Foundation
import Testing

/// The engine that `scripts/try-engines` has started.
private enum StartedEngine {
    static let socket = ProcessInfo.processInfo.environment["REACTORD_ENGINE_SOCKET"]
    static let reason: Comment =
        "needs a container engine: make engines starts one (scripts/setup --engines installs it)"
    static let images = ["localhost/suite/actor", "localhost/suite/actor-of-lab"]
}

/// Actors whose image runs in a container.
@Suite(
    "actors in containers", .serialized, .enabled(if: StartedEngine.socket != nil, StartedEngine.reason),
    .timeLimit(.minutes(5)))
struct ContainerActorTests {

    private func daemon() throws -> RunningDaemon {
        let socket = StartedEngine.socket ?? ""
        return try RunningDaemon(
            config: "executors: {container: {socket: \"unix://\(socket)\", pull: Never}}", shipped: [])
    }

    private func makeImages() async throws {
        let make = try spawnPython(
            [
                "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))",
                "\(RunningDaemon.root)/Tests/EndToEndTests/Fixtures/images/make", StartedEngine.socket ?? "",
            ], output: "/dev/null")
        try #require(await ended(make) == 0, "the images could not be made")
    }

    /// The second image runs as a user whom the daemon does not know.
    @Test(
        "an image gets its message, its absolute paths and its folder, whoever it runs as",
        arguments: StartedEngine.images)
    func runs(image: String) async throws {
        try await makeImages()
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            let made = try await daemon.post("/actors/v2", ["image": .string(image), "stateless": false])
            let actor = try #require(made.json["result"]?["id"]?.string, "\(made.text)")
            let path = "/actors/v2/\(actor)"
            let uid = image.hasSuffix("lab") ? "1000" : "0"

            let json = try await daemon.send(actor, ["plate": 3, "ok": true, "note": .null])
            let first = try await daemon.finished(json)
            let log = try await daemon.get("\(path)/executions/\(json)/logs")["result"]?["logs"]?.string ?? ""
            #expect(first["outcome"] == "succeeded", "\(log)")
            for line in [
                "user \(uid)", "from the image: yes", "MSG {'plate': 3, 'ok': True, 'note': None}",
                "type application/json, image \(image), sender admin", "read 33", "done",
            ] {
                #expect(log.split(separator: "\n").contains(Substring(line)), "\(line) is not in \(log)")
            }
            for word in ["sees", "removed"] { #expect(!log.contains(word), "\(log)") }
            #expect(try await results(daemon, path, json) == ["first", "second", "third"].map { Array($0.utf8) })

            let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let sent = try await daemon.request(
                "POST", "\(path)/messages", body: body, type: "application/octet-stream")
            let binary = try #require(sent.json["result"]?["executionId"]?.string, "\(sent.text)")
            let second = try await daemon.finished(binary)
            #expect(second["outcome"] == "succeeded")
            #expect(try await results(daemon, path, binary).first == body.reversed())
            let shown = try await daemon.get("\(path)/executions/\(binary)")["result"]
            #expect(shown?["status"] == "COMPLETE" && shown?["exitCode"] == 0)
            let text = try await daemon.get("\(path)/executions/\(binary)/logs")["result"]?["logs"]?.string ?? ""
            #expect(text.contains("MSG none") && text.contains("read 100000"), "\(text)")

            // Open to whoever it runs as, closed to everybody else.
            let run = "\(daemon.data)/runs/\(binary)"
            #expect(try mode(run) == 0o700)
            #expect(try mode("\(run)/message") == 0o644)
            #expect(FileManager.default.fileExists(atPath: "\(run)/work/here"))
            for (name, kind) in [("results", FileAttributeType.typeDirectory), ("output.log", .typeRegular)] {
                let found = try FileManager.default.attributesOfItem(atPath: "\(run)/\(name)")[.type]
                #expect(found as? FileAttributeType == kind, "\(name)")
            }
        }
    }

    @Test("an image that is not there puts its actor into ERROR, which says what to do, and its mail waits for it")
    func unknown() async throws {
        try await withDaemon(daemon()) { daemon in
            try await daemon.start()
            let made = try await daemon.post("/actors/v2", ["image": "localhost/suite/nobody-has-it"])
            let actor = try #require(made.json["result"]?["id"]?.string, "\(made.text)")
            let execution = try await daemon.send(actor, ["a": 1])
            let shown = try await daemon.until("/actors/v2/\(actor)") { $0["result"]?["status"] == "ERROR" }
            let message = shown["result"]?["statusMessage"]?.string ?? ""
            #expect(message.contains("nobody-has-it") && message.contains("pull it"), "\(message)")
            let waiting = try await daemon.get("/actors/v2/\(actor)/executions/\(execution)")
            #expect(waiting["result"]?["status"] == "SUBMITTED")
            // Another image, and the message runs.
            try await makeImages()
            let put = try await daemon.request(
                "PUT", "/actors/v2/\(actor)", body: JSONWriter.bytes(["image": .string(StartedEngine.images[0])]))
            #expect(put.status == 200, "\(put.text)")
            #expect(try await daemon.finished(execution)["outcome"] == "succeeded")
            _ = try await daemon.until("/actors/v2/\(actor)") { $0["result"]?["status"] == "READY" }
        }
    }

    @Test("an engine that does not answer is said, and the mail runs when it does")
    func away() async throws {
        try await makeImages()
        let daemon = try daemon()
        let link = "\(daemon.folder)/engine"
        try daemon.write("executors: {container: {socket: \"unix://\(link)\", pull: Never}}", to: "config.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let made = try await daemon.post("/actors/v2", ["image": .string(StartedEngine.images[0])])
            let actor = try #require(made.json["result"]?["id"]?.string, "\(made.text)")
            let execution = try await daemon.send(actor, ["a": 1])
            let shown = try await daemon.until("/actors/v2/\(actor)") { $0["result"]?["status"] == "ERROR" }
            let message = shown["result"]?["statusMessage"]?.string ?? ""
            #expect(message.contains("does not answer") && message.contains("tried again by itself"), "\(message)")
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: try #require(StartedEngine.socket))
            #expect(try await daemon.finished(execution)["outcome"] == "succeeded")
            _ = try await daemon.until("/actors/v2/\(actor)") { $0["result"]?["status"] == "READY" }
        }
    }

    private func results(_ daemon: RunningDaemon, _ path: String, _ execution: String) async throws -> [[UInt8]] {
        var results: [[UInt8]] = []
        while results.count < 10 {
            let answer = try await daemon.request("GET", "\(path)/executions/\(execution)/results")
            #expect(answer.status == 200)
            if answer.body.isEmpty { break }
            results.append(answer.body)
        }
        return results
    }

    private func mode(_ path: String) throws -> Int {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        return try #require(mode) & 0o777
    }
}
