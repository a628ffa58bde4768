import ActorCore
import ActorTesting
import Foundation
import Testing

/// `kill -9` at any moment of an ingest: while files are sent, moved, hashed, unpacked, and while jobs are submitted.
/// Nothing that was done is done again, and what was not is finished.
@Suite(.serialized) struct IngestKillTests {
    /// Each start of a step leaves a line where no other start writes.
    private static let job = """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: "tally-${UUID}"}
        spec:
          template:
            spec:
              initContainers:
                - {name: first, image: local/sh, args: ["-c", "echo first >> $REACTORD_HOME/tally-${UUID}"]}
              containers:
                - name: main
                  image: local/sh
                  args: ["-c", "echo main >> $REACTORD_HOME/tally-${UUID}; cp -r $REACTORD_INPUT/. $REACTORD_OUTPUT/"]
        """

    /// Sends files in pieces, goes on where the daemon says after every failure; ends when all are whole.
    private static let sender = """
        import base64, hashlib, http.client, json, sys, time, urllib.parse
        base, token, folder, count, size, piece = sys.argv[1:4] + [int(n) for n in sys.argv[4:7]]
        host = urllib.parse.urlparse(base).netloc
        def ask(method, path, body=None, headers={}):
            connection = http.client.HTTPConnection(host, timeout=20)
            connection.request(method, path, body, {"Authorization": "Bearer " + token, **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        for number in range(count):
            name = f"{folder}-{number}"
            data = (f"{name} ".encode() * size)[:size]
            offset = 0
            while True:
                try:
                    part = data[offset:offset + piece]
                    span = f"bytes {offset}-{offset + len(part) - 1}/{size}"
                    status, answer = ask("PUT", "/api/v1/uploads/" + name, part, {"Content-Range": span})
                    if status == 201: break
                    offset = answer["offset"] if status == 202 else -1
                except OSError: offset = -1
                except http.client.HTTPException: offset = -1
                while offset < 0:
                    time.sleep(0.02)
                    try:
                        status, answer = ask("GET", "/api/v1/uploads/" + name)
                    except (OSError, http.client.HTTPException): continue
                    if status == 404: offset = 0
                    elif status == 200: offset = answer.get("offset", size + 1)
                # Its last piece had arrived, only the answer had not; or it is on its way already.
                if offset > size: break
                if offset < size: continue
                digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
                try:
                    status, answer = ask("PUT", "/api/v1/uploads/" + name, b"", {
                        "Content-Range": f"bytes */{size}", "Repr-Digest": f"sha-256=:{digest}:"})
                    if status == 201: break
                except (OSError, http.client.HTTPException): pass
                offset = 0
        """

    private static let zipper = """
        import sys, zipfile, os
        folder, count = sys.argv[1], int(sys.argv[2])
        for number in range(count):
            name = f"{folder}/zipped-{number}.zip"
            with zipfile.ZipFile(name + ".part", "w", zipfile.ZIP_DEFLATED) as archive:
                for inner in range(40): archive.writestr(f"raw/{inner}.dat", f"{number} {inner} " * 3000)
            os.rename(name + ".part", name)
        """

    private func lines(_ daemon: RunningDaemon, _ name: String) -> [String] {
        let text = (try? String(contentsOfFile: "\(daemon.folder)/tally-\(name)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// A message that never got the time it needs is given up in the end: what it had begun is seen, and goes on when
    /// it is sent again.
    @Test func whatWasGivenUpIsSeenAndGoesOn() async throws {
        let daemon = try RunningDaemon(config: IngestTests.config)
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        try daemon.write("settle_seconds: 0.1\nscan_seconds: 0.1\n", to: "actors/ingest/config.yml")
        try daemon.write(
            "name: ingest\nrun: {builtin: ingest}\nstateless: true\nmax_workers: 8\nretry: {attempts: 1}\n",
            to: "actors/ingest/actor.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let file = "\(daemon.folder)/large.dat"
            #expect(FileManager.default.createFile(atPath: file, contents: nil))
            #expect(truncate(file, off_t(4) << 30) == 0)
            try FileManager.default.moveItem(atPath: file, toPath: "\(daemon.data)/inbox/large.dat")
            let original = "\(daemon.data)/uploads/large.dat/1/original/large.dat"
            while !FileManager.default.fileExists(atPath: original) { try await Task.sleep(for: .milliseconds(20)) }
            await daemon.killNow()
            try await daemon.start()
            let seen = try await daemon.until("/api/v1/uploads/large.dat") { $0["state"]?.string == "failed" }
            #expect(seen["note"]?.string?.contains("dead-letters") == true, "\(seen)")
            let connection = ["--url", daemon.base, "--data-dir", daemon.data]
            let replayed = try await daemon.runBeside(["dead-letters", "replay", "--all"] + connection)
            #expect(replayed.code == 0, "\(replayed.output)")
            let upload = try await daemon.until("/api/v1/uploads/large.dat", seconds: 120) {
                $0["state"]?.string == "done"
            }
            #expect(upload["bytes"]?.int == 4 << 30 && upload["number"]?.int == 1)
        }
    }

    @Test func nothingIsRepeatedAndNothingIsLost() async throws {
        var seeded = SeededGenerator(seed: Soak.seed(of: "every way in under kills"))
        let count = Soak.rounds(4, soak: 30)
        let blows = Soak.rounds(6, soak: 60)
        let daemon = try RunningDaemon(config: IngestTests.config)
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        try daemon.write(Self.job, to: "actors/ingest/jobs/tally.yaml")
        // Nobody looks by time: the folder is heard of, or seen at a start.
        try daemon.write(
            "settle_seconds: 0.3\nscan_seconds: 0.1\nrescan_seconds: 3600\n", to: "actors/ingest/config.yml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let port = Int(daemon.port)
            let size = 400_000
            let sender = try spawnPython(
                [Self.sender, daemon.base, daemon.token, "sent", String(count), String(size), "60000"],
                output: "\(daemon.folder)/sender.log")
            let zipper = try spawnPython(
                [Self.zipper, "\(daemon.data)/inbox", String(count)], output: "\(daemon.folder)/zipper.log")
            for number in 0..<count {
                try daemon.write("content of \(number)", to: "var/inbox/folder-\(number)/a.dat")
                try daemon.write("", to: "var/inbox/folder-\(number).done")
            }
            for _ in 0..<blows {
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...700, using: &seeded)))
                await daemon.killNow()
                try await daemon.start(port: port)
            }
            #expect(await ended(sender) == 0)
            #expect(await ended(zipper) == 0)
            for number in 0..<count {
                for (name, files) in [("sent-\(number)", 1), ("zipped-\(number)", 40), ("folder-\(number)", 1)] {
                    let upload = try await daemon.until("/api/v1/uploads/\(name)", seconds: 120) {
                        ["done", "failed", "partly_failed"].contains($0["state"]?.string)
                    }
                    #expect(upload["state"]?.string == "done" && upload["jobs"]?.array?.count == 1, "\(upload)")
                    #expect(upload["file_count"]?.int == files, "\(upload)")
                    // Each step was started once, whatever happened.
                    #expect(lines(daemon, name) == ["first", "main"], "\(name)")
                }
                let sent = try await daemon.get("/api/v1/uploads/sent-\(number)")
                #expect(sent["bytes"]?.int == size, "\(sent)")
                let raw = "\(daemon.data)/uploads/zipped-\(number)/1/original/raw"
                #expect(try FileManager.default.contentsOfDirectory(atPath: raw).count == 40)
            }
            let all = try await daemon.get("/api/v1/uploads?limit=1000")
            #expect(all["uploads"]?.array?.count == 3 * count)
            #expect(try await daemon.get("/api/v1/jobs?limit=1000")["jobs"]?.array?.count == 3 * count)
            let left = try FileManager.default.contentsOfDirectory(atPath: "\(daemon.data)/inbox")
            #expect(left.filter { !$0.hasPrefix(".") }.isEmpty, "\(left)")
        }
    }
}
