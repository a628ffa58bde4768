package import ActorCore
import Synchronization

/// A model of the lab's files and of its inbox that touches no disk; tests put uploads, outputs and logs into it.
package final class MemoryLab: LabFiles, Inbox {
    private typealias Files = [String: [UInt8]]

    private struct Upload {
        /// Path "" for an upload that is a single file.
        var files: Files = [:]
        var modified: Timestamp
    }

    private struct Run {
        var hasOutput = true
        var output: Files = [:]
        var logs: Files = [:]
        var published: String?
    }

    private struct State {
        var inbox: [String: Upload] = [:]
        var marked: Set<String> = []
        /// Who has brought what: key and name.
        var brought: Set<String> = []
        /// Claims by upload name, in order.
        var claims: [String: [(key: String, upload: ClaimedUpload)]] = [:]
        var runs: [String: Run] = [:]
        var archive: [String: Files] = [:]
        /// What was taken out of the archive, by the name under which it is kept.
        var aside: [String: Files] = [:]
        var jobs: [String: Files] = [:]
        /// Files elsewhere on the machine, by absolute path.
        var outside: Files = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Logs of a run by their names.
    func logs(of run: String) -> [String: [UInt8]] { state.withLock { $0.runs[run]?.logs ?? [:] } }

    /// All that lies in the archive, by absolute name.
    func archive() -> [String: [UInt8]] {
        state.withLock { state in
            var files: [String: [UInt8]] = [:]
            for (folder, content) in state.archive {
                for (path, bytes) in content { files["\(folder)/\(path)"] = bytes }
            }
            return files
        }
    }

    /// Moves whatever lies below `folder` aside; false when there is nothing.
    func setAside(below folder: String, as name: String) -> Bool {
        state.withLock { state in
            var taken: Files = [:]
            for (place, content) in state.archive {
                for (path, bytes) in content where "\(place)/\(path)".hasPrefix(folder) {
                    taken[path] = bytes
                    state.archive[place]?[path] = nil
                }
                if state.archive[place]?.isEmpty == true { state.archive[place] = nil }
            }
            if !taken.isEmpty { state.aside[name] = taken }
            return !taken.isEmpty
        }
    }

    func dropAside(_ name: String) { state.withLock { $0.aside[name] = nil } }

    /// Names under which something is kept that was taken out of the archive.
    package var namesAside: [String] { state.withLock { $0.aside.keys.sorted() } }

    // What tests do.

    /// Puts a file into the inbox: `name`, or `name/path` for an upload that is a folder.
    package func upload(_ path: String, _ text: String, at moment: Timestamp = Timestamp(milliseconds: 1)) {
        let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
        state.withLock { state in
            var upload = state.inbox[parts[0]] ?? Upload(modified: moment)
            upload.files[parts.count > 1 ? parts[1] : ""] = Array(text.utf8)
            upload.modified = max(upload.modified, moment)
            state.inbox[parts[0]] = upload
        }
    }

    /// Says that nothing more will come for `name`.
    package func markDone(_ name: String) { state.withLock { _ = $0.marked.insert(name) } }

    /// Takes an upload out of the inbox by hand.
    package func withdraw(_ name: String) { state.withLock { $0.inbox[name] = nil } }

    /// Puts a file somewhere else on the machine.
    package func place(_ path: String, _ text: String) { state.withLock { $0.outside[path] = Array(text.utf8) } }

    /// Gives an actor a job file, at its path below `jobs/`.
    package func addJob(_ path: String, _ text: String, in folder: String) {
        state.withLock { $0.jobs[folder, default: [:]][path] = Array(text.utf8) }
    }

    /// Writes a file into the output of a run that was prepared.
    package func output(_ path: String, _ text: String, run: String) {
        state.withLock { $0.runs[run]?.output[path] = Array(text.utf8) }
    }

    /// Writes a log of a run that was prepared.
    package func log(_ name: String, _ text: String, run: String) {
        state.withLock { $0.runs[run]?.logs[name] = Array(text.utf8) }
    }

    /// Paths and contents below an archive path; nil when nothing was published there.
    package func archived(_ archivePath: String) -> [String: [UInt8]]? { state.withLock { $0.archive[archivePath] } }

    /// Puts a file below an archive path, as a job would that publishes by itself.
    package func archive(_ archivePath: String, _ path: String, _ text: String) {
        state.withLock { $0.archive[archivePath, default: [:]][path] = Array(text.utf8) }
    }

    /// Takes one away again.
    package func unarchive(_ archivePath: String, _ path: String) {
        state.withLock { _ = $0.archive[archivePath]?.removeValue(forKey: path) }
    }

    // The ports.

    package func scan() async throws(ActorError) -> [InboxEntry] {
        state.withLock { state in
            state.inbox.filter { Self.isShown($0.key) }.sorted { $0.key < $1.key }.map { name, upload in
                let files = upload.files.filter { $0.key != ".done" }
                return InboxEntry(
                    name: name, bytes: Int64(files.values.reduce(0) { $0 + $1.count }), files: files.count,
                    modified: upload.modified,
                    isMarkedDone: state.marked.contains(name) || upload.files[".done"] != nil,
                    obstacle: NameRules.isUploadName(name) ? nil : "it cannot be an upload's name: rename it")
            }
        }
    }

    private static func isShown(_ name: String) -> Bool {
        !name.hasPrefix(".") && ![".done", ".part", ".tmp"].contains { name.hasSuffix($0) }
    }

    package func claim(_ name: String, key: String) async throws(ActorError) -> ClaimedUpload {
        guard NameRules.isUploadName(name), !name.hasSuffix(".done"), (1...512).contains(key.utf8.count) else {
            throw ActorError(.invalidInput, "\"\(name)\" is no name of an upload, or its key is too long")
        }
        let claimed: ClaimedUpload? = state.withLock { state in
            let earlier = state.claims[name] ?? []
            if let known = earlier.first(where: { $0.key == key }) { return known.upload }
            guard let upload = state.inbox.removeValue(forKey: name) else { return nil }
            state.marked.remove(name)
            var files = upload.files
            files[".done"] = nil
            if let single = files.removeValue(forKey: "") { files[name] = single }
            let number = earlier.count + 1
            let folder = "/lab/uploads/\(name)/\(number)/original"
            let claimed = ClaimedUpload(name: name, number: number, folder: folder, files: Self.list(files))
            state.claims[name] = earlier + [(key, claimed)]
            return claimed
        }
        guard let claimed else { throw ActorError(.notFound, "there is no upload \(name) in the inbox") }
        return claimed
    }

    package func held(_ name: String, key: String) async throws(ActorError) -> ClaimedUpload {
        guard let known = state.withLock({ $0.claims[name]?.first { $0.key == key } }) else {
            throw ActorError(.notFound, "there is no upload \(name) of \(key)")
        }
        return known.upload
    }

    package func derive(
        _ archivePath: String, of name: String, key: String, as path: String
    ) async throws(ActorError) {
        let isThere = state.withLock { state in
            state.claims[name]?.contains { $0.key == key } ?? false && state.archive[archivePath] != nil
        }
        guard isThere else { throw ActorError(.notFound, "there is no upload \(name), or no \(archivePath)") }
    }

    package func lines(of list: String) async throws(ActorError) -> [String] {
        guard let bytes = state.withLock({ $0.outside[list] }) else {
            throw ActorError(.notFound, "there is no \(list)")
        }
        let whole = bytes[..<(bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]
        return whole.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    package func bring(
        _ path: String, as name: String, allowed: [String], force: Bool, key: String
    ) async throws(ActorError) {
        guard NameRules.isUploadName(name), !name.hasSuffix(".done") else {
            throw ActorError(.invalidInput, "\"\(name)\" is no name of an upload")
        }
        guard allowed.contains(where: { path.hasPrefix($0 + "/") }), !path.contains("/../") else {
            throw ActorError(.forbidden, "\(path) is not below one of the allowed folders")
        }
        let isBrought = try state.withLock { (state) throws(ActorError) -> Bool in
            if state.brought.contains("\(key)/\(name)") { return true }
            guard state.inbox[name] == nil else {
                throw ActorError(.unavailable, "another upload \(name) lies in the inbox")
            }
            let below = state.outside.filter { $0.key.hasPrefix(path + "/") }
            var upload = Upload(modified: Timestamp(milliseconds: 1))
            if let single = state.outside[path] { upload.files[""] = single }
            for (file, bytes) in below { upload.files[String(file.dropFirst(path.count + 1))] = bytes }
            guard !upload.files.isEmpty else { return false }
            state.inbox[name] = upload
            state.marked.insert(name)
            state.brought.insert("\(key)/\(name)")
            return true
        }
        guard isBrought else { throw ActorError(.notFound, "there is no \(path)") }
    }

    package func jobFiles(below folder: String) async throws(ActorError) -> [JobFile] {
        guard folder.hasSuffix("/jobs") else { throw ActorError(.notFound, "there is no folder \(folder)") }
        return try await jobFiles(in: String(folder.dropLast(5)))
    }

    package func jobFiles(in folder: String) async throws(ActorError) -> [JobFile] {
        let files = state.withLock { $0.jobs[folder] ?? [:] }
        return files.filter { $0.key.hasSuffix(".yaml") || $0.key.hasSuffix(".yml") }
            .map { JobFile(path: $0.key, text: $0.value) }
            .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    package func prepareRun(_ id: String, fresh: Bool) async throws(ActorError) -> RunFolders {
        guard NameRules.isUploadName(id) else { throw ActorError(.invalidInput, "\"\(id)\" is no id of a run") }
        state.withLock { state in
            var run = state.runs[id] ?? Run()
            if fresh { run.output = [:] }
            run.hasOutput = true
            state.runs[id] = run
        }
        let base = "/lab/runs/\(id)"
        return RunFolders(work: "\(base)/work", output: "\(base)/output", logs: "\(base)/logs")
    }

    package func publish(_ id: String, to archivePath: String) async throws(ActorError) -> [LabFile] {
        guard NameRules.isUploadName(id), Self.isArchivePath(archivePath) else {
            throw ActorError(.invalidInput, "\"\(archivePath)\" is no archive path, or \"\(id)\" no id of a run")
        }
        return try state.withLock { (state) throws(ActorError) -> [LabFile] in
            let run = state.runs[id] ?? Run(hasOutput: false)
            if let there = state.archive[archivePath] {
                let isMoved = run.output.isEmpty && run.published == archivePath
                guard isMoved || (run.hasOutput && run.output == there) else {
                    throw ActorError(.conflict, "\(archivePath) is there already and was not published by run \(id)")
                }
                return Self.list(there)
            }
            guard run.hasOutput else { throw ActorError(.notFound, "run \(id) has no output to publish") }
            state.archive[archivePath] = run.output
            state.runs[id] = Run(hasOutput: false, logs: run.logs, published: archivePath)
            return Self.list(run.output)
        }
    }

    private static func isArchivePath(_ path: String) -> Bool {
        path.hasPrefix("/") && !path.contains { " ,=@+".contains($0) }
            && NameRules.isUploadPath(String(path.dropFirst()))
    }

    package func tail(of logFile: String, limit: Int) async -> String {
        let parts = logFile.split(separator: "/").map(String.init)
        guard parts.count == 5, parts[0] == "lab", parts[1] == "runs", parts[3] == "logs", limit > 0 else { return "" }
        let bytes = state.withLock { $0.runs[parts[2]]?.logs[parts[4]] ?? [] }
        return String(decoding: bytes.suffix(limit).drop { $0 & 0xc0 == 0x80 }, as: UTF8.self)
    }

    package func archiveFolder(_ archivePath: String) -> String {
        Self.isArchivePath(archivePath) ? "/lab/archive\(archivePath)" : "/lab/archive/.none"
    }

    private static func list(_ files: Files) -> [LabFile] {
        files.map { LabFile(path: $0.key, bytes: Int64($0.value.count), sha256: digest($0.value)) }
            .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// Looks like SHA-256 and tells contents apart; a model needs no more.
    static func digest(_ bytes: [UInt8]) -> String {
        (0..<4).map { (part: UInt64) in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ part
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            let text = String(hash, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }
}
