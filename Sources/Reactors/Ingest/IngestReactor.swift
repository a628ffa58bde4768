package import ActorCore

/// Takes an upload out of the inbox, finds the job files that apply to it, and has a job run for each.
///
/// It handles one message at a time, so an upload's document has one writer.
package actor IngestReactor: Reactor {
    private let tools: ReactorTools

    package init(tools: ReactorTools) { self.tools = tools }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        switch try IngestMessage.decode(envelope.json) {
        case .upload(let name): try await ingest(name, envelope, context)
        case .job(let job): try await note(job, context)
        case .rerun(let upload, let file): try await rerun(upload, file, context)
        }
    }

    // MARK: An upload

    private func ingest(_ name: String, _ envelope: Envelope, _ context: any ReactorContext) async throws {
        let claimed = try await claim(name, key: context.execution, context)
        var document = UploadDocument(
            claimed, execution: context.execution, received: envelope.message.received)
        // From here on it can be seen, and run again should the rest of this go wrong.
        context.put(UploadDocument.kind, document.id, document.json)
        try await context.commit()
        context.log(.info, "Took upload \(document.id): \(document.fileCount) files, \(document.bytes) bytes")
        try await launch(try await jobFiles(context), of: claimed, &document, context)
        store(document, context)
    }

    private func rerun(_ upload: String, _ file: String?, _ context: any ReactorContext) async throws {
        var document = try await load(upload, context)
        let claimed = try await claim(document.upload, key: document.execution, context)
        let files = try await jobFiles(context).filter { file == nil || $0.path == file }
        if let file, files.isEmpty {
            throw ReactorFailure(.refused, "/file: there is no job file \(file)")
        }
        document.clear(file: file)
        document.run += 1
        document.finished = nil
        try await launch(files, of: claimed, &document, context)
        store(document, context)
    }

    /// A repeat with the same key, after a crash or for a rerun, answers what the first one took.
    private func claim(
        _ name: String, key: ExecutionID, _ context: any ReactorContext
    ) async throws -> ClaimedUpload {
        let files = tools.files
        let value: JSONValue
        do {
            value = try await context.step("claim") {
                let claimed = try await files.claim(name, key: key.rawValue)
                return [
                    "number": JSONValue(claimed.number), "folder": .string(claimed.folder),
                    "files": .array(claimed.files.map(\.json)),
                ]
            }
        } catch let error as ActorError where [.notFound, .invalidInput, .conflict].contains(error.code) {
            throw ReactorFailure(.refused, "upload \(name): \(error)")
        }
        return ClaimedUpload(
            name: name, number: value["number"]?.int ?? 1, folder: value["folder"]?.string ?? "",
            files: (value["files"]?.array ?? []).compactMap(LabFile.init(json:)))
    }

    private func jobFiles(_ context: any ReactorContext) async throws(ActorError) -> [JobFile] {
        try await tools.files.jobFiles(in: context.folder)
    }

    private func store(_ document: UploadDocument, _ context: any ReactorContext) {
        var document = document
        document.settle(now: context.now())
        context.put(UploadDocument.kind, document.id, document.json)
        context.reply(document.json.removing("files"))
        context.log(
            .info,
            """
            Upload \(document.id): \(document.jobs.count) jobs, \(document.skipped.count) job files skipped, \
            \(document.invalid.count) problems in job files
            """)
    }

    // MARK: Its jobs

    /// One bad job file never keeps the others from running.
    private func launch(
        _ files: [JobFile], of claimed: ClaimedUpload, _ document: inout UploadDocument, _ context: any ReactorContext
    ) async throws {
        for file in files {
            switch examine(file, claimed) {
            case .skip(let reason): document.skipped.append(.init(file: file.path, reason: reason))
            case .refuse(let problems):
                for problem in problems {
                    context.log(.warning, "\(file.path):\(problem.line ?? 0): \(problem.reason)")
                    document.invalid.append(problem)
                }
            case .run(let manifest):
                document.jobs.append(try await start(manifest, file, claimed, run: document.run, context))
            }
        }
    }

    private enum Verdict {
        case run(JobManifest)
        case skip(String)
        case refuse([UploadDocument.Invalid])
    }

    private func examine(_ file: JobFile, _ claimed: ClaimedUpload) -> Verdict {
        if let reason = JobSelection.obstacle(file: file.path, uuid: claimed.name) { return .skip(reason) }
        let rendered = JobTemplate.render(file.text, uuid: claimed.name)
        let parsed: ParsedDocument
        do {
            parsed = try tools.documents.read(yaml: rendered, file: file.path)
        } catch {
            let line = error.details.first.flatMap { $0.place.split(separator: ":").last.flatMap { Int($0) } }
            return .refuse([.init(file: file.path, line: line, reason: error.description)])
        }
        let base = file.path.split(separator: "/").last.map(String.init) ?? file.path
        let fallback = base.split(separator: ".").first.map(String.init) ?? base
        do {
            let manifest = try JobManifest.decode(
                parsed, fallbackName: "\(fallback)-\(claimed.name)", rules: tools.engines.rules)
            let obstacle = JobSelection.obstacle(globs: manifest.appliesTo, files: claimed.files)
            return obstacle.map { .skip($0) } ?? .run(manifest)
        } catch {
            return .refuse(
                error.problems.map { problem in
                    let place = problem.place.isEmpty ? "" : "\(problem.place): "
                    return .init(file: file.path, line: problem.line, reason: place + problem.reason)
                })
        }
    }

    private func start(
        _ manifest: JobManifest, _ file: JobFile, _ claimed: ClaimedUpload, run: Int, _ context: any ReactorContext
    ) async throws -> UploadDocument.Job {
        let now = context.now()
        let pipelineName = "ingest:\(file.path)"
        let components: JSONValue = [
            ["file": .string(file.path), "sha256": .string(Fingerprint.sha256(file.text))]
        ]
        let pipeline = JobIdentity.pipeline(id: pipelineName, components: components)
        context.change(
            .registerPipeline(
                PipelineRecord(
                    uuid: pipeline, id: pipelineName, name: pipelineName, generation: .second, components: components,
                    owner: context.owner, created: now)))
        let jobName = JobName.safe(manifest.name)
        var data: JSONValue = [
            "upload": .string(claimed.name), "number": JSONValue(claimed.number), "file": .string(file.path),
            "name": .string(manifest.name),
        ]
        if run > 1 { data = data.setting("run", JSONValue(run)) }
        var draft = JobDraft(
            pipeline: pipeline, generation: .second, data: data, session: jobName, notify: context.actor,
            actor: context.actor, execution: context.execution, owner: context.owner, tenant: context.tenant)
        // Only the job runner gets it, and a run may wait for days.
        draft.tokenMilliseconds = nil
        let record = try await context.jobs.setup(draft)
        let message = JobRunMessage(
            job: record.uuid, path: record.path, callback: try context.jobs.callback(record), name: jobName,
            upload: .init(name: claimed.name, folder: claimed.folder, number: claimed.number), spec: manifest.spec,
            file: file.path)
        try context.send(.alias(message.runner), message.json, key: record.uuid.rawValue)
        context.log(.info, "Job \(record.uuid) for \(file.path)")
        return UploadDocument.Job(
            file: file.path, name: manifest.name, jobName: jobName, uuid: record.uuid,
            status: record.status.rawValue, run: run)
    }

    // MARK: News of a job

    /// The catalogue is asked how the job stands: the message only says that it moved.
    private func note(_ job: JobID, _ context: any ReactorContext) async throws {
        guard let record = try await context.job(job), let upload = record.data["upload"]?.string else {
            throw ReactorFailure(.refused, "\(job) is no job of an upload")
        }
        var document = try await load(UploadDocument.id(upload, record.data["number"]?.int ?? 1), context)
        guard document.update(job, status: record.status, now: context.now()) else {
            context.log(.debug, "Job \(job) belongs to an earlier run of upload \(document.id)")
            return
        }
        context.put(UploadDocument.kind, document.id, document.json)
        let status = record.status.rawValue
        context.log(.info, "Upload \(document.id) is \(document.state.rawValue): job \(job) is \(status)")
    }

    private func load(_ id: String, _ context: any ReactorContext) async throws -> UploadDocument {
        guard let stored = try await context.document(UploadDocument.kind, id),
            let document = UploadDocument(json: stored.body)
        else { throw ReactorFailure(.refused, "there is no upload \(id)") }
        return document
    }
}
