import ActorCLI
import ActorCore
import Testing

@Suite("demo")
struct DemoTests {
    private func line(_ name: String, _ status: String, _ step: String = "", ended: Int64? = nil) -> JobBoard.Line {
        JobBoard.Line(
            uuid: name, name: name, status: status, step: step, started: 1000, ended: ended,
            archiveFolder: "/data/archive/\(name)", reason: status == "FAILED" ? "exited with status 1" : nil)
    }

    @Test("one line a job, aligned, with its seconds")
    func frame() {
        let board = JobBoard(lines: [
            line("beats", "RUNNING", "after check"), line("channel-x", "FINISHED", ended: 3250),
        ])
        #expect(
            board.frame(.plain, now: 2500) == [
                "beats      RUNNING   1.5 s    after check", "channel-x  FINISHED  2.2 s  ",
            ])
        #expect(board.frame(.plain, now: 2500, width: 34).allSatisfy { $0.count <= 34 })
    }

    @Test("a pipe gets a line for each change")
    func changes() {
        let before = JobBoard(lines: [line("a", "CREATED"), line("b", "RUNNING")])
        let after = JobBoard(lines: [line("a", "RUNNING"), line("b", "RUNNING"), line("c", "CREATED")])
        #expect(after.changes(since: before) == ["a: RUNNING", "c: CREATED"])
        #expect(after.changes(since: after).isEmpty)
    }

    @Test("it is over when every job has ended")
    func over() {
        #expect(!JobBoard(lines: [line("a", "RUNNING"), line("b", "FAILED")]).isOver)
        #expect(JobBoard(lines: [line("a", "FINISHED"), line("b", "FAILED")]).isOver)
    }

    @Test("the report shows states, plots, numbers and reasons; one failure is a failure")
    func report() {
        let good = DemoReport.Outcome(
            line: line("beats", "FINISHED", ended: 3000), plots: ["/data/archive/beats/beats.svg"], summary: "beats 512"
        )
        let bad = DemoReport.Outcome(line: line("cells", "FAILED", ended: 2000), plots: [], summary: "")
        let text = DemoReport(outcomes: [good, bad], pageURL: "http://127.0.0.1:1/ui/").render(.plain)
        for part in [
            "beats  FINISHED  2.0 s", "plot: /data/archive/beats/beats.svg", "  beats 512", "exited with status 1",
            "dashboard: http://127.0.0.1:1/ui/",
        ] { #expect(text.contains(part), "\(text)") }
        #expect(DemoReport(outcomes: [good], pageURL: "").isGood)
        #expect(!DemoReport(outcomes: [good, bad], pageURL: "").isGood)
        #expect(!DemoReport(outcomes: [], pageURL: "").isGood)
    }

    @Test("a summary becomes one line of numbers")
    func summary() {
        let summary: JSONValue = [
            "uuid": "x", "sha256": "y", "beats": 512, "rate_per_minute": 104.7, "gaps": [], "instrument": "LSR",
        ]
        #expect(DemoReport.sentence(summary) == "beats 512, rate per minute 104.7, instrument LSR")
    }

    @Test(
        "times are read back",
        arguments: [
            ("1970-01-01T00:00:00.000Z", 0), ("2026-11-21T03:16:59.123Z", 1_795_231_019_123),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000), ("2000-03-01T00:00:00.001Z", 951_868_800_001),
        ] as [(String, Int64)])
    func moments(text: String, milliseconds: Int64) {
        #expect(MomentText.milliseconds(text) == milliseconds)
        #expect(MomentText.milliseconds("yesterday") == nil)
    }
}
