import ActorCore
import Foundation
import Testing

/// `kill -9` in the middle of a job's run; what it does to messages is the business of ``MaltreatmentTests``.
@Suite(.serialized) struct CrashTests {
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
                          while ! test -e go; do sleep 0.05; done
                          cp prepared tries $REACTORD_OUTPUT/
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
            _ = try await daemon.until("/api/v1/jobs/\(uuid)/history?form=full") {
                $0["history"]?.array?.contains { $0["name"]?.string == "update" } ?? false
            }
            await daemon.killNow()
            try await daemon.start()
            _ = try await daemon.until("/api/v1/jobs/\(uuid)/history?form=full") {
                JSONWriter.string($0).contains("restarted")
            }
            let runs = try FileManager.default.contentsOfDirectory(atPath: "\(daemon.data)/runs")
            for run in runs { try? daemon.write("", to: "var/runs/\(run)/work/go") }
            let ended = try await daemon.until("/api/v1/jobs/\(uuid)", seconds: 90) {
                ["FINISHED", "FAILED"].contains($0["status"]?.string)
            }
            #expect(ended["status"]?.string == "FINISHED")
            let archive = try #require(ended["archive_folder"]?.string)
            // The finished step was kept, the one that ran went on.
            #expect(try String(contentsOfFile: "\(archive)/prepared", encoding: .utf8) == "once\n")
            #expect(try String(contentsOfFile: "\(archive)/tries", encoding: .utf8) == "try\n")
            let history = JSONWriter.string(try await daemon.get("/api/v1/jobs/\(uuid)/history"))
            #expect(history.contains("restarted"), "\(history)")
        }
    }
}
