import ActorCore

/// Files of this machine that are brought into the inbox.
extension LabSuite {
    private static func folder(of path: String) -> String {
        path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    }

    static let bringChecks = [
        Check(description: "a file is brought in under another name, marked") { bench in
            let path = try await bench.place("instrument/rec.dat", "12345")
            for _ in 0..<2 {
                try await bench.files.bring(path, as: "exp-1", allowed: [folder(of: path)], force: false, key: "k1")
            }
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.name) == ["exp-1"] && entries.first?.bytes == 5, "found \(entries)")
            try expect(entries.first?.isMarkedDone == true, "it is not marked")
        },
        Check(description: "a folder is brought in with all that is below it") { bench in
            let one = try await bench.place("instrument/run/a.dat", "1")
            _ = try await bench.place("instrument/run/deep/b.dat", "22")
            let run = folder(of: one)
            try await bench.files.bring(run, as: "exp-2", allowed: [folder(of: run)], force: false, key: "k1")
            let claimed = try await bench.files.claim("exp-2", key: "k")
            try expect(claimed.files.map(\.path) == ["a.dat", "deep/b.dat"], "took \(claimed.files)")
        },
        Check(description: "of several that are brought in under one name each becomes an upload") { bench in
            let one = try await bench.place("run1/data.dat", "1")
            let two = try await bench.place("run2/data.dat", "22")
            func bring(_ path: String, _ key: String) async throws {
                try await bench.files.bring(path, as: "data.dat", allowed: [folder(of: path)], force: false, key: key)
            }
            try await bring(one, "k1")
            try await expectError(.unavailable, "a name that another one has") { try await bring(two, "k2") }
            let first = try await bench.files.claim("data.dat", key: "c1")
            try expect(first.files.map(\.bytes) == [1], "took \(first.files)")
            try await bring(two, "k2")
            // The first is delivered once more, after it was taken: it is the same one still.
            try await bring(one, "k1")
            let second = try await bench.files.claim("data.dat", key: "c2")
            try expect(second.number == 2 && second.files.map(\.bytes) == [2], "took \(second.files)")
            try await bring(one, "k1")
            try await bring(two, "k2")
            let entries = try await bench.inbox.scan()
            try expect(entries.isEmpty, "brought again: \(entries)")
        },
        Check(description: "what a person has put there is not taken for what was brought") { bench in
            let path = try await bench.place("run/data.dat", "22")
            try await bench.upload("data.dat", "1")
            try await bench.markDone("data.dat")
            try await expectError(.unavailable, "a name that another one has") {
                try await bench.files.bring(path, as: "data.dat", allowed: [folder(of: path)], force: false, key: "k1")
            }
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.bytes) == [1], "replaced: \(entries)")
        },
        Check(description: "a list of uploads is read by its whole lines") { bench in
            let list = try await bench.place("lists/new.txt", "/a/b\n\n# not yet\n/c/d\tname\n/half")
            let lines = try await bench.files.lines(of: list)
            try expect(lines == ["/a/b", "# not yet", "/c/d\tname"], "read \(lines)")
            try await expectError(.notFound, "a list that is not there") {
                _ = try await bench.files.lines(of: "\(list).none")
            }
        },
        Check(description: "nothing is brought in from elsewhere, nor what is not there") { bench in
            let path = try await bench.place("secret/key", "1")
            try await expectError(.forbidden, "a path outside") {
                try await bench.files.bring(
                    path, as: "exp-3", allowed: ["/srv/instruments"], force: false, key: "k1")
            }
            let allowed = folder(of: path)
            try await expectError(.notFound, "a path to nothing") {
                try await bench.files.bring(
                    "\(allowed)/none", as: "exp-3", allowed: [allowed], force: false, key: "k1")
            }
            let entries = try await bench.inbox.scan()
            try expect(entries.isEmpty, "found \(entries)")
        },
    ]
}
