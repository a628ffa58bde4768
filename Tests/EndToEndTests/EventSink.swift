import ActorCore
import Foundation

/// A sink in a process of its own: refuses the first requests with 503, writes down what comes.
struct EventSink {
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

    static func port(in file: String) async throws -> Int {
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

/// `python3 -c` with these arguments. Not Foundation's Process, which waits for whoever inherited its descriptors.
func spawnPython(_ arguments: [String], output: String) throws -> pid_t {
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
func ended(_ child: pid_t) async -> Int32 {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread {
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0, errno == EINTR {}
            continuation.resume(returning: status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f))
        }
    }
}
