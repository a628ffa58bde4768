package import ActorCore

extension MemoryLab: ArchiveFiles {
    /// When everything in a model was changed last.
    package static let modified = Timestamp(milliseconds: 1_500_000_000_000)

    private func below(_ archivePath: String) throws(ActorError) -> [String: [UInt8]] {
        guard archivePath.hasPrefix("/"), !archivePath.contains("..") else {
            throw ActorError(.invalidInput, "\"\(archivePath)\" is no archive path")
        }
        let folder = archivePath + "/"
        let found = archive().filter { $0.key.hasPrefix(folder) }
        guard !found.isEmpty else { throw ActorError(.notFound, "there is no folder \(archivePath)") }
        return Dictionary(uniqueKeysWithValues: found.map { (String($0.key.dropFirst(folder.count)), $0.value) })
    }

    private static func shown(_ path: String, _ bytes: [UInt8]) -> ArchivedFile {
        ArchivedFile(path: path, bytes: Int64(bytes.count), modified: modified)
    }

    package func total(_ archivePath: String) async throws(ActorError) -> (files: Int, bytes: Int64) {
        let files = try below(archivePath)
        return (files.count, files.values.reduce(0) { $0 + Int64($1.count) })
    }

    package func list(
        _ archivePath: String, after: String?, limit: Int
    ) async throws(ActorError) -> [ArchivedFile] {
        // By name within each folder: part by part.
        func parts(_ path: String) -> [[UInt8]] { path.split(separator: "/").map { Array($0.utf8) } }
        func precedes(_ one: String, _ other: String) -> Bool {
            parts(one).lexicographicallyPrecedes(parts(other)) { $0.lexicographicallyPrecedes($1) }
        }
        let files = try below(archivePath).sorted { precedes($0.key, $1.key) }
        let rest = files.filter { file in after.map { precedes($0, file.key) } ?? true }
        return rest.prefix(limit).map { Self.shown($0.key, $0.value) }
    }

    package func file(_ path: String, in archivePath: String) async throws(ActorError) -> ArchivedFile? {
        archive()["\(archivePath)/\(path)"].map { Self.shown(path, $0) }
    }

    package func fixity(
        _ path: String, in archivePath: String
    ) async throws(ActorError) -> (file: ArchivedFile, sha256: String) {
        let bytes = try content(path, archivePath)
        return (Self.shown(path, bytes), Self.digest(bytes))
    }

    package func read(
        _ path: String, in archivePath: String, from offset: Int64, limit: Int
    ) async throws(ActorError) -> [UInt8] {
        Array(try content(path, archivePath).dropFirst(Int(offset)).prefix(limit))
    }

    package func setAside(_ archivePath: String, as name: String) async throws(ActorError) -> Bool {
        guard archivePath.hasPrefix("/"), !archivePath.contains(".."), NameRules.isUploadName(name) else {
            throw ActorError(.invalidInput, "\"\(archivePath)\" is no archive path")
        }
        return setAside(below: archivePath + "/", as: name)
    }

    package func discard(_ name: String) async throws(ActorError) {
        guard NameRules.isUploadName(name) else {
            throw ActorError(.invalidInput, "\"\(name)\" is no name of what was set aside")
        }
        dropAside(name)
    }

    package func logs(
        of run: String, limit: Int
    ) async throws(ActorError) -> [(file: ArchivedFile, tail: String)] {
        logs(of: run).sorted { $0.key < $1.key }.map { name, bytes in
            let tail = bytes.suffix(limit).drop { $0 & 0xc0 == 0x80 }
            return (Self.shown(name, bytes), String(decoding: tail, as: UTF8.self))
        }
    }

    private func content(_ path: String, _ archivePath: String) throws(ActorError) -> [UInt8] {
        guard
            !path.split(separator: "/", omittingEmptySubsequences: false).contains(where: {
                ["", ".", ".."].contains($0)
            })
        else { throw ActorError(.invalidInput, "\"\(path)\" is no path of a file") }
        guard let bytes = archive()["\(archivePath)/\(path)"] else {
            throw ActorError(.notFound, "there is no file \(path)")
        }
        return bytes
    }
}
