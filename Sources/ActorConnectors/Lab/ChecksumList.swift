import ActorCore

/// The list of checksums that an upload brings of its own files, as `sha256sum` writes it and BagIt prescribes it.
struct ChecksumList {
    /// Where it may stand, the first that is there counts.
    static let names = ["SHA256SUMS", "sha256sums.txt", "manifest-sha256.txt"]
    /// A larger one is no list that is read again and again.
    static let maxBytes: Int64 = 16 << 20

    struct Line: Equatable {
        let path: String
        /// Hex, lower case.
        let sha256: String
    }

    let name: String
    let lines: [Line]
    /// What is wrong with the list itself.
    let problem: String?

    /// `<64 hex digits>  <path>`, or ` *<path>` for a file that was read as binary; empty lines and `#` do not count.
    init(name: String, text: [UInt8]) {
        self.name = name
        var lines: [Line] = []
        var problem: String?
        for (index, raw) in String(decoding: text, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).enumerated() {
            var line = raw
            if line.hasSuffix("\r") { line = line.dropLast() }
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let parsed = Self.line(line) else {
                problem = problem ?? "\(name):\(index + 1) is not SHA-256, two blanks and a path below the upload"
                continue
            }
            lines.append(parsed)
        }
        self.lines = lines
        self.problem = problem ?? (lines.isEmpty ? "\(name) lists no file" : nil)
    }

    private static func line(_ text: Substring) -> Line? {
        let hash = text.prefix(64)
        guard hash.utf8.count == 64, hash.utf8.allSatisfy(isHex) else { return nil }
        var path = text.dropFirst(64)
        guard path.first == " " || path.first == "\t" else { return nil }
        path = path.drop { $0 == " " || $0 == "\t" }
        if path.first == "*" { path = path.dropFirst() }
        if path.hasPrefix("./") { path = path.dropFirst(2) }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...FileTree.maxDepth).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) })
        else { return nil }
        return Line(path: String(path), sha256: hash.lowercased())
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// The list that a folder brings; nil when it brings none. A bag's list counts only with its `bagit.txt`.
    static func find(in folder: borrowing Folder) throws(ActorError) -> ChecksumList? {
        for name in names {
            guard let status = try folder.status(name), status.kind == .file else { continue }
            if name.hasPrefix("manifest-"), try folder.status("bagit.txt") == nil { continue }
            guard status.bytes <= maxBytes else {
                return ChecksumList(name: name, text: Array("larger than \(maxBytes) bytes".utf8))
            }
            let file = try folder.file(name)
            return ChecksumList(name: name, text: try file.bytes(from: 0, length: Int(status.bytes)))
        }
        return nil
    }

    /// How much of what it lists is there.
    func standing(in folder: borrowing Folder) throws(ActorError) -> InboxManifest {
        var missing = 0
        var first: String?
        for line in lines where try Self.status(of: line.path, in: folder)?.kind != .file {
            missing += 1
            first = first ?? line.path
        }
        return InboxManifest(listed: lines.count, missing: missing, firstMissing: first)
    }

    /// The first file that is not as listed; nil when all are.
    func mismatch(in folder: borrowing Folder) throws(ActorError) -> String? {
        if let problem { return problem }
        for line in lines {
            guard try Self.status(of: line.path, in: folder)?.kind == .file else { return "\(line.path) is missing" }
            let found = try Self.hash(of: line.path[...], in: folder)
            if found != line.sha256 { return "\(line.path) has SHA-256 \(found), \(name) says \(line.sha256)" }
        }
        return nil
    }

    private static func status(of path: String, in folder: borrowing Folder) throws(ActorError) -> FileStatus? {
        let parts = path.split(separator: "/", maxSplits: 1)
        let name = String(parts[0])
        guard parts.count == 2 else { return try folder.status(name) }
        guard try folder.status(name)?.kind == .folder else { return nil }
        return try status(of: String(parts[1]), in: try folder.folder(name))
    }

    private static func hash(of path: Substring, in folder: borrowing Folder) throws(ActorError) -> String {
        let parts = path.split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else {
            let file = try folder.file(String(path))
            return try FileTree.sha256(of: file).hex
        }
        return try hash(of: parts[1], in: try folder.folder(String(parts[0])))
    }
}
