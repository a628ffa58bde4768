import ActorCore
import Foundation
import Testing

/// A stop that is asked for while somebody is still sending and something still runs.
@Suite(.serialized) struct StopTests {
    /// A connection that has sent part of a request and goes on no further.
    private final class HalfRequest {
        private let socket: Int32

        init(port: UInt16, _ text: String) throws {
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isConnected, write(socket, text, text.utf8.count) == text.utf8.count else {
                throw RunningDaemon.Failure(description: "nothing could be sent")
            }
        }

        deinit { close(socket) }
    }

    /// The upload is cut off when its time is over; the command is left to itself and taken over by the next start.
    @Test func aCommandOutlivesAStopThatWaitsForAnUpload() async throws {
        let config = "executors: {process: {grace_seconds: 1}}\n"
        let daemon = try RunningDaemon(config: config)
        let script = "echo try >> \(daemon.folder)/tries; while ! test -e \(daemon.folder)/go; do sleep 0.05; done"
        try daemon.write(
            "name: slow\nrun: {command: [/bin/sh, -c, \"\(script)\"]}\nretry: {attempts: 1}\n",
            to: "actors/slow/actor.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let execution = try await daemon.send("slow", [:])
            while !FileManager.default.fileExists(atPath: "\(daemon.folder)/tries") { await Task.yield() }
            let upload = try HalfRequest(
                port: daemon.port,
                "PUT /api/v1/uploads/2026-11-21-e-half/a.dat HTTP/1.1\r\nHost: 127.0.0.1:\(daemon.port)\r\n"
                    + "Authorization: Bearer \(daemon.token)\r\nContent-Type: application/octet-stream\r\n"
                    + "Content-Length: 1000000\r\n\r\n" + String(repeating: "x", count: 1000))
            let parts = "\(daemon.data)/inbox/.parts"
            while (try? FileManager.default.contentsOfDirectory(atPath: parts))?.isEmpty != false { await Task.yield() }
            let code = await daemon.stop()
            #expect(code == 0, "\(daemon.errors)")
            withExtendedLifetime(upload) {}

            try await daemon.start()
            let waiting = try await daemon.get("/api/v1/executions/\(execution)")
            #expect(waiting["outcome"]?.string == nil, "\(waiting)")
            try daemon.write("", to: "go")
            #expect(try await daemon.finished(execution)["outcome"] == "succeeded", "\(daemon.errors)")
            let tries = try String(contentsOfFile: "\(daemon.folder)/tries", encoding: .utf8)
            #expect(tries == "try\n", "it was started once")
            #expect(try await daemon.get("/api/v1/dead-letters")["dead_letters"]?.array?.isEmpty == true)
        }
    }
}
