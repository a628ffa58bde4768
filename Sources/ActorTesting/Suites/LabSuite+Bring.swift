import ActorCore

/// Files of this machine that are brought into the inbox.
extension LabSuite {
    private static func folder(of path: String) -> String {
        path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    }

    static let bringChecks = [
        Check(description: "a file is brought in under another name, marked") { bench in
            let path = try await bench.place("instrument/rec.dat", "12345")
            try await bench.files.bring(path, as: "exp-1", allowed: [folder(of: path)], force: false)
            try await bench.files.bring(path, as: "exp-1", allowed: [folder(of: path)], force: false)
            let entries = try await bench.inbox.scan()
            try expect(entries.map(\.name) == ["exp-1"] && entries.first?.bytes == 5, "found \(entries)")
            try expect(entries.first?.isMarkedDone == true, "it is not marked")
        },
        Check(description: "a folder is brought in with all that is below it") { bench in
            let one = try await bench.place("instrument/run/a.dat", "1")
            _ = try await bench.place("instrument/run/deep/b.dat", "22")
            let run = folder(of: one)
            try await bench.files.bring(run, as: "exp-2", allowed: [folder(of: run)], force: false)
            let claimed = try await bench.files.claim("exp-2", key: "k")
            try expect(claimed.files.map(\.path) == ["a.dat", "deep/b.dat"], "took \(claimed.files)")
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
                try await bench.files.bring(path, as: "exp-3", allowed: ["/srv/instruments"], force: false)
            }
            let allowed = folder(of: path)
            try await expectError(.notFound, "a path to nothing") {
                try await bench.files.bring("\(allowed)/none", as: "exp-3", allowed: [allowed], force: false)
            }
            let entries = try await bench.inbox.scan()
            try expect(entries.isEmpty, "found \(entries)")
        },
    ]
}
