import ActorCore
import Foundation
import HTTPTransport
import Testing

/// A zip lands in a bucket, the daemon fetches, unpacks, stores and copies it, and only then removes it.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct BucketTests {
    private static let moto = "\(RunningDaemon.root)/.build-python-store/bin/moto_server"

    /// moto without its checks of signatures: what a test puts there needs none.
    private static func startMoto() throws -> (process: Process, port: Int) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: moto)
        process.arguments = ["-H", "127.0.0.1", "-p", "0"]
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = pipe
        try process.run()
        var text = ""
        while !text.contains("Press CTRL+C") {
            let data = pipe.fileHandleForReading.availableData
            guard !data.isEmpty else { throw RunningDaemon.Failure(description: "moto did not start: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        let rest = text.components(separatedBy: "http://127.0.0.1:").dropFirst().first ?? ""
        guard let port = Int(rest.prefix { $0.isNumber }) else {
            throw RunningDaemon.Failure(description: "moto did not say its port: \(text)")
        }
        return (process, port)
    }

    private static func zip(_ name: String, in folder: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c",
            "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], 'w'); z.writestr('a.txt', 'one'); "
                + "z.writestr('deep/b.bin', bytes(range(256)) * 1000); z.close()", "\(folder)/\(name)",
        ]
        try process.run()
        process.waitUntilExit()
        return Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
    }

    @Test(.enabled(if: access(moto, X_OK) == 0, "moto is not installed: scripts/setup --tests installs it"))
    func aZipInABucketBecomesAnUploadAndACopy() async throws {
        let (moto, port) = try Self.startMoto()
        defer { kill(moto.processIdentifier, SIGKILL) }
        let daemon = try RunningDaemon(
            config: """
                connectors:
                  s3:
                    endpoint: http://127.0.0.1:\(port)
                    access_key: AK
                    secret_key: canary-key
                    inbox: {bucket: lab-inbox, poll_seconds: 1, settle_seconds: 0}
                    copy: {bucket: lab-data, prefix: ephys/}
                """)
        try await withDaemon(daemon) { daemon in
            let store = "http://127.0.0.1:\(port)"
            for bucket in ["lab-inbox", "lab-data"] {
                #expect(
                    try await daemon.request("PUT", "\(store)/\(bucket)", type: nil, authorised: false).status == 200)
            }
            let bytes = try Self.zip("x.zip", in: daemon.folder)
            let name = "2026-11-21-e-bucket"
            let put = try await daemon.request(
                "PUT", "\(store)/lab-inbox/\(name).zip", body: bytes, type: nil, authorised: false)
            #expect(put.status == 200)
            try await daemon.start()
            let upload = try await daemon.until("/api/v1/uploads/\(name)") { $0["state"]?.string == "done" }
            #expect(upload["file_count"]?.int == 2)
            // A sudden end here and there repeats nothing.
            await daemon.killNow()
            try await daemon.start()
            for (path, count) in [("lab-data", 2), ("lab-inbox", 0)] {
                let deadline = ContinuousClock.now + .seconds(60)
                var keys = -1
                while keys != count, ContinuousClock.now < deadline {
                    let list = try await daemon.request(
                        "GET", "\(store)/\(path)?list-type=2", type: nil, authorised: false)
                    keys = list.text.components(separatedBy: "<Key>").count - 1
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(keys == count, "\(path)")
            }
            // The store shows its lists to everybody, its objects to their owner only.
            let copies = try await daemon.request(
                "GET", "\(store)/lab-data?list-type=2", type: nil, authorised: false)
            for text in ["<Key>ephys/\(name)/original/deep/b.bin</Key>", "<Size>256000</Size>"] {
                #expect(copies.text.contains(text), "\(copies.text)")
            }
            let uploads = try await daemon.get("/api/v1/uploads")
            #expect(uploads["uploads"]?.array?.count == 1)
            #expect(!daemon.errors.contains("canary-key"))
            await daemon.stop()
        }
    }
}
