import ActorAPI
import ActorCore
import Glibc

/// One run of the demo against a fresh daemon: upload, follow, tell.
struct DemoRun {
    /// What is uploaded, below the folder of examples, and the letters that choose the job files.
    static let uploads: [(name: String, files: [String])] = [
        ("e-mitbih208", ["ephys/mitbih208_ecg_360hz.i16le", "ephys/metadata.json"]),
        ("f-fortessa", ["cytometry/FCS_3.0_Fortessa_PBS_Specimen_001_A1_A01.fcs"]),
    ]

    let client: DaemonClient
    let console: Console
    let examples: String
    /// Seconds after which the demo gives up.
    let timeout: Int64

    func run() async throws -> DemoReport {
        let day = Self.now().iso8601.prefix(10)
        let names = Self.uploads.map { "\(day)-\($0.name)" }
        for (upload, name) in zip(Self.uploads, names) {
            for file in upload.files {
                let base = file.split(separator: "/").last.map(String.init) ?? file
                _ = try await UploadSender(client: client, isQuiet: true, force: false)
                    .send("\(examples)/\(file)", to: Paths.uploadFile(name, path: base), shown: base)
            }
            _ = try await client.post(Paths.uploadDone(name))
            console.out("uploaded \(name) (\(upload.files.count) file\(upload.files.count == 1 ? "" : "s"))\n")
        }
        let board = try await follow(names)
        return DemoReport.of(board, pageURL: client.url + Paths.page)
    }

    /// Until every upload was taken and every job has ended.
    private func follow(_ names: [String]) async throws -> JobBoard {
        let deadline = Self.now().adding(seconds: Double(timeout))
        var board = JobBoard()
        var drawn = 0
        while true {
            let (uploads, jobs) = try await look(names)
            let next = JobBoard(lines: jobs)
            if console.isTerminal {
                let frame = next.frame(console.style, now: Self.now().milliseconds, width: console.columns)
                redraw(frame, over: drawn)
                drawn = frame.count
            } else {
                for line in next.changes(since: board) { console.out(line + "\n") }
            }
            board = next
            let isOver = uploads.count == names.count && uploads.allSatisfy { $0.body["state"] != "running" }
            if isOver, board.isOver {
                for upload in uploads { tellProblems(of: upload) }
                return board
            }
            guard Self.now() < deadline else {
                throw Failure(
                    .failed, "the jobs did not end within \(timeout) seconds; see daemon.log of the data folder")
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func look(_ names: [String]) async throws -> (uploads: [UploadPayload], jobs: [JobBoard.Line]) {
        let uploads = try await client.page(Paths.uploads, "uploads", of: UploadPayload.self).page.items
            .filter { names.contains($0.id) }
        let path = Paths.query(Paths.jobs, [("limit", "100")])
        let jobs = try await client.page(path, "jobs", of: JobPayload.self).page.items
        var lines: [JobBoard.Line] = []
        // The oldest first: a line keeps its place.
        for job in jobs.reversed() {
            let history = try await client.read(
                Paths.query(Paths.history(job.uuid), [("form", "full")]), as: JobHistoryPayload.self)
            lines.append(JobBoard.Line(job, history.history))
        }
        return (uploads, lines)
    }

    private func redraw(_ frame: [String], over drawn: Int) {
        var text = drawn > 0 ? "\u{1b}[\(drawn)A" : ""
        for line in frame { text += "\r\u{1b}[2K\(line)\n" }
        console.out(text)
    }

    /// Job files that could not be used.
    private func tellProblems(of upload: UploadPayload) {
        for item in upload.body["invalid"]?.array ?? [] {
            let line = item["line"]?.int.map { ":\($0)" } ?? ""
            let text = "\(item["file"]?.string ?? "")\(line): \(item["reason"]?.string ?? "")"
            console.error("reactord: \(Safe.line(text))\n")
        }
    }

    private static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
