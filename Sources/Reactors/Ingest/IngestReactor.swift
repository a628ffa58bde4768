package import ActorCore

/// Takes an upload out of the inbox, finds the job files that apply to it, and has a job run for each.
///
/// It may handle several messages at once: recordings are moved, hashed, unpacked and fetched side by side. What
/// changes documents goes one message after another and is on disk before the next one, so that each has one writer.
package actor IngestReactor: ConfiguredReactor {
    let tools: ReactorTools
    /// Job files of repositories at the commit that was used last.
    var checkedOut: [JobRepository: (commit: String, files: [JobFile])] = [:]
    /// What the sets held when they were looked at last.
    var fingerprints: [String: String] = [:]
    private let turns = OneAtATime()

    package init(tools: ReactorTools) { self.tools = tools }

    package static let settings = ReactorSettings([
        "settle_seconds": ReactorSettings.delay, "scan_seconds": ReactorSettings.period,
        "rescan_seconds": ReactorSettings.period, "substitution": ReactorSettings.text,
        "variables": ReactorSettings.mapping, "folders": ReactorSettings.list, "job_sets": ReactorSettings.list,
        "allow_paths": ReactorSettings.list, "allow_hosts": ReactorSettings.list, "lists": ReactorSettings.list,
        "notify": ReactorSettings.list, "sendmail": ReactorSettings.text,
    ]) { settings in
        do throws(ActorError) {
            _ = try IngestSettings(json: settings)
            return []
        } catch {
            return error.details
        }
    }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let settings = try IngestSettings(json: context.settings)
        let message = try IngestMessage.decode(envelope.json)
        switch message {
        case .upload(let name, let force):
            let claimed = try await claim(name, key: context.execution, context)
            let received = envelope.message.received
            try await turns.run { @Sendable () async throws in
                try await ingest(claimed, force: force, received, settings, context)
                try await context.commit()
            }
        case .bring(let name, let path, let force, let isListed):
            try await bring(name, path, force, isListed: isListed, settings, context)
        case .fetch(let upload): try await fetch(upload, settings, context)
        case .question(let question): context.reply(try await answer(question, settings, context))
        case .job, .rerun, .removed, .refresh, .lists:
            try await turns.run { @Sendable () async throws in
                try await change(message, settings, context)
                try await context.commit()
            }
        }
    }

    private func change(
        _ message: IngestMessage, _ settings: IngestSettings, _ context: any ReactorContext
    ) async throws {
        switch message {
        case .job(let job, let upload): try await note(job, of: upload, settings, context)
        case .rerun(let upload, let file, let onlyFailed):
            try await rerun(upload, file, onlyFailed: onlyFailed, settings, context)
        case .removed(let upload, let key, let action, let plan):
            var document = try await load(upload, context)
            let removal = UploadDocument.Removal(action: action, plan: plan, at: context.now().iso8601)
            if document.remove(removal, key: key) { context.put(UploadDocument.kind, upload, document.json) }
        case .refresh(let set): context.reply(try await refresh(set, settings, context))
        case .lists: try await readLists(settings, context)
        case .upload, .bring, .fetch, .question: return
        }
    }

    // MARK: An upload

    private func ingest(
        _ claimed: ClaimedUpload, force: Bool, _ received: Timestamp, _ settings: IngestSettings,
        _ context: any ReactorContext
    ) async throws {
        let content = UploadIdentity.content(of: claimed)
        let known = try await context.document(UploadIdentity.contentKind, content)
            .flatMap { UploadIdentity.Known(json: $0.body) }
        // An archive is called as it is without its ending.
        let name = claimed.name
        let versions = try await versions(of: name, context)
        let verdict = UploadIdentity.verdict(
            known: known, versions: versions, execution: context.execution, force: force)
        switch verdict {
        case .same(let id):
            return try await noteDuplicate(of: id, claimed, content, received, context)
        case .resumed(let id):
            let document = try await load(id, context)
            try await analyse(claimed, document, settings, context)
        case .new(var version):
            // Another upload may be called as a version of this one would be: "a.2".
            while try await context.document(UploadDocument.kind, UploadDocument.id(name, version)) != nil {
                version += 1
            }
            let document = UploadDocument(
                claimed, version: version, sha256: content, execution: context.execution, received: received)
            let identity = UploadIdentity.Known(upload: document.id, execution: context.execution)
            context.put(UploadIdentity.contentKind, content, identity.json)
            context.put(UploadIdentity.nameKind, name, ["versions": JSONValue(version)])
            // From here on it can be seen, and run again should the rest of this go wrong.
            context.put(UploadDocument.kind, document.id, document.json)
            try await context.commit()
            context.log(.info, "Took upload \(document.id): \(document.fileCount) files, \(document.bytes) bytes")
            try await analyse(claimed, document, settings, context)
        }
    }

    /// How many versions of a name there are. Those of the time before versions were counted are looked up.
    private func versions(of name: String, _ context: any ReactorContext) async throws -> Int {
        if let known = try await context.document(UploadIdentity.nameKind, name)?.body["versions"]?.int { return known }
        var count = 0
        while try await context.document(UploadDocument.kind, UploadDocument.id(name, count + 1)) != nil { count += 1 }
        return count
    }

    private func analyse(
        _ claimed: ClaimedUpload, _ document: UploadDocument, _ settings: IngestSettings,
        _ context: any ReactorContext
    ) async throws {
        var document = document
        guard document.lastChange != context.execution else { return context.reply(document.json.removing("files")) }
        document.clear { _ in true }
        document.folder = settings.folders.folder(of: claimed.facts)
        if let problem = claimed.problem {
            context.log(.error, problem)
        } else {
            try await launch(try await jobFiles(settings, context), of: claimed, &document, settings, context)
        }
        await store(&document, settings, context)
    }

    /// The same content was uploaded before, under this name or another: nothing runs, and the copy stays where it is.
    private func noteDuplicate(
        of id: String, _ claimed: ClaimedUpload, _ content: String, _ received: Timestamp,
        _ context: any ReactorContext
    ) async throws {
        var document = try await load(id, context)
        document.note(.init(upload: claimed.name, received: received.iso8601, execution: context.execution))
        if document.removal != nil {
            document.restore(under: context.execution, as: claimed.name)
            // A repeat of this message finds its content under its own key, and must not run the jobs.
            document.lastChange = context.execution
            let identity = UploadIdentity.Known(upload: id, execution: context.execution)
            context.put(UploadIdentity.contentKind, content, identity.json)
            context.log(.info, "the files of upload \(id) are back")
        }
        context.put(UploadDocument.kind, id, document.json)
        context.log(.info, "\(claimed.name) holds what upload \(id) holds (SHA-256 \(content)): nothing is run again")
        context.reply([
            "upload": .string(claimed.name), "duplicate_of": .string(id), "sha256": .string(content),
            "state": .string(document.state.rawValue),
        ])
    }

    private func rerun(
        _ upload: String, _ file: String?, onlyFailed: Bool, _ settings: IngestSettings,
        _ context: any ReactorContext
    ) async throws {
        var document = try await load(upload, context)
        guard document.lastChange != context.execution else { return context.reply(document.json.removing("files")) }
        if let reason = document.whyGone { throw ReactorFailure(.refused, "/upload: \(reason)") }
        let claimed = try await held(document, context)
        let failed = document.failedFiles
        func isMeant(_ path: String) -> Bool { file.map { $0 == path } ?? (!onlyFailed || failed.contains(path)) }
        let all = try await jobFiles(settings, context)
        let files = all.filter { isMeant($0.id) }
        if let file, files.isEmpty { throw Self.unknown(file, all) }
        if onlyFailed, files.isEmpty {
            throw ReactorFailure(.refused, "/failed: no job of upload \(upload) has failed")
        }
        document.clear(isMeant)
        document.run += 1
        document.finished = nil
        document.folder = settings.folders.folder(of: claimed.facts)
        try await launch(files, of: claimed, &document, settings, context)
        await store(&document, settings, context)
    }

    /// What lies on this machine already is copied into the inbox, and goes the way of every upload from there.
    private func bring(
        _ name: String, _ path: String, _ force: Bool, isListed: Bool, _ settings: IngestSettings,
        _ context: any ReactorContext
    ) async throws {
        let (files, key) = (tools.files, context.execution.rawValue)
        do {
            _ = try await context.step("bring") {
                try await files.bring(path, as: name, allowed: settings.allowedPaths, force: force, key: key)
                return true
            }
        } catch let error as ActorError
            where [.notFound, .invalidInput, .conflict, .forbidden, .tooLarge].contains(error.code)
        {
            if isListed, error.code == .notFound || error.code == .conflict {
                throw ReactorFailure(.transient, "/path: \(error.message)")
            }
            throw ReactorFailure(.refused, "/path: \(error.message)")
        }
        context.log(.info, "\(path) is in the inbox as \(name)")
        context.reply(["upload": .string(name), "state": "settling"])
    }

    /// What lies at an address is streamed into the inbox. What the address answers today it may answer otherwise
    /// tomorrow: only what is wrong with the message itself is no reason to try again.
    private func fetch(
        _ upload: RemoteUpload, _ settings: IngestSettings, _ context: any ReactorContext
    ) async throws {
        let (fetcher, key) = (tools.fetcher, context.execution.rawValue)
        do {
            _ = try await context.step("fetch") {
                try await fetcher.fetch(upload, allowed: settings.allowedHosts, key: key)
                return true
            }
        } catch let error as ActorError
            where [.invalidInput, .conflict, .forbidden, .tooLarge].contains(error.code)
        {
            throw ReactorFailure(.refused, "/url: \(error.message)")
        }
        context.log(.info, "\(upload.name) was fetched into the inbox")
        context.reply(["upload": .string(upload.name), "state": "settling"])
    }

    /// A repeat with the same key, after a crash or for a rerun, answers what the first one took.
    private func claim(
        _ name: String, key: ExecutionID, _ context: any ReactorContext
    ) async throws -> ClaimedUpload {
        let files = tools.files
        return try await claimed(name, context) { try await files.claim(name, key: key.rawValue) }
    }

    /// The files of an upload that was taken in: never what lies in the inbox, whatever that is called.
    private func held(_ document: UploadDocument, _ context: any ReactorContext) async throws -> ClaimedUpload {
        let (files, place, key) = (tools.files, document.place, document.execution.rawValue)
        return try await claimed(document.id, context) { try await files.held(place, key: key) }
            .called(document.upload)
    }

    private func claimed(
        _ name: String, _ context: any ReactorContext, _ take: @Sendable @escaping () async throws -> ClaimedUpload
    ) async throws -> ClaimedUpload {
        let value: JSONValue
        do {
            value = try await context.step("claim") {
                let claimed = try await take()
                return [
                    "name": .string(claimed.name), "number": JSONValue(claimed.number),
                    "folder": .string(claimed.folder), "files": .array(claimed.files.map(\.json)),
                    "metadata": claimed.metadata ?? .null, "problem": JSONValue(claimed.problem),
                    "notes": .array(claimed.notes.map { .string($0) }),
                ]
            }
        } catch let error as ActorError
            where [.notFound, .invalidInput, .conflict, .tooLarge].contains(error.code)
        {
            throw ReactorFailure(.refused, "upload \(name): \(error)")
        }
        let metadata = value["metadata"] ?? .null
        return ClaimedUpload(
            name: value["name"]?.string ?? name, number: value["number"]?.int ?? 1,
            folder: value["folder"]?.string ?? "",
            files: (value["files"]?.array ?? []).compactMap(LabFile.init(json:)),
            metadata: metadata.isNull ? nil : metadata, problem: value["problem"]?.string,
            notes: (value["notes"]?.array ?? []).compactMap(\.string))
    }

    func load(_ id: String, _ context: any ReactorContext) async throws -> UploadDocument {
        guard let stored = try await context.document(UploadDocument.kind, id),
            let document = UploadDocument(json: stored.body)
        else { throw ReactorFailure(.refused, "there is no upload \(id)") }
        return document
    }

    private func store(
        _ document: inout UploadDocument, _ settings: IngestSettings, _ context: any ReactorContext
    ) async {
        if document.settle(now: context.now()) { await tell(document, settings, context) }
        document.lastChange = context.execution
        context.put(UploadDocument.kind, document.id, document.json)
        context.reply(document.json.removing("files"))
        context.log(
            .info,
            """
            Upload \(document.id): \(document.jobs.count) jobs, \(document.waiting.count) wait for others, \
            \(document.skipped.count) job files skipped, \(document.invalid.count) problems in job files
            """)
    }
}

extension ClaimedUpload {
    /// The same under the name of its record: files that came back may lie under another.
    func called(_ name: String) -> ClaimedUpload {
        ClaimedUpload(
            name: name, number: number, folder: folder, files: files, metadata: metadata, problem: problem,
            notes: notes)
    }

    /// What conditions may ask of it.
    var facts: UploadFacts {
        UploadFacts(
            name: name, files: files.map(\.path), bytes: files.reduce(0) { $0 + $1.bytes },
            metadata: metadata ?? .null)
    }
}
