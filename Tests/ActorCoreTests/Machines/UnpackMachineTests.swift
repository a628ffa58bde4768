import ActorCore
import Testing

/// Where the entries of an archive go, and which archives are refused.
@Suite struct UnpackMachineTests {
    private func machine(_ format: ArchiveFormat = .zip, _ limits: UnpackLimits = UnpackLimits()) -> UnpackMachine {
        UnpackMachine(format: format, limits: limits)
    }

    private func entry(_ name: String, _ kind: ArchiveEntry.Kind = .file, encrypted: Bool = false) -> ArchiveEntry {
        ArchiveEntry(name: Array(name.utf8), kind: kind, isEncrypted: encrypted)
    }

    @Test(
        arguments: [
            ("a.txt", .file(["a.txt"])), ("./a//b/c", .file(["a", "b", "c"])), ("dir/", .file(["dir"])),
            ("2026-11-21-e-x/original/ü 1.rhd", .file(["2026-11-21-e-x", "original", "ü 1.rhd"])),
            ("a..b/..c", .file(["a..b", "..c"])), ("__MACOSX/._a", .leaveOut(nil)), ("x/.DS_Store", .leaveOut(nil)),
            ("./", .leaveOut(nil)),
            (String(repeating: "d/", count: 47) + "f", .file(Array(repeating: "d", count: 47) + ["f"])),
        ] as [(String, UnpackMachine.Action)])
    func places(name: String, action: UnpackMachine.Action) {
        var machine = machine()
        let result = machine.found(entry(name))
        #expect(result == action)
    }

    @Test(arguments: [
        "/etc/passwd", "../x", "a/../../x", "a/..", "..\\..\\x", "\\x", "a\u{1}b", "a\nb", "a/\u{7f}",
        String(repeating: "x", count: 256), String(repeating: "d/", count: 49) + "f",
    ])
    func refusals(name: String) {
        var machine = machine()
        let result = machine.found(entry(name))
        guard case .refuse = result else {
            Issue.record("\(name.prefix(50)): \(result)")
            return
        }
    }

    @Test func kinds() {
        var machine = machine(.tar)
        for (kind, action) in [
            (.folder, .folder(["a"])), (.link, .leaveOut("\"a\" is a link")),
            (.other, .leaveOut("\"a\" is neither a file nor a folder")),
        ] as [(ArchiveEntry.Kind, UnpackMachine.Action)] {
            let result = machine.found(entry("a", kind))
            #expect(result == action)
        }
        // In a tar file a backslash is a letter like any other.
        let backslash = machine.found(entry("x\\y"))
        #expect(backslash == .file(["x\\y"]))
        for bad in [
            entry("b", encrypted: true), ArchiveEntry(name: nil, kind: .file), ArchiveEntry(name: [], kind: .file),
        ] {
            let result = machine.found(bad)
            if case .refuse = result { continue }
            Issue.record("\(bad): \(result)")
        }
    }

    @Test func namesOfOldPrograms() {
        var machine = machine()
        let old = machine.found(ArchiveEntry(name: [0x4d, 0x81, 0x6c, 0x6c, 0x65, 0x72, 0xe1], kind: .file))
        #expect(old == .file(["Müllerß"]))
        let new = machine.found(entry("Müllerß.2"))
        #expect(new == .file(["Müllerß.2"]))
    }

    @Test func nothingIsThereTwice() {
        var machine = machine()
        let first = [
            machine.found(entry("a/b")), machine.found(entry("a", .folder)), machine.found(entry("c", .folder)),
        ]
        #expect(first == [.file(["a", "b"]), .leaveOut(nil), .folder(["c"])])
        for name in ["a/b", "a/b/c", "a", "c", "./a//b"] {
            let result = machine.found(entry(name))
            guard case .refuse = result else {
                Issue.record("\(name): \(result)")
                continue
            }
        }
    }

    @Test func bounds() {
        var few = machine(.zip, UnpackLimits(entries: 3))
        let results = [few.found(entry("a/b/c")), few.found(entry("a/b/d"))]
        #expect(results == [.file(["a", "b", "c"]), .refuse("it holds more than 3 files and folders")])
        var small = machine(.zip, UnpackLimits(bytes: 100))
        #expect(small.wrote(100, consumed: 1) == nil)
        #expect(small.wrote(1, consumed: 1) != nil)
        var bomb = machine(.zip, UnpackLimits(ratio: 10, freeBytes: 1000))
        #expect(bomb.wrote(1000, consumed: 1) == nil)
        #expect(bomb.wrote(1000, consumed: 200) == nil)
        #expect(bomb.wrote(1000, consumed: 200) != nil)
    }

    @Test(
        arguments: [
            ("2020-04-28-e-silicon.zip", .zip, "2020-04-28-e-silicon"), ("x.ZIP", .zip, "x"),
            ("x.zip.zip", .zip, "x.zip"),
            ("x.tar", .tar, "x"), ("x.tar.gz", .tar, "x"), ("x.tgz", .tar, "x"), (".zip", nil, nil), ("x.gz", nil, nil),
            ("zip", nil, nil), ("x.zipper", nil, nil),
        ] as [(String, ArchiveFormat?, String?)])
    func formats(name: String, format: ArchiveFormat?, stem: String?) {
        let result = ArchiveFormat.of(fileName: name)
        #expect(result?.format == format && result?.stem == stem)
    }
}
