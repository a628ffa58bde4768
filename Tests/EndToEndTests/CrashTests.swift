import ActorCore
import ActorTesting
import Foundation
import HTTPTransport
import Synchronization
import Testing

/// `kill -9` at random moments, under load: nothing accepted is lost, nothing is done twice.
@Suite(.serialized) struct CrashTests {
    @Test func killedTwentyTimesItLosesNothingAndRepeatsNothing() async throws {
        let seed = UInt64.random(in: 0..<UInt64.max)
        print("crash seed \(seed)")
        var random = SeededGenerator(seed: seed)
        try await withDaemon(RunningDaemon()) { daemon in
            try await daemon.start()
            let made = try await daemon.post(
                "/api/v1/jobs", ["pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "data": ["run": 1]])
            let job = made.json
            #expect(made.status == 201, "\(made.text)")
            let uuid = try #require(job["uuid"]?.string)
            let token = try #require(job["token"]?.string)
            var accepted: Set<Int> = []
            var sent = 0
            for _ in 0..<20 {
                let moment = Int.random(in: 5...250, using: &random)
                let batch = try await load(daemon, uuid: uuid, token: token, from: sent, killAfter: moment)
                sent = batch.next
                accepted.formUnion(batch.accepted)
                try await daemon.start()
            }
            let all = accepted
            let history = try await daemon.until("/api/v1/jobs/\(uuid)/history", seconds: 120) { value in
                let seen = Set(Self.numbers(value))
                return all.isSubset(of: seen)
            }
            // Everything that was sent has ended by now, or was never accepted: wait for the mailbox to be empty.
            _ = try await daemon.until("/api/v1/actors/pipeline-jobs-manager", seconds: 60) {
                $0["waiting"]?.int == 0 && $0["running"]?.int == 0
            }
            let numbers = Self.numbers(history)
            #expect(all.count > 20, "too little load to mean anything: \(all.count)")
            #expect(Set(numbers).count == numbers.count, "done twice, seed \(seed)")
            #expect(all.isSubset(of: Set(numbers)), "lost, seed \(seed)")
            print("crash test: \(sent) sent, \(all.count) acknowledged, \(numbers.count) done, 20 kills")
        }
    }

    private static func numbers(_ history: JSONValue) -> [Int] {
        history["history"]?.array?.compactMap { $0["data"]?["n"]?.int } ?? []
    }

    /// Four senders send until the daemon is killed; answers what was acknowledged.
    private func load(
        _ daemon: RunningDaemon, uuid: String, token: String, from first: Int, killAfter milliseconds: Int
    ) async throws -> (accepted: Set<Int>, next: Int) {
        let base = daemon.base
        let authorization = "Bearer \(daemon.token)"
        let client = daemon.client
        let pid = daemon.pid
        let counter = Counter(first)
        return try await withThrowingTaskGroup(of: Set<Int>.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var accepted: Set<Int> = []
                    while true {
                        let number = counter.next()
                        let body: JSONValue = [
                            "uuid": .string(uuid), "event": "update", "token": .string(token),
                            "data": ["n": JSONValue(number)],
                        ]
                        let answer = try? await client.send(
                            OutgoingRequest(
                                method: "POST", url: "\(base)/actors/v2/pipeline-jobs-manager/messages",
                                headers: [
                                    (name: "Content-Type", value: "application/json"),
                                    (name: "Authorization", value: authorization),
                                ],
                                body: JSONWriter.bytes(body), timeoutMilliseconds: 10000),
                            policy: .anywhere)
                        guard let answer, answer.status == 200 else { return accepted }
                        accepted.insert(number)
                    }
                }
            }
            // The one place where time decides: the moment of the kill is meant to be arbitrary.
            group.addTask {
                try await Task.sleep(for: .milliseconds(milliseconds))
                kill(pid, SIGKILL)
                return []
            }
            var all: Set<Int> = []
            for try await part in group { all.formUnion(part) }
            await daemon.waitForEnd()
            return (all, counter.next())
        }
    }

    @Test func aJobInterruptedByAKillEndsAndItsHistorySaysSo() async throws {
        let config = "executors:\n  process:\n    images:\n      local/sh: {command: [/bin/sh]}\n"
        let job = """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: "slow-${UUID}"}
            spec:
              template:
                spec:
                  restartPolicy: Never
                  initContainers:
                    - {name: prepare, image: local/sh, args: ["-c", "echo once >> $(REACTORD_WORK)/prepared"]}
                  containers:
                    - name: main
                      image: local/sh
                      args:
                        - "-c"
                        - |
                          cd $REACTORD_WORK
                          echo try >> tries
                          test $(wc -l < tries) -gt 1 || exec sleep 300
                          cp * $REACTORD_OUTPUT/
            """
        let daemon = try RunningDaemon(config: config)
        try FileManager.default.removeItem(atPath: "\(daemon.folder)/actors/ingest/jobs")
        try daemon.write(job, to: "actors/ingest/jobs/slow.yaml")
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let name = "2026-11-21-e-slow"
            #expect(try await daemon.request("PUT", "/api/v1/uploads/\(name)/a.txt", body: [1, 2, 3]).status == 201)
            #expect(try await daemon.request("POST", "/api/v1/uploads/\(name)/done").status == 202)
            let running = try await daemon.until("/api/v1/jobs") { value in
                value["jobs"]?.array?.first?["status"]?.string == "RUNNING"
            }
            let uuid = try #require(running["jobs"]?.array?.first?["uuid"]?.string)
            // The first step is done and its update has arrived: the second one is under way.
            _ = try await daemon.until("/api/v1/jobs/\(uuid)/history") {
                $0["history"]?.array?.contains { $0["name"]?.string == "update" } ?? false
            }
            await daemon.killNow()
            try await daemon.start()
            let ended = try await daemon.until("/api/v1/jobs/\(uuid)", seconds: 90) {
                ["FINISHED", "FAILED"].contains($0["status"]?.string)
            }
            #expect(ended["status"]?.string == "FINISHED")
            let archive = try #require(ended["archive_folder"]?.string)
            // The finished step was kept, the interrupted one ran again.
            #expect(try String(contentsOfFile: "\(archive)/prepared", encoding: .utf8) == "once\n")
            #expect(try String(contentsOfFile: "\(archive)/tries", encoding: .utf8) == "try\ntry\n")
            let history = JSONWriter.string(try await daemon.get("/api/v1/jobs/\(uuid)/history"))
            #expect(history.contains("restarted"), "\(history)")
        }
    }
}

private final class Counter: Sendable {
    private let value: Mutex<Int>
    init(_ first: Int) { value = Mutex(first) }
    func next() -> Int {
        value.withLock { value in
            defer { value += 1 }
            return value
        }
    }
}
