import ActorCore
import Synchronization

/// Files of a lab that are only names: remembers claims by key, notes what was prepared and published.
final class ModelLabFiles: LabFiles {
    struct Contents: Sendable {
        /// What lies in the inbox.
        var inbox: [String: [LabFile]] = [:]
        var claims: [String: ClaimedUpload] = [:]
        var numbers: [String: Int] = [:]
        var jobFiles: [JobFile] = []
        var otherFolders: [String: [JobFile]] = [:]
        var lists: [String: [String]] = [:]
        /// Archive paths by what they are shown as.
        var derived: [String: String] = [:]
        var prepared: [String] = []
        var published: [String: String] = [:]
        var outputs: [LabFile] = [LabFile(path: "beats.csv", bytes: 12, sha256: "ab")]
        var tail = "the last words"
        var publishError: ActorError?
        var claimError: ActorError?
    }

    private let contents = Mutex(Contents())

    func read<Value: Sendable>(_ body: (Contents) -> Value) -> Value { contents.withLock { body($0) } }
    func change(_ body: (inout Contents) -> Void) { contents.withLock { body(&$0) } }

    func claim(_ name: String, key: String) async throws(ActorError) -> ClaimedUpload {
        if let error = read({ $0.claimError }) { throw error }
        let claimed = contents.withLock { contents -> ClaimedUpload? in
            if let known = contents.claims[key] { return known }
            guard let files = contents.inbox.removeValue(forKey: name) else { return nil }
            let number = contents.numbers[name, default: 0] + 1
            contents.numbers[name] = number
            let upload = ClaimedUpload(name: name, number: number, folder: "/uploads/\(name).\(number)", files: files)
            contents.claims[key] = upload
            return upload
        }
        guard let claimed else { throw ActorError(.notFound, "there is no upload \(name) in the inbox") }
        return claimed
    }

    func held(_ name: String, key: String) async throws(ActorError) -> ClaimedUpload {
        guard let known = read({ $0.claims[key] }), known.name == name else {
            throw ActorError(.notFound, "its files are not in uploads/\(name) any more")
        }
        return known
    }

    func derive(_ archivePath: String, of name: String, key: String, as path: String) async throws(ActorError) {
        change { $0.derived["\(name)/\(path)"] = archivePath }
    }

    func lines(of list: String) async throws(ActorError) -> [String] {
        guard let lines = read({ $0.lists[list] }) else { throw ActorError(.notFound, "there is no \(list)") }
        return lines
    }

    func bring(
        _ path: String, as name: String, allowed: [String], force: Bool, key: String
    ) async throws(ActorError) {
        guard allowed.contains(where: { path.hasPrefix($0) }) else {
            throw ActorError(.forbidden, "\(path) may not be read")
        }
        change { $0.inbox[name] = [LabFile(path: name, bytes: 1, sha256: "cc")] }
    }

    func jobFiles(in folder: String) async throws(ActorError) -> [JobFile] {
        read { $0.jobFiles.sorted { $0.path < $1.path } }
    }

    func jobFiles(below folder: String) async throws(ActorError) -> [JobFile] {
        if let files = read({ $0.otherFolders[folder] }) { return files }
        guard folder.hasPrefix("/actors/") else { throw ActorError(.notFound, "there is no folder \(folder)") }
        return try await jobFiles(in: folder)
    }

    func prepareRun(_ id: String, fresh: Bool) async throws(ActorError) -> RunFolders {
        change { $0.prepared.append(fresh ? "fresh" : "again") }
        return RunFolders(work: "/runs/\(id)/work", output: "/runs/\(id)/output", logs: "/runs/\(id)/logs")
    }

    func publish(_ id: String, to archivePath: String) async throws(ActorError) -> [LabFile] {
        if let error = read({ $0.publishError }) { throw error }
        change { $0.published[id] = archivePath }
        return read { $0.outputs }
    }

    func tail(of logFile: String, limit: Int) async -> String { String(read { $0.tail }.suffix(limit)) }
    func archiveFolder(_ archivePath: String) -> String { "/archive\(archivePath)" }
}

/// Reads JSON, which every YAML reader must take too; knows the line of a syntax error only.
struct JSONDocuments: DocumentReader {
    func read(yaml: [UInt8], file: String) throws(ActorError) -> ParsedDocument {
        do {
            return ParsedDocument(value: try JSONReader.read(yaml), lines: ["": 1])
        } catch {
            let line = 1 + yaml.prefix(error.offset).count { $0 == 0x0a }
            let detail = ActorError.Detail(place: "\(file):\(line)", problem: error.reason)
            throw ActorError(.invalidInput, "\(file) cannot be read", details: [detail])
        }
    }
}
