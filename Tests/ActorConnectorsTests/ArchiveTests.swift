import ActorArchives
import ActorConnectors
import ActorCore
import Foundation
import Glibc
import Testing

/// Real archives, made by Python as friends and foes would make them, taken in as uploads.
@Suite(.timeLimit(.minutes(2)))
struct ArchiveTests {
    private let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("archives-\(UUID().uuidString)").path
        for folder in ["inbox", "archive"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
    }

    private func lab(_ limits: UnpackLimits = UnpackLimits()) -> FolderLab {
        FolderLab(
            root: root, archive: "\(root)/archive", inbox: "\(root)/inbox",
            unpacking: UnpackSettings(formats: ArchiveLibrary(), limits: limits))
    }

    private func remove() { try? FileManager.default.removeItem(atPath: root) }

    /// Runs a script with `z` as the path of the file to make.
    private func make(_ name: String, _ script: String) throws {
        let text = """
            import io, os, struct, sys, tarfile, zipfile
            z = sys.argv[1]
            def member(name, kind=tarfile.REGTYPE, data=b"x", link=""):
                info = tarfile.TarInfo(name)
                info.type, info.linkname, info.size = kind, link, len(data) if kind == tarfile.REGTYPE else 0
                return info, io.BytesIO(data)
            \(script)
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", text, "\(root)/inbox/\(name)"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(name)")
    }

    private func paths(_ claimed: ClaimedUpload) -> [String] { claimed.files.map(\.path) }

    @Test func aZipBecomesItsFiles() async throws {
        defer { remove() }
        try make(
            "2020-04-28-e-silicon.zip",
            """
            with zipfile.ZipFile(z, "w", zipfile.ZIP_DEFLATED) as f:
                f.writestr("metadata.json", "{}")
                f.writestr("original/ä b.rhd", b"rhd" * 1000)
                f.writestr("__MACOSX/._metadata.json", "mac")
                f.writestr("empty/", "")
            """)
        let claimed = try await lab().claim("2020-04-28-e-silicon.zip", key: "k")
        #expect(claimed.name == "2020-04-28-e-silicon" && claimed.number == 1 && claimed.problem == nil)
        #expect(paths(claimed) == ["metadata.json", "original/ä b.rhd"])
        #expect(claimed.files[1].bytes == 3000)
        #expect(claimed.folder.hasSuffix("/uploads/2020-04-28-e-silicon/1/original"))
        let manager = FileManager.default
        #expect(manager.fileExists(atPath: "\(claimed.folder)/../received/2020-04-28-e-silicon.zip"))
        #expect(try manager.contentsOfDirectory(atPath: "\(root)/inbox") == [])
        var status = stat()
        #expect(stat("\(claimed.folder)/metadata.json", &status) == 0 && status.st_mode & 0o777 == 0o444)
        // The same key answers the same; the name without its ending is the upload's from now on.
        #expect(try await lab().claim("2020-04-28-e-silicon.zip", key: "k") == claimed)
        #expect(try await lab().claim("2020-04-28-e-silicon", key: "k") == claimed)
        try make("2020-04-28-e-silicon.zip", "zipfile.ZipFile(z, 'w').writestr('a', 'b')")
        #expect(try await lab().claim("2020-04-28-e-silicon.zip", key: "k2").number == 2)
    }

    @Test(arguments: [
        ("t.tar", "w", ["a", "d/b"]), ("t.tar.gz", "w:gz", ["a", "d/b"]), ("t.tgz", "w:gz", ["a", "d/b"]),
    ])
    func tarFiles(name: String, mode: String, files: [String]) async throws {
        defer { remove() }
        try make(
            name,
            """
            with tarfile.open(z, "\(mode)", format=tarfile.PAX_FORMAT) as f:
                f.addfile(*member("./a", data=b"1" * 100000))
                f.addfile(*member("d/b"))
                f.addfile(*member("d/link", tarfile.SYMTYPE, link="/etc/passwd"))
                f.addfile(*member("hard", tarfile.LNKTYPE, link="a"))
                f.addfile(*member("pipe", tarfile.FIFOTYPE))
            """)
        let claimed = try await lab().claim(name, key: "k")
        #expect(paths(claimed) == files && claimed.name == "t")
        #expect(claimed.notes.count == 3 && claimed.notes.contains("\"d/link\" is a link"))
    }

    /// What streams write: lengths behind the data, and 64-bit fields.
    @Test func zipsOfStreams() async throws {
        defer { remove() }
        try make(
            "stream.zip",
            """
            class Pipe(io.RawIOBase):
                def __init__(self, f): self.f = f
                def writable(self): return True
                def write(self, b): return self.f.write(b)
            with open(z, "wb") as raw, zipfile.ZipFile(Pipe(raw), "w", zipfile.ZIP_DEFLATED) as f:
                with f.open("big", "w", force_zip64=True) as m: m.write(b"0123456789" * 50000)
                with f.open(zipfile.ZipInfo("stored"), "w") as m: m.write(b"PK\\x03\\x04 not a header")
            """)
        let claimed = try await lab().claim("stream.zip", key: "k")
        #expect(paths(claimed) == ["big", "stored"] && claimed.files.map(\.bytes) == [500_000, 17])
    }

    @Test func namesInOldEncodings() async throws {
        defer { remove() }
        try make(
            "old.zip",
            """
            import zlib
            def local(name, flags):
                d = b"x"; c = zlib.crc32(d)
                return (struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, flags, 0, 0, 0, c, 1, 1, len(name), 0) + name + d,
                    struct.pack("<IHHHHHHIII", 0x02014b50, 20, 20, flags, 0, 0, 0, c, 1, 1)
                    + struct.pack("<HHHHHI", len(name), 0, 0, 0, 0, 0))
            body, central = b"", b""
            for name, flags in (("M\\u00fcller.txt".encode("cp437"), 0), ("\\u65e5\\u672c".encode(), 0x800),
                    ("\\u00e9.utf8".encode(), 0)):
                one, two = local(name, flags)
                central += two + struct.pack("<I", len(body)) + name
                body += one
            end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 3, 3, len(central), len(body), 0)
            open(z, "wb").write(body + central + end)
            """)
        let claimed = try await lab().claim("old.zip", key: "k")
        #expect(Set(paths(claimed)) == ["Müller.txt", "日本", "é.utf8"])
    }

    @Test(arguments: [
        ("zipfile.ZipFile(z, 'w').writestr('../../evil', 'x')", "leads out"),
        ("zipfile.ZipFile(z, 'w').writestr('/etc/evil', 'x')", "absolute"),
        ("zipfile.ZipFile(z, 'w').writestr('..\\\\evil', 'x')", "leads out"),
        ("open(z, 'wb').write(b'no archive at all' * 100)", "cannot be read"),
        ("open(z, 'wb').write(b'')", "cannot be read"),
        (
            "f = zipfile.ZipFile(z, 'w'); f.writestr('a', b'x' * 9999); f.close(); os.truncate(z, 5000)",
            "cannot be read"
        ),
        (
            """
            f = zipfile.ZipFile(z, 'w'); f.writestr('a', b'x' * 9999); f.close()
            d = bytearray(open(z, 'rb').read()); d[500] ^= 1; open(z, 'wb').write(d)
            """, "cannot be read"
        ),
        (
            """
            f = zipfile.ZipFile(z, 'w'); f.writestr('a', 'x'); f.close()
            d = bytearray(open(z, 'rb').read()); d[6] |= 1; i = d.index(b'PK\\x01\\x02'); d[i + 8] |= 1
            open(z, 'wb').write(d)
            """, "encrypted"
        ),
        ("f = zipfile.ZipFile(z, 'w'); [f.writestr('d%d/f' % i, '') for i in range(60)]; f.close()", "more than 100"),
        (
            "zipfile.ZipFile(z, 'w', zipfile.ZIP_DEFLATED).writestr('bomb', b'\\0' * 20_000_000)",
            "unpack it yourself"
        ),
        ("zipfile.ZipFile(z, 'w').writestr('dir/', '')", "no file"),
    ])
    func hostileZips(script: String, word: String) async throws {
        defer { remove() }
        try make("evil.zip", script)
        let limits = UnpackLimits(entries: 100, bytes: 1 << 30, ratio: 100, freeBytes: 1 << 20)
        let claimed = try await lab(limits).claim("evil.zip", key: "k")
        // It is kept as it came, and nothing was put anywhere else.
        #expect(paths(claimed) == ["evil.zip"] && claimed.name == "evil")
        #expect(try #require(claimed.problem).contains(word), "\(claimed.problem ?? "")")
        #expect(try await lab(limits).claim("evil", key: "k") == claimed)
        let folder = "\(root)/uploads/evil/1"
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["claim.json", "received"])
        #expect(!FileManager.default.fileExists(atPath: "\(root)/uploads/evil/evil"))
    }

    @Test func hostileTarFiles() async throws {
        defer { remove() }
        // A link, and then a file through it.
        try make(
            "through.tar",
            """
            with tarfile.open(z, "w") as f:
                f.addfile(*member("out", tarfile.SYMTYPE, link="/tmp"))
                f.addfile(*member("out/evil-\(UUID().uuidString)"))
            """)
        let through = try await lab().claim("through.tar", key: "k")
        #expect(through.files.count == 1 && through.files[0].path.hasPrefix("out/evil"))
        #expect(FileManager.default.fileExists(atPath: "\(through.folder)/\(through.files[0].path)"))
        #expect(!FileManager.default.fileExists(atPath: "/tmp/\(through.files[0].path.dropFirst(4))"))
        try make("up.tar", "f = tarfile.open(z, 'w'); f.addfile(*member('a/../../../evil')); f.close()")
        #expect(try await lab().claim("up.tar", key: "k").problem?.contains("leads out") == true)
        try make("twice.tar", "f = tarfile.open(z, 'w'); f.addfile(*member('a')); f.addfile(*member('a')); f.close()")
        #expect(try await lab().claim("twice.tar", key: "k").problem?.contains("twice") == true)
    }

    /// Every step of an unpacking may be the last before a crash: the next claim of that key finishes it.
    @Test func crashesBetweenTheSteps() async throws {
        defer { remove() }
        try make("c.zip", "f = zipfile.ZipFile(z, 'w'); f.writestr('a', 'x' * 100); f.writestr('b/c', 'y'); f.close()")
        let manager = FileManager.default
        let folder = "\(root)/uploads/c/1"
        let whole = try await lab().claim("c.zip", key: "k")
        let record = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/claim.json"))
        var begun = try JSONReader.read(Array(record))
        begun = begun.setting("files", .null)
        for step in 0..<4 {
            try manager.removeItem(atPath: folder)
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(JSONWriter.bytes(begun)).write(to: URL(fileURLWithPath: "\(folder)/claim.json"))
            if step == 0 {
                try make(
                    "c.zip",
                    "f = zipfile.ZipFile(z, 'w'); f.writestr('a', 'x' * 100); f.writestr('b/c', 'y'); f.close()")
            } else {
                try manager.createDirectory(atPath: "\(folder)/received", withIntermediateDirectories: true)
                try make(
                    "../uploads/c/1/received/c.zip",
                    "f = zipfile.ZipFile(z, 'w'); f.writestr('a', 'x' * 100); f.writestr('b/c', 'y'); f.close()")
            }
            if step == 2 {
                try manager.createDirectory(atPath: "\(folder)/.unpacking/b", withIntermediateDirectories: true)
                try Data("half".utf8).write(to: URL(fileURLWithPath: "\(folder)/.unpacking/a"))
            }
            if step == 3 {
                try manager.createDirectory(atPath: "\(folder)/original/b", withIntermediateDirectories: true)
                try Data(String(repeating: "x", count: 100).utf8).write(
                    to: URL(fileURLWithPath: "\(folder)/original/a"))
                try Data("y".utf8).write(to: URL(fileURLWithPath: "\(folder)/original/b/c"))
            }
            #expect(try await lab().claim("c.zip", key: "k") == whole, "step \(step)")
        }
    }

    @Test func withoutUnpackingAnArchiveIsAFile() async throws {
        defer { remove() }
        try make("z.zip", "zipfile.ZipFile(z, 'w').writestr('a', 'b')")
        let plain = FolderLab(root: root, archive: "\(root)/archive", inbox: "\(root)/inbox")
        let claimed = try await plain.claim("z.zip", key: "k")
        #expect(claimed.name == "z.zip" && paths(claimed) == ["z.zip"])
        // A folder with that ending is no archive.
        try FileManager.default.createDirectory(atPath: "\(root)/inbox/y.zip", withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(root)/inbox/y.zip/a"))
        for _ in 0..<2 { #expect(try await lab().claim("y.zip", key: "k").name == "y.zip") }
    }
}
