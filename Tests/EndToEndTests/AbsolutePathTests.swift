import ActorCore
import Foundation
import Testing

/// The places that Abaco's helpers have in their code: each execution finds its own message and its own socket there.
@Suite("the absolute paths of Abaco's helpers", .serialized)
struct AbsolutePathTests {
    private static let rootOnly: Comment = "only root may give each execution a mount namespace of its own"

    /// Waits until all of them run, so that they look at the same time.
    private static let echo = """
        import os, socket, sys, time
        folder, expected = sys.argv[1], int(sys.argv[2])
        open(os.path.join(folder, os.environ["_abaco_execution_id"]), "w").close()
        while len(os.listdir(folder)) < expected:
            time.sleep(0.02)
        message = open("/_abaco_binary_data", "rb").read()
        assert message == open("/_abaco_fifo_folder/_abaco_binary_data", "rb").read()
        for path in ["/_abaco_results.sock", "/_abaco_socket_folder/_abaco_results.sock"]:
            results = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            results.connect(path)
            results.send(message)
        """

    private static let helpers = """
        from agavepy.actors import get_binary_message, get_context, send_bytes_result, send_python_result, update_state
        context = get_context()
        update_state({"seen": context["execution_id"]})
        send_bytes_result(get_binary_message()[::-1])
        send_python_result({"execution": context["execution_id"], "kind": context["content_type"]})
        """

    @Test("four at once, none sees another's", .enabled(if: geteuid() == 0, rootOnly))
    func eachItsOwn() async throws {
        let count = 4
        let daemon = try RunningDaemon(shipped: [])
        try daemon.write("", to: "started/.keep")
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/started/.keep")
        try daemon.write(Self.echo, to: "echo.py")
        try daemon.write(
            """
            executors:
              process:
                max_running: 8
                images:
                  lab/echo: {command: [python3, \(daemon.folder)/echo.py, \(daemon.folder)/started, "\(count)"]}
            """, to: "config.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let made = try await daemon.post("/actors/v2", ["image": "lab/echo"])
            let actor = try #require(made.json["result"]?["id"]?.string)
            var executions: [String] = []
            for number in 0..<count {
                let sent = try await daemon.request(
                    "POST", "/actors/v2/\(actor)/messages", body: body(number), type: "application/octet-stream")
                executions.append(try #require(sent.json["result"]?["executionId"]?.string, "\(sent.text)"))
            }
            for (number, execution) in executions.enumerated() {
                let done = try await daemon.finished(execution)
                #expect(done["outcome"] == "succeeded", "\(done)")
                for _ in 0..<2 {
                    let result = try await daemon.request(
                        "GET", "/actors/v2/\(actor)/executions/\(execution)/results")
                    #expect(result.body == body(number), "\(number)")
                }
            }
            // Nothing of it is left where everybody looks.
            for path in ["/_abaco_binary_data", "/_abaco_results.sock"] {
                let left = FileManager.default.contents(atPath: path) ?? Data()
                #expect(left.isEmpty, "\(path)")
            }
        }
    }

    /// Longer than a pipe holds.
    private func body(_ number: Int) -> [UInt8] {
        (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* (number + 3)) }
    }

    @Test(
        "agavepy's helpers read the message and send results",
        .enabled(if: geteuid() == 0 && PythonTools.hasClients, "needs root, and agavepy (scripts/setup --tests)"))
    func agavepy() async throws {
        let python = try #require(PythonTools.program("python3", in: PythonTools.clients))
        let patch = "\(RunningDaemon.root)/Examples/agavepy"
        let daemon = try RunningDaemon(shipped: [])
        try daemon.write(Self.helpers, to: "helpers.py")
        try daemon.write(
            """
            executors:
              process:
                images:
                  lab/helpers:
                    command: [env, "PYTHONPATH=\(patch)", "\(python)", "\(daemon.folder)/helpers.py"]
            """, to: "config.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let made = try await daemon.post(
                "/actors/v2",
                ["image": "lab/helpers", "stateless": false])
            let actor = try #require(made.json["result"]?["id"]?.string)
            let sent = try await daemon.request(
                "POST", "/actors/v2/\(actor)/messages", body: body(1), type: "application/octet-stream")
            let execution = try #require(sent.json["result"]?["executionId"]?.string, "\(sent.text)")
            let done = try await daemon.finished(execution)
            let log = try await daemon.request("GET", "/api/v1/executions/\(execution)/logs")
            #expect(done["outcome"] == "succeeded", "\(log.text)")
            let state = try await daemon.get("/actors/v2/\(actor)/state")
            #expect(state["result"]?["state"]?["seen"] == .string(execution))
            let path = "/actors/v2/\(actor)/executions/\(execution)/results"
            let first = try await daemon.request("GET", path)
            #expect(first.body == body(1).reversed())
            let second = try await daemon.request("GET", path)
            #expect(second.text.contains(execution) && second.text.contains("application/octet-stream"))
        }
    }
}
