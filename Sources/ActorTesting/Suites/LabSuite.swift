package import ActorCore

/// A lab under test, and the hands of the people and jobs that work in it.
package struct LabBench: Sendable {
    package let files: any LabFiles
    package let archive: any ArchiveFiles
    package let inbox: any Inbox
    /// The folder of an actor that has no job files yet.
    package let actorFolder: String
    /// Puts a file into the inbox: `name`, or `name/path` for an upload that is a folder.
    package let upload: @Sendable (_ path: String, _ text: String) async throws -> Void
    /// Lays `<name>.done` beside an upload.
    package let markDone: @Sendable (_ name: String) async throws -> Void
    /// Puts a file somewhere else on the machine; answers its absolute path.
    package let place: @Sendable (_ path: String, _ text: String) async throws -> String
    /// Adds a job file at its path below `jobs/` of `actorFolder`.
    package let addJob: @Sendable (_ path: String, _ text: String) async throws -> Void
    /// Writes a file into the output of a run that was prepared.
    package let output: @Sendable (_ run: String, _ path: String, _ text: String) async throws -> Void
    /// Writes a log of a run that was prepared.
    package let log: @Sendable (_ run: String, _ name: String, _ text: String) async throws -> Void

    package init(
        files: any LabFiles, archive: any ArchiveFiles, inbox: any Inbox, actorFolder: String,
        upload: @escaping @Sendable (_ path: String, _ text: String) async throws -> Void,
        markDone: @escaping @Sendable (_ name: String) async throws -> Void,
        place: @escaping @Sendable (_ path: String, _ text: String) async throws -> String,
        addJob: @escaping @Sendable (_ path: String, _ text: String) async throws -> Void,
        output: @escaping @Sendable (_ run: String, _ path: String, _ text: String) async throws -> Void,
        log: @escaping @Sendable (_ run: String, _ name: String, _ text: String) async throws -> Void
    ) {
        self.files = files
        self.archive = archive
        self.inbox = inbox
        self.actorFolder = actorFolder
        self.upload = upload
        self.markDone = markDone
        self.place = place
        self.addJob = addJob
        self.output = output
        self.log = log
    }
}

extension LabBench {
    /// The model itself.
    package init(_ lab: MemoryLab) {
        self.init(
            files: lab, archive: lab, inbox: lab, actorFolder: "/actor", upload: { lab.upload($0, $1) },
            markDone: { lab.markDone($0) },
            place: { path, text in
                lab.place("/elsewhere/\(path)", text)
                return "/elsewhere/\(path)"
            }, addJob: { lab.addJob($0, $1, in: "/actor") },
            output: { lab.output($1, $2, run: $0) }, log: { lab.log($1, $2, run: $0) })
    }
}

/// What every inbox and every `LabFiles` must do, as a table of checks; each gets a new, empty lab.
package enum LabSuite {
    /// One promise of the ports.
    package struct Check: Sendable, CustomStringConvertible {
        package let description: String
        package let run: @Sendable (LabBench) async throws -> Void
    }

    package static let checks = inboxChecks + bringChecks + claimChecks + runChecks + archiveChecks

    static func expect(_ holds: Bool, _ text: @autoclosure () -> String, line: Int = #line) throws {
        if !holds { throw SuiteFailure(text(), line: line) }
    }

    static func expectError(
        _ code: ActorError.Code, _ what: String, line: Int = #line, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as ActorError {
            return try expect(error.code == code, "\(what) was refused with \(error.code): \(error)", line: line)
        }
        throw SuiteFailure("\(what) was not refused", line: line)
    }

    private static let inboxChecks = [
        Check(description: "an empty inbox has no entries") { bench in
            let entries = try await bench.inbox.scan()
            try expect(entries.isEmpty, "found \(entries)")
        },
        Check(description: "files and folders at the top are entries, sorted, counted to the bottom") { bench in
            try await bench.upload("b.zip", "12345")
            try await bench.upload("a", "1")
            try await bench.upload("c/one.rhd", "12")
            try await bench.upload("c/deep/two.rhd", "3456")
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.name) == ["a", "b.zip", "c"], "found \(entries)")
            try expect(entries.map(\.bytes) == [1, 5, 6] && entries.map(\.files) == [1, 1, 2], "counted \(entries)")
            try expect(entries.allSatisfy { !$0.isMarkedDone }, "marked \(entries)")
        },
        Check(description: "markers mark and are no entries") { bench in
            try await bench.upload("a", "1")
            try await bench.upload("b/x", "1")
            try await bench.upload("b/.done", "")
            try await bench.upload("c", "1")
            try await bench.markDone("a")
            try await bench.markDone("nothing")
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.name) == ["a", "b", "c"], "found \(entries)")
            try expect(entries.map(\.isMarkedDone) == [true, true, false], "marked \(entries)")
            try expect(entries[1].files == 1, "counted the marker: \(entries[1])")
        },
        Check(description: "what is unfinished is left out, and what cannot be an upload's name says so") { bench in
            for name in ["x.part", "x.tmp", ".hidden", "-dash", "run (1).dat", "semi;colon", "ü", "fine"] {
                try await bench.upload(name, "1")
            }
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.name) == ["-dash", "fine", "run (1).dat", "semi;colon", "ü"], "found \(entries)")
            let refused = entries.filter { $0.obstacle?.contains("rename") == true }
            try expect(refused.count == 4 && entries[1].obstacle == nil, "refused \(refused)")
        },
        Check(description: "what is held is looked up, and nothing is taken from the inbox for it") { bench in
            try await bench.upload("up", "1")
            let claimed = try await bench.files.claim("up", key: "k1")
            let held = try await bench.files.held("up", key: "k1")
            try expect(held == claimed, "held \(held)")
            try await bench.upload("up", "2")
            try await expectError(.notFound, "a key that took nothing") {
                _ = try await bench.files.held("up", key: "k2")
            }
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.name) == ["up"], "left \(entries)")
        },
    ]

    private static let claimChecks = [
        Check(description: "a claim takes the upload with its marker and lists its files with hashes") { bench in
            try await bench.upload("up/b.txt", "same")
            try await bench.upload("up/a/c.txt", "same")
            try await bench.upload("up/d.txt", "other")
            try await bench.markDone("up")
            let claimed = try await bench.files.claim("up", key: "k1")
            try expect(claimed.name == "up" && claimed.number == 1, "claimed \(claimed)")
            try expect(claimed.files.map(\.path) == ["a/c.txt", "b.txt", "d.txt"], "listed \(claimed.files)")
            let hashes = claimed.files.map(\.sha256)
            try expect(hashes[0] == hashes[1] && hashes[1] != hashes[2], "hashed \(hashes)")
            try expect(hashes.allSatisfy { $0.utf8.count == 64 && $0.allSatisfy(\.isHexDigit) }, "hashed \(hashes)")
            try await bench.upload("up/e.txt", "1")
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.isMarkedDone) == [false], "the marker was left behind: \(entries)")
        },
        Check(description: "a claim repeated with its key answers the same, even with a new upload there") { bench in
            try await bench.upload("up/a", "1")
            let first = try await bench.files.claim("up", key: "k1")
            let second = try await bench.files.claim("up", key: "k1")
            try expect(first == second, "\(first) became \(second)")
            try await bench.upload("up/b", "22")
            let third = try await bench.files.claim("up", key: "k1")
            try expect(first == third, "\(first) became \(third)")
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.name) == ["up"], "the repeat took the new upload")
        },
        Check(description: "a new key takes the next upload of that name under the next number") { bench in
            try await bench.upload("up.zip", "1")
            let first = try await bench.files.claim("up.zip", key: "k1")
            try expect(first.files.map(\.path) == ["up.zip"], "listed \(first.files)")
            try await bench.upload("up.zip", "22")
            let second = try await bench.files.claim("up.zip", key: "k2")
            try expect(second.number == 2 && second.files.map(\.bytes) == [2], "claimed \(second)")
            try expect(first.folder != second.folder, "both lie in \(first.folder)")
            let again = try await bench.files.claim("up.zip", key: "k1")
            try expect(again == first, "\(first) became \(again)")
        },
        Check(description: "what is not there, or no name, is refused") { bench in
            try await expectError(.notFound, "an unknown upload") { _ = try await bench.files.claim("no", key: "k") }
            for name in ["", "..", "../up", "a/b", "/etc", ".hidden", "a\u{0}b", "up.done"] {
                try await expectError(.invalidInput, "\"\(name)\"") {
                    _ = try await bench.files.claim(name, key: "k")
                }
            }
        },
    ]

    private static let runChecks = [
        Check(description: "job files come sorted by path, nothing else does") { bench in
            let none = try await bench.files.jobFiles(in: bench.actorFolder)
            try expect(none.isEmpty, "found \(none)")
            for path in ["z.yaml", "ephys/b.yml", "ephys/a.yaml", "README.md", "Z.yaml"] {
                try await bench.addJob(path, "text of \(path)")
            }
            let files = try await bench.files.jobFiles(in: bench.actorFolder)
            try expect(files.map(\.path) == ["Z.yaml", "ephys/a.yaml", "ephys/b.yml", "z.yaml"], "found \(files)")
            try expect(files[1].text == Array("text of ephys/a.yaml".utf8), "read \(files[1])")
        },
        Check(description: "publishing moves the output; a repeat answers what is there") { bench in
            _ = try await bench.files.prepareRun("r1", fresh: true)
            try await bench.output("r1", "b.txt", "1")
            try await bench.output("r1", "a/c.txt", "22")
            let first = try await bench.files.publish("r1", to: "/products/v2/x/y")
            try expect(
                first.map(\.path) == ["a/c.txt", "b.txt"] && first.map(\.bytes) == [2, 1], "published \(first)")
            let second = try await bench.files.publish("r1", to: "/products/v2/x/y")
            try expect(first == second, "\(first) became \(second)")
            _ = try await bench.files.prepareRun("r1", fresh: false)
            let third = try await bench.files.publish("r1", to: "/products/v2/x/y")
            try expect(first == third, "\(first) became \(third)")
        },
        Check(description: "a taken archive path is a conflict unless the content is the same") { bench in
            for run in ["r1", "r2", "r3"] {
                _ = try await bench.files.prepareRun(run, fresh: true)
                try await bench.output(run, "a.txt", run == "r3" ? "other" : "same")
            }
            let first = try await bench.files.publish("r1", to: "/products/x")
            let second = try await bench.files.publish("r2", to: "/products/x")
            try expect(first == second, "\(first) became \(second)")
            try await expectError(.conflict, "another content") {
                _ = try await bench.files.publish("r3", to: "/products/x")
            }
            try await expectError(.notFound, "a run without output") {
                _ = try await bench.files.publish("r4", to: "/products/z")
            }
        },
        Check(description: "only archive paths are published to, only ids are run") { bench in
            _ = try await bench.files.prepareRun("r1", fresh: true)
            let paths = [
                "", "/", "products/x", "/products/../x", "/products//x", "/products/x/", "/.hidden", "/a b", "/ü",
            ]
            for path in paths {
                try await expectError(.invalidInput, "\"\(path)\"") {
                    _ = try await bench.files.publish("r1", to: path)
                }
                try expect(bench.files.archiveFolder(path).hasSuffix("/.none"), "\"\(path)\" leads to a folder")
            }
            for id in ["", "..", "a/b", ".x"] {
                try await expectError(.invalidInput, "\"\(id)\"") {
                    _ = try await bench.files.prepareRun(id, fresh: true)
                }
            }
        },
        Check(description: "a fresh run starts with an empty output and keeps its logs") { bench in
            let folders = try await bench.files.prepareRun("r1", fresh: true)
            try await bench.output("r1", "deep/a.txt", "1")
            try await bench.log("r1", "step.log", "line")
            _ = try await bench.files.prepareRun("r1", fresh: true)
            let tail = await bench.files.tail(of: "\(folders.logs)/step.log", limit: 100)
            try expect(tail == "line", "the log reads \"\(tail)\"")
            let files = try await bench.files.publish("r1", to: "/products/x")
            try expect(files.isEmpty, "published \(files)")
        },
        Check(description: "a tail is the end of a log, cut between characters") { bench in
            let folders = try await bench.files.prepareRun("r1", fresh: true)
            try await bench.log("r1", "step.log", "one\ntwo ä3")
            let file = "\(folders.logs)/step.log"
            let whole = await bench.files.tail(of: file, limit: 1000)
            try expect(whole == "one\ntwo ä3", "read \"\(whole)\"")
            let cut = await bench.files.tail(of: file, limit: 2)
            try expect(cut == "3", "read \"\(cut)\"")
            let none = await bench.files.tail(of: "\(folders.logs)/none.log", limit: 10)
            try expect(none.isEmpty, "read \"\(none)\"")
        },
    ]
}
