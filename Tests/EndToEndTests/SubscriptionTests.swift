import ActorCore
import Foundation
import Synchronization
import Testing

/// Events leave the real daemon for a real sink: signed, in order, again and again until they are taken.
@Suite(.serialized) struct SubscriptionTests {
    /// A sink in a process of its own: refuses the first requests with 503, writes down what comes.
    private struct Sink {
        let port: Int
        private let process: pid_t
        private let log: String

        init(folder: String, refusals: Int) async throws {
            log = "\(folder)/sink.log"
            let script = """
                import base64, http.server, json, sys
                left = int(sys.argv[2])
                log = open(sys.argv[1], "a")
                class Sink(http.server.BaseHTTPRequestHandler):
                    protocol_version = "HTTP/1.1"
                    def do_POST(self):
                        global left
                        body = self.rfile.read(int(self.headers["Content-Length"]))
                        status = 503 if left > 0 else 204
                        left -= 1
                        seen = {"status": status, "headers": {k.lower(): v for k, v in self.headers.items()},
                                "body": base64.b64encode(body).decode()}
                        log.write(json.dumps(seen) + "\\n")
                        log.flush()
                        self.send_response(status)
                        if status == 503:
                            self.send_header("Retry-After", "1")
                        self.send_header("Content-Length", "0")
                        self.end_headers()
                    def log_message(self, *arguments):
                        pass
                server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
                print(server.server_address[1], flush=True)
                server.serve_forever()
                """
            let output = "\(folder)/sink.port"
            process = try spawnPython([script, log, String(refusals)], output: output)
            port = try await Self.port(in: output)
        }

        private static func port(in file: String) async throws -> Int {
            let deadline = ContinuousClock.now + .seconds(90)
            while ContinuousClock.now < deadline {
                let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
                if text.hasSuffix("\n"), let number = Int(text.dropLast()) { return number }
                try await Task.sleep(for: .milliseconds(20))
            }
            throw RunningDaemon.Failure(description: "the sink does not start")
        }

        var requests: [JSONValue] {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").compactMap { try? JSONReader.read(Array($0.utf8)) }
        }

        /// Python computes the signatures, not the code that made them: how many requests are signed.
        func signed(with secret: String) async throws -> Int {
            let script = """
                import base64, hashlib, hmac, json, sys
                key = base64.b64decode(sys.argv[2].removeprefix("whsec_"))
                count = 0
                for line in open(sys.argv[1]):
                    seen = json.loads(line)
                    headers = seen["headers"]
                    text = (headers["webhook-id"] + "." + headers["webhook-timestamp"] + ".").encode()
                    code = hmac.new(key, text + base64.b64decode(seen["body"]), hashlib.sha256).digest()
                    count += "v1," + base64.b64encode(code).decode() in headers["webhook-signature"].split(" ")
                sys.exit(count)
                """
            let child = try spawnPython([script, log, secret], output: "/dev/null")
            return Int(await ended(child))
        }

        func stop() async {
            kill(process, SIGKILL)
            _ = await ended(process)
        }
    }

    private func event(_ request: JSONValue) throws -> CloudEvent {
        let body = try #require(Base64.decode(request["body"]?.string ?? ""))
        return try CloudEvent(structured: body, maxDepth: 64)
    }

    @Test func eventsReachASinkThatRefusedTwiceAcrossARestart() async throws {
        let config = "callbacks: {allow: [127.0.0.1]}\n"
        let hello = ["actor.yml": "name: hello\nrun: {command: [/bin/true]}\n"]
        try await withDaemon(RunningDaemon(config: config, actors: ["hello": hello])) { daemon in
            let sink = try await Sink(folder: daemon.folder, refusals: 2)
            do {
                try await refuseTwice(daemon, sink)
            } catch {
                await sink.stop()
                throw error
            }
            await sink.stop()
        }
    }

    private func refuseTwice(_ daemon: RunningDaemon, _ sink: Sink) async throws {
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

/// `python3 -c` with these arguments. Not Foundation's Process, which waits for whoever inherited its descriptors.
private func spawnPython(_ arguments: [String], output: String) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
    let argv = (["python3", "-c"] + arguments).map { strdup($0) } + [nil]
    let envp = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var child: pid_t = 0
    let code = posix_spawnp(&child, "python3", &actions, nil, argv, envp)
    guard code == 0 else { throw RunningDaemon.Failure(description: "cannot start python3: \(code)") }
    return child
}

/// The exit code of a child, or 128 + the signal.
private func ended(_ child: pid_t) async -> Int32 {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread {
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0, errno == EINTR {}
            continuation.resume(returning: status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f))
        }
    }
}
