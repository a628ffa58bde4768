import ActorCore

/// From job files to jobs, and what becomes of them.
extension IngestReactor {
    /// One bad job file never keeps the others from running.
    func launch(
        _ files: [JobFile], of claimed: ClaimedUpload, _ document: inout UploadDocument, _ settings: IngestSettings,
        _ context: any ReactorContext
    ) async throws {
        let facts = claimed.facts
        var ready: [UploadDocument.Waiting] = []
        for file in files {
            switch examine(file, facts, claimed.files, settings) {
            case .skip(let reason): document.skipped.append(.init(file: file.id, reason: reason))
            case .refuse(let problems):
                for problem in problems {
                    context.log(.warning, "\(file.id):\(problem.line ?? 0): \(problem.reason)")
                    document.invalid.append(problem)
                }
            case .run(let manifest, let after, _):
                ready.append(
                    .init(
                        file: file.id, name: manifest.name, after: after, spec: manifest.spec,
                        sha256: Fingerprint.sha256(file.text), commit: file.commit))
            }
        }
        for (file, ring) in JobFileOrder.rings(Dictionary(ready.map { ($0.file, $0.after) }) { first, _ in first }) {
            ready.removeAll { $0.file == file }
            let reason = "it waits for itself: \((ring + [ring[0]]).joined(separator: " → "))"
            document.invalid.append(.init(file: file, line: nil, reason: reason))
        }
        document.invalid.sort { ($0.file, $0.line ?? 0) < ($1.file, $1.line ?? 0) }
        document.waiting += ready
        try await startReleased(&document, claimed.folder, context)
    }

    /// A job file that is not there; names those that are, the ones that were probably meant first.
    static func unknown(_ file: String, _ files: [JobFile]) -> ReactorFailure {
        func base(_ path: String) -> Substring { path.split(separator: "/").last?.split(separator: ".").first ?? "" }
        let alike = files.filter { base($0.id) == base(file) }
        let others = files.filter { base($0.id) != base(file) }
        let names = (alike + others).map(\.id)
        let more = names.count > 20 ? " and \(names.count - 20) more" : ""
        let list = names.isEmpty ? "there are none" : "there is \(names.prefix(20).joined(separator: ", "))\(more)"
        return ReactorFailure(.refused, "/file: there is no job file \(file); \(list)")
    }

    /// Starts what waits for nothing any more.
    private func startReleased(
        _ document: inout UploadDocument, _ folder: String, _ context: any ReactorContext
    ) async throws {
        for item in document.release() {
            document.jobs.append(try await start(item, of: document, folder, context))
        }
        document.jobs.sort { $0.file < $1.file }
    }

    enum Verdict {
        case run(JobManifest, after: [String], UploadCondition?)
        case skip(String)
        case refuse([UploadDocument.Invalid])
    }

    func examine(
        _ file: JobFile, _ facts: UploadFacts, _ contents: [LabFile]?, _ settings: IngestSettings
    ) -> Verdict {
        if let reason = settings.folders.obstacle(file: file.path, facts) { return .skip(reason) }
        let verdict = read(file, facts.name, settings)
        guard case .run(let manifest, _, let condition) = verdict else { return verdict }
        if let contents, let reason = JobSelection.obstacle(globs: manifest.appliesTo, files: contents) {
            return .skip(reason)
        }
        if let condition, !condition.isTrue(of: facts) {
            return .skip("its condition \(JobAnnotations.appliesIf) is not true of this upload")
        }
        return verdict
    }

    /// A job file as it is for an upload of this name, whether it applies or not.
    func read(_ file: JobFile, _ name: String, _ settings: IngestSettings) -> Verdict {
        let rendered = settings.template.render(file.text, uuid: name)
        let parsed: ParsedDocument
        do {
            parsed = try tools.documents.read(yaml: rendered, file: file.path)
        } catch {
            let line = error.details.first.flatMap { $0.place.split(separator: ":").last.flatMap { Int($0) } }
            return .refuse([.init(file: file.id, line: line, reason: error.description)])
        }
        let base = file.path.split(separator: "/").last.map(String.init) ?? file.path
        let fallback = base.split(separator: ".").first.map(String.init) ?? base
        let annotations = JobAnnotations(parsed, path: file.path)
        do {
            let manifest = try JobManifest.decode(
                parsed, fallbackName: "\(fallback)-\(name)", rules: tools.engines.rules)
            guard annotations.problems.isEmpty else { throw JobManifest.Invalid(problems: annotations.problems) }
            // Of its own set, unless another one is named.
            let after = annotations.dependencies.map { path in
                file.set.map { path.contains(":") ? path : "\($0):\(path)" } ?? path
            }
            return .run(manifest, after: after, annotations.condition)
        } catch {
            let problems = (error as? JobManifest.Invalid)?.problems ?? []
            return .refuse(
                (problems + annotations.problems.filter { !problems.contains($0) }).map { problem in
                    let place = problem.place.isEmpty ? "" : "\(problem.place): "
                    return .init(file: file.id, line: problem.line, reason: place + problem.reason)
                })
        }
    }

    private func start(
        _ item: UploadDocument.Waiting, of document: UploadDocument, _ folder: String,
        _ context: any ReactorContext
    ) async throws -> UploadDocument.Job {
        var data: JSONValue = [
            "upload": .string(document.upload), "number": JSONValue(document.number), "file": .string(item.file),
            "name": .string(item.name),
        ]
        if document.run > 1 { data = data.setting("run", JSONValue(document.run)) }
        if let commit = item.commit { data = data.setting("commit", .string(commit)) }
        let launch = JobLaunch(
            spec: item.spec, name: try await jobName(item.name, context), file: item.file, sha256: item.sha256,
            commit: item.commit, pipelineName: "ingest:\(item.file)",
            upload: .init(name: document.upload, folder: folder, number: document.number), data: data,
            notify: context.actor)
        let (record, message) = try await launch.start(context)
        return UploadDocument.Job(
            file: item.file, name: item.name, jobName: message.name, uuid: record.uuid,
            status: record.status.rawValue, run: document.run, commit: item.commit)
    }

    /// The name that engines are given; one that was made from another text before is told apart by a hash.
    private func jobName(_ name: String, _ context: any ReactorContext) async throws -> String {
        let safe = JobName.safe(name)
        let taken = try await context.document(JobName.kind, safe)?.body["name"]?.string
        guard let taken else {
            context.put(JobName.kind, safe, ["name": .string(name)])
            return safe
        }
        return taken == name ? safe : JobName.distinct(name)
    }

    // MARK: News of a job

    /// The catalogue is asked how the job stands: the message only says that it moved.
    ///
    /// - Parameter id: of the upload of a job that was taken out of the catalogue.
    func note(
        _ job: JobID, of id: String?, _ settings: IngestSettings, _ context: any ReactorContext
    ) async throws {
        let record = try await context.job(job)
        var owner = id
        if let record {
            owner = record.data["upload"]?.string.map { UploadDocument.id($0, record.data["number"]?.int ?? 1) }
        }
        let gone = record == nil ? try await context.deletedJob(job) : nil
        guard let owner, record != nil || gone != nil else {
            throw ReactorFailure(.refused, "\(job) is no job of an upload")
        }
        var document = try await load(owner, context)
        let wasOver = document.finished != nil
        let isOurs =
            if let gone {
                document.lose(gone, now: context.now())
            } else {
                document.update(job, status: record?.status ?? .failed, now: context.now())
            }
        guard isOurs else {
            context.log(.debug, "Job \(job) belongs to an earlier run of upload \(document.id)")
            return
        }
        if let record, record.status == .finished { try await derive(record, document, context) }
        if !document.waiting.isEmpty {
            let files = tools.files
            let (place, key) = (document.place, document.execution.rawValue)
            let folder = try await context.step("folder") { .string(try await files.held(place, key: key).folder) }
            try await startReleased(&document, folder.string ?? "", context)
        }
        document.settle(now: context.now())
        if document.finished != nil, !wasOver { await tell(document, settings, context) }
        context.put(UploadDocument.kind, document.id, document.json)
        let status = record?.status.rawValue ?? "not in the catalogue any more"
        context.log(.info, "Upload \(document.id) is \(document.state.rawValue): job \(job) is \(status)")
    }

    /// Shows the job's results beside the upload's own files; that they cannot be shown there harms nothing else.
    private func derive(
        _ record: JobRecord, _ document: UploadDocument, _ context: any ReactorContext
    ) async throws {
        guard let job = document.jobs.first(where: { $0.uuid == record.uuid }) else { return }
        let path = document.derivedPath(of: job.file)
        let (files, archive) = (tools.files, record.path)
        let (name, key) = (document.place, document.execution.rawValue)
        do {
            _ = try await context.step("derive") {
                try await files.derive(archive, of: name, key: key, as: path)
                return true
            }
        } catch let error as ActorError where error.code != .cancelled {
            context.log(.warning, "the results of \(job.file) are not shown as derived/\(path): \(error.message)")
        }
    }
}

extension UploadDocument {
    /// `lab:ephys/beats.yaml` is `lab/ephys/beats`; with its ending where that is the folder of another one's results.
    package func derivedPath(of file: String) -> String {
        func path(_ file: String) -> String {
            file.split { $0 == "/" || $0 == ":" }.map { part in
                let name = String(part.map { NameRules.isUploadName("a\($0)a") ? $0 : "_" })
                return NameRules.isUploadName(name) ? name : "_\(name)"
            }.joined(separator: "/")
        }
        let whole = path(file)
        guard whole.hasSuffix(".yaml") else { return whole }
        let stem = String(whole.dropLast(5))
        return jobs.contains { path($0.file).hasPrefix("\(stem)/") } ? whole : stem
    }
}
