import ActorCore

/// What was published, read back.
extension LabSuite {
    static let archiveChecks = [
        Check(description: "files below an archive path are listed page by page, each once") { bench in
            try await publish(["b/c.csv", "b-c", "b/a", "a", "z/y/x", "b.txt"], bench)
            let total = try await bench.archive.total("/products/v2/x")
            try expect(total.files == 6 && total.bytes == 12, "the total is \(total)")
            var found: [String] = []
            var cursor: String?
            var pages = 0
            repeat {
                let page = try await bench.archive.list("/products/v2/x", after: cursor, limit: 2)
                found += page.map(\.path)
                cursor = page.last?.path
                pages += 1
            } while cursor != nil && pages < 9
            // By name within each folder.
            try expect(found == ["a", "b/a", "b/c.csv", "b-c", "b.txt", "z/y/x"], "found \(found)")
            try expect(pages == 4, "\(pages) pages")
        },
        Check(description: "a file is found, hashed and read in parts") { bench in
            try await publish(["b/c.csv"], bench)
            let file = try await bench.archive.file("b/c.csv", in: "/products/v2/x")
            try expect(file?.bytes == 2 && file?.path == "b/c.csv", "found \(String(describing: file))")
            let named = try await bench.archive.file(named: "/products/v2/x/b/c.csv")
            try expect(
                named?.path == "c.csv" && named?.modified == file?.modified,
                "by its whole name: \(String(describing: named))")
            let fixity = try await bench.archive.fixity("b/c.csv", in: "/products/v2/x")
            try expect(fixity.file == file && fixity.sha256.utf8.count == 64, "fixity is \(fixity)")
            let part = try await bench.archive.read("b/c.csv", in: "/products/v2/x", from: 1, limit: 9)
            try expect(part == Array("2".utf8), "the second byte is \(part)")
            let end = try await bench.archive.read("b/c.csv", in: "/products/v2/x", from: 2, limit: 9)
            try expect(end.isEmpty, "behind the end is \(end)")
        },
        Check(description: "logs of a run are listed by name, with their ends") { bench in
            _ = try await bench.files.prepareRun("r2", fresh: true)
            try await bench.log("r2", "b.log", "äöü")
            try await bench.log("r2", "a.log", "one\ntwo\n")
            let logs = try await bench.archive.logs(of: "r2", limit: 5)
            try expect(logs.map(\.file.path) == ["a.log", "b.log"], "found \(logs)")
            try expect(logs.map(\.tail) == ["\ntwo\n", "öü"], "their ends are \(logs.map(\.tail))")
            try expect(logs[0].file.bytes == 8, "the length is \(logs[0].file.bytes)")
            let none = try await bench.archive.logs(of: "none", limit: 5)
            try expect(none.isEmpty, "logs of no run: \(none)")
        },
        Check(description: "what lies at a path is set aside at once, and discarded") { bench in
            try await publish(["b/c.csv", "a"], bench)
            let isTaken = try await bench.archive.setAside("/products/v2/x", as: "j1-3")
            try expect(isTaken, "nothing was set aside")
            try await expectError(.notFound, "what was set aside") {
                _ = try await bench.archive.total("/products/v2/x")
            }
            let again = try await bench.archive.setAside("/products/v2/x", as: "j1-3")
            let nowhere = try await bench.archive.setAside("/products/v1/none/x", as: "j1-4")
            try expect(!again && !nowhere, "there was nothing more to set aside")
            // There is room for another run.
            try await publish(["new"], bench)
            for _ in 0..<2 { try await bench.archive.discard("j1-3") }
            try await bench.archive.discard("never")
            let total = try await bench.archive.total("/products/v2/x")
            try expect(total.files == 1, "the total is \(total)")
            try await expectError(.invalidInput, "a path that leads elsewhere") {
                _ = try await bench.archive.setAside("/products/../x", as: "j1-5")
            }
            for name in ["..", "a/b", ""] {
                try await expectError(.invalidInput, "a name that leads elsewhere") {
                    try await bench.archive.discard(name)
                }
            }
        },
        Check(description: "what is not there is not found") { bench in
            try await publish(["a"], bench)
            for name in ["none", "a/b", "../x/a", "", "."] {
                let file = try await bench.archive.file(name, in: "/products/v2/x")
                try expect(file == nil, "\(name) was found")
            }
            try await expectError(.notFound, "a folder that is not there") {
                _ = try await bench.archive.total("/products/v2/none")
            }
            try await expectError(.notFound, "a file that is not there") {
                _ = try await bench.archive.fixity("none", in: "/products/v2/x")
            }
            try await expectError(.invalidInput, "a path that leads elsewhere") {
                _ = try await bench.archive.list("/products/../..", after: nil, limit: 1)
            }
            try await expectError(.invalidInput, "a file that lies elsewhere") {
                _ = try await bench.archive.read("../x/a", in: "/products/v2/x", from: 0, limit: 1)
            }
        },
    ]

    /// Publishes files of two bytes, as a run would.
    private static func publish(_ files: [String], _ bench: LabBench) async throws {
        _ = try await bench.files.prepareRun("r1", fresh: true)
        for file in files { try await bench.output("r1", file, "12") }
        _ = try await bench.files.publish("r1", to: "/products/v2/x")
    }
}
