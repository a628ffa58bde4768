import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird
import NIOCore

/// What a job has left: its files with their fixity, their content, its logs, and all of it as a research object.
struct JobFileRoutes {
    /// The document in which the indexer says how far it is.
    private static let progressKind = "job-index"
    private static let chunk = 1 << 20
    private static let longestLog = 65_536
    private static let maxLogs = 64

    let front: HTTPFront

    func add(to table: RouteTable) {
        let one = "\(Paths.jobs)/:id"
        table.on("\(one)/files", [.get: list])
        table.on("\(one)/files/**", [.get: content])
        table.on("\(one)/logs", [.get: logs])
        table.on("\(one)/ro-crate", [.get: crate])
    }

    // MARK: Files

    /// With sizes, hashes and dates once the job is indexed; before that what lies there now.
    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let record = try await front.ledger(context).record
        let limit = try request.number("limit", default: 100, in: 1...1000)
        let cursor = request.formItems.first("cursor").flatMap { $0.isEmpty ? nil : $0 }
        let store = front.system.store
        let total = try await store.jobFileTotal(of: record.uuid)
        let progress = try await store.document(Self.progressKind, record.uuid.rawValue)?.body
        guard total.files > 0 else { return try await unindexed(record, cursor, limit, progress) }
        let files = try await store.jobFiles(of: record.uuid, after: cursor, limit: limit + 1)
        let page = files.prefix(limit)
        let names = page.map { record.archiveName(of: $0.path) }
        let known = Dictionary(
            try await store.files(named: names).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let items = zip(page, names).map { file, name in file.json(with: known[name]) }
        return .json([
            "files": .array(items), "next": JSONValue(files.count > limit ? page.last?.path : nil),
            "total": ["files": JSONValue(total.files), "bytes": .int(total.bytes)], "index": progress ?? .null,
        ])
    }

    private func unindexed(
        _ record: JobRecord, _ cursor: String?, _ limit: Int, _ progress: JSONValue?
    ) async throws -> Response {
        let files = try await archived(record, after: cursor, limit: limit + 1)
        let page = files.prefix(limit)
        let items: [JSONValue] = page.map {
            ["path": .string($0.path), "bytes": .int($0.bytes), "sha256": .null, "modified": JSONValue($0.modified)]
        }
        return .json([
            "files": .array(items), "next": JSONValue(files.count > limit ? page.last?.path : nil), "total": .null,
            "index": progress ?? .null,
        ])
    }

    /// A job that has left nothing has no files.
    private func archived(
        _ record: JobRecord, after cursor: String?, limit: Int
    ) async throws(ActorError) -> [ArchivedFile] {
        guard let archive = front.settings.archive else { return [] }
        do throws(ActorError) {
            return try await archive.list(record.archivePath, after: cursor, limit: limit)
        } catch {
            guard error.code == .notFound || error.code == .invalidInput else { throw error }
            return []
        }
    }

    @Sendable private func content(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let record = try await front.ledger(context).record
        // Below /api/v1/jobs/{uuid}/files: decoded part by part, so that an encoded slash is no separator.
        let parts = request.uri.path.split(separator: "/").dropFirst(5)
            .map { FormItems.decoded(percent: String($0)) }
        let path = parts.joined(separator: "/")
        guard parts.allSatisfy({ !$0.contains("/") }), let archive = front.settings.archive,
            let file = try await archive.file(path, in: record.archivePath)
        else { throw ActorError(.notFound, "job \(record.uuid) has no file \(path.prefix(200))") }
        let archivePath = record.archivePath
        let name = parts.last ?? path
        // A part of it, for who fetches a large file piece by piece.
        let first = Int64(try request.number("offset", default: 0, in: 0...Int(Int64.max)))
        let length = Int64(try request.number("length", default: Int(Int64.max), in: 0...Int(Int64.max)))
        let start = min(first, file.bytes)
        let end = start + min(length, file.bytes - start)
        return Response(
            status: .ok,
            headers: [
                // Whatever it is, a browser must not run it in our name.
                .contentType: MediaType.guess(name) ?? "application/octet-stream",
                .contentDisposition: "attachment; filename*=UTF-8''\(PercentText.escaped(name))",
            ],
            body: ResponseBody(contentLength: Int(end - start)) { writer in
                var offset = start
                while offset < end {
                    let limit = Int(min(Int64(Self.chunk), end - offset))
                    let bytes = try await archive.read(path, in: archivePath, from: offset, limit: limit)
                    // Shorter than it was: the connection breaks, which says so.
                    guard !bytes.isEmpty else { throw ActorError(.unavailable, "the file became shorter") }
                    try await writer.write(ByteBuffer(bytes: bytes))
                    offset += Int64(bytes.count)
                }
                try await writer.finish(nil)
            })
    }

    // MARK: Logs

    /// The end of whatever the executions that had to do with the job have printed, and of its steps' own logs.
    @Sendable private func logs(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try context.requireCaller()
        let ledger = try await front.ledger(context)
        var ids: [ExecutionID] = [ledger.record.execution].compactMap { $0 }
        for entry in ledger.lines.map(\.entry) {
            // The runner tells its own execution when it begins.
            let named = ["execution", "execution_id"].compactMap { entry.data[$0]?.string }.map { ExecutionID($0) }
            ids += named + [entry.execution].compactMap { $0 }
        }
        var seen: Set<ExecutionID> = []
        var logs: [JSONValue] = []
        for id in ids where logs.count < Self.maxLogs && seen.insert(id).inserted {
            guard let execution = try await front.system.execution(id) else { continue }
            let spec = front.system.spec(execution.actor)
            guard Access.reads(execution, caller, spec) else { continue }
            let name = spec?.name ?? execution.actor.rawValue
            for step in try await front.settings.archive?.logs(of: id.rawValue, limit: Self.longestLog) ?? [] {
                logs.append(Self.log(step.file.path, id, name, step.file.bytes, step.tail))
            }
            let log = try await front.system.log(of: id)
            guard !log.bytes.isEmpty else { continue }
            let tail = log.bytes.suffix(Self.longestLog).drop { $0 & 0xc0 == 0x80 }
            logs.append(Self.log("execution", id, name, Int64(log.bytes.count), String(decoding: tail, as: UTF8.self)))
        }
        return .json(["logs": .array(logs)])
    }

    private static func log(
        _ name: String, _ execution: ExecutionID, _ actor: String, _ bytes: Int64, _ text: String
    ) -> JSONValue {
        [
            "name": .string(name), "execution_id": .string(execution.rawValue), "actor": .string(actor),
            "bytes": .int(bytes), "text": .string(text),
        ]
    }

    // MARK: Crate

    /// `ro-crate-metadata.json` of the job; `reactord job export` puts the files beside it.
    @Sendable private func crate(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let ledger = try await front.ledger(context)
        let record = ledger.record
        let license = request.formItems.first("license").flatMap { $0.isEmpty ? nil : $0 }
        if let license, !license.hasPrefix("https://") && !license.hasPrefix("http://") {
            throw ActorError(
                .invalidInput, "license must be the URL of a licence",
                details: [ActorError.Detail(place: "license", problem: "begins with https://")])
        }
        let crate = WorkflowRunCrate(
            job: record, history: ledger.lines.map(\.entry),
            pipeline: try await front.system.store.pipeline(record.pipeline), parents: record.childOf ?? [],
            files: try await files(of: record), license: license,
            url: "\(front.baseURL)\(Paths.job(record.uuid.rawValue))",
            pipelineURL: "\(front.baseURL)\(Paths.pipeline(record.pipeline.rawValue))")
        return .bytes(JSONWriter.bytes(crate.metadata), type: "application/ld+json")
    }

    private func files(of record: JobRecord) async throws -> [JobFileRecord] {
        let limit = WorkflowRunCrate.maxFiles
        var files = try await front.system.store.jobFiles(of: record.uuid, after: nil, limit: limit + 1)
        if files.isEmpty {
            let now = front.system.now()
            files = try await archived(record, after: nil, limit: limit + 1).map {
                JobFileRecord(path: $0.path, bytes: $0.bytes, sha256: "", modified: $0.modified, indexed: now)
            }
        }
        guard files.count <= limit else {
            throw ActorError(
                .tooLarge, "the job has more than \(limit) files, which is more than one research object can list")
        }
        return files
    }
}

extension JobRecord {
    /// The name that a file has in the catalogue.
    func archiveName(of file: String) -> String { CatalogueName.cleaned("\(archivePath)/\(file)") }
}

extension JobFileRecord {
    /// - Parameter catalogued: what a pattern has put into the catalogue of it.
    fileprivate func json(with catalogued: FileRecord?) -> JSONValue {
        var json: JSONValue = [
            "path": .string(path), "bytes": .int(bytes), "sha256": .string(sha256), "modified": JSONValue(modified),
            "indexed": JSONValue(indexed),
        ]
        guard let catalogued else { return json }
        let facts: [(String, JSONValue)] = [
            ("uuid", .string(catalogued.uuid)), ("file_id", .string(catalogued.fileID)),
            ("type", .string(catalogued.type)), ("level", JSONValue(catalogued.level)),
        ]
        for (name, value) in facts { json = json.setting(name, value) }
        for kind in [LinkKind.childOf, .generatedBy, .derivedFrom, .derivedUsing] {
            let targets = catalogued.links.filter { $0.kind == kind }.map(\.target).sorted()
            json = json.setting(kind.rawValue, .array(targets.map { .string($0) }))
        }
        return json
    }
}
