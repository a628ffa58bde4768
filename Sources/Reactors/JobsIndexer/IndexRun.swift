import ActorCore

/// Reads what a job has left below its archive path: size, SHA-256 and date of every file, and a catalogue record of
/// those that a pattern means.
///
/// What it found is committed every few files. After a crash it walks again and reads only what it had not read, or
/// what was changed since; so does a second index of the same job.
struct IndexRun: Sendable {
    static let progressKind = "job-index"
    /// Named in the answer; of more only the number is told.
    private static let maxNames = 1000
    private static let pageSize = 2000
    private static let batchSize = 200
    private static let batchMilliseconds: Int64 = 2000

    let record: JobRecord
    let requests: [IndexRequest]
    let isPermissive: Bool
    let archive: any ArchiveFiles
    let context: any ReactorContext

    private struct Progress {
        var total: (files: Int, bytes: Int64) = (0, 0)
        var files = 0
        var bytes: Int64 = 0
        /// Files whose content was read; the others were known.
        var read = 0
        var catalogued = 0
        var current: String?
        var started: Timestamp
    }

    private var path: String { record.archivePath }

    /// What the answer and the job's history say.
    func play() async throws -> JSONValue {
        let began = try await context.step("begin") { ["at": .int(context.now().milliseconds)] }
        let started = Timestamp(milliseconds: Int64(began["at"]?.int ?? 0))
        var progress = Progress(started: started)
        guard let total = try await total() else {
            context.log(.warning, "There is nothing at \(path): the job has left no files")
            return try await finish(progress, names: [])
        }
        progress.total = total
        try await commit(progress)
        var names: [String] = []
        var resolver = ReferenceResolver(
            job: record.uuid, archivePath: path, archive: archive, context: context, isPermissive: isPermissive)
        var cursor: String?
        while true {
            let page = try await archive.list(path, after: cursor, limit: Self.pageSize)
            guard let last = page.last else { break }
            try await index(page, &progress, &resolver, &names)
            cursor = last.path
        }
        return try await finish(progress, names: names)
    }

    private func index(
        _ page: [ArchivedFile], _ progress: inout Progress, _ resolver: inout ReferenceResolver,
        _ names: inout [String]
    ) async throws {
        let rows = try await context.catalogue.jobFiles(of: record.uuid, paths: page.map(\.path))
        let known = Dictionary(rows.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
        var batch: [JobFileRecord] = []
        var committed = context.now()
        for file in page {
            try Task.checkCancellation()
            guard let row = try await fixity(file, known[file.path], &progress) else { continue }
            batch.append(row)
            let name = "\(path)/\(file.path)"
            if try await catalogue(file.path, name, &resolver) {
                progress.catalogued += 1
                if names.count < Self.maxNames { names.append(name) }
            }
            let now = context.now()
            if batch.count >= Self.batchSize || now.since(committed) >= Self.batchMilliseconds {
                context.change(.files(record.uuid, batch, run: progress.started))
                try await commit(progress)
                batch = []
                committed = now
            }
        }
        context.change(.files(record.uuid, batch, run: progress.started))
        try await commit(progress)
    }

    /// Nil when the file went away meanwhile.
    private func fixity(
        _ file: ArchivedFile, _ known: JobFileRecord?, _ progress: inout Progress
    ) async throws -> JobFileRecord? {
        progress.current = file.path
        defer {
            progress.files += 1
            progress.bytes += file.bytes
        }
        // One that was changed in the moment it was read may have changed again.
        if let known, known.bytes == file.bytes, known.modified == file.modified, known.modified < known.indexed {
            return known
        }
        guard let (file, sha256) = try await content(of: file.path) else {
            context.log(.warning, "\(file.path) was there and is gone")
            return nil
        }
        progress.read += 1
        return JobFileRecord(
            path: file.path, bytes: file.bytes, sha256: sha256, modified: file.modified, indexed: context.now())
    }

    /// Nil when there is no such folder.
    private func total() async throws(ActorError) -> (files: Int, bytes: Int64)? {
        do throws(ActorError) {
            return try await archive.total(path)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// Nil when there is no such file.
    private func content(of file: String) async throws(ActorError) -> (file: ArchivedFile, sha256: String)? {
        do throws(ActorError) {
            return try await archive.fixity(file, in: path)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// True when a request means this file.
    private func catalogue(
        _ file: String, _ name: String, _ resolver: inout ReferenceResolver
    ) async throws -> Bool {
        var isMeant = false
        let child = CatalogueLink(.childOf, record.uuid.rawValue)
        for request in requests where request.matches(path: file) {
            isMeant = true
            let generated = request.generatedBy.map { CatalogueLink(.generatedBy, $0) }
            let now = context.now()
            switch request.kind {
            case .archive(let level):
                context.change(
                    .catalogue(
                        CatalogueFile.record(
                            name, level: level, note: request.note, links: Set(generated + [child]), at: now)))
            case .product(let from, let using):
                // First the file, then what it was made from: it is there even when that cannot be found.
                context.change(.catalogue(CatalogueFile.record(name, note: request.note, at: now)))
                let links =
                    try await resolver.links(.derivedUsing, using) + resolver.links(.derivedFrom, from)
                context.change(
                    .catalogue(CatalogueFile.record(name, links: Set(links + generated + [child]), at: now)))
            }
        }
        return isMeant
    }

    private func finish(_ progress: Progress, names: [String]) async throws -> JSONValue {
        context.change(.dropFiles(record.uuid, before: progress.started))
        var done = progress
        done.current = nil
        context.put(Self.progressKind, record.uuid.rawValue, document(done, state: "complete"))
        try await context.commit()
        context.log(
            .info,
            """
            Indexed job \(record.uuid): \(done.files) files, \(done.bytes) bytes, \(done.read) of them read, \
            \(done.catalogued) catalogued
            """)
        return [
            "files": JSONValue(done.files), "bytes": .int(done.bytes), "read": JSONValue(done.read),
            "catalogued": JSONValue(done.catalogued), "names": .array(names.map { .string($0) }),
        ]
    }

    private func commit(_ progress: Progress) async throws {
        context.put(Self.progressKind, record.uuid.rawValue, document(progress, state: "running"))
        try await context.commit()
    }

    private func document(_ progress: Progress, state: String) -> JSONValue {
        [
            "state": .string(state), "files": JSONValue(progress.files), "files_total": JSONValue(progress.total.files),
            "bytes": .int(progress.bytes), "bytes_total": .int(progress.total.bytes),
            "read": JSONValue(progress.read), "catalogued": JSONValue(progress.catalogued),
            "current": JSONValue(progress.current), "started": JSONValue(progress.started),
            "updated": JSONValue(context.now()), "execution_id": .string(context.execution.rawValue),
        ]
    }

    /// What the progress says when it ended badly.
    static func failed(_ progress: JSONValue?, reason: String, at now: Timestamp) -> JSONValue {
        (progress ?? [:]).setting("state", "failed").setting("reason", .string(reason))
            .setting("updated", JSONValue(now))
    }
}
