import ActorCore

/// Questions: what would be done, without doing it.
extension IngestReactor {
    func answer(
        _ question: IngestQuestion, _ settings: IngestSettings, _ context: any ReactorContext
    ) async throws -> JSONValue {
        switch question {
        case .plan(let facts, let tree, let file):
            return try await plan(facts, tree: tree, file: file, settings, context)
        case .backfill(let file, let uploads): return try await backfill(file, uploads, settings, context)
        case .render(let text, let uuid, let mode, let variables):
            var template = settings.template
            if let mode { template.mode = mode }
            template.variables.merge(variables) { _, given in given }
            let rendered = template.render(Array(text.utf8), uuid: uuid)
            return ["text": .string(String(decoding: rendered, as: UTF8.self))]
        case .names(let keys): return ["names": .array(UploadIdentity.names(ofKeys: keys).map { .string($0) })]
        case .chain(let csv, let updates, let asOriginal): return try chain(csv, updates, asOriginal)
        case .listener(let name, let index, let asOriginal):
            return [
                "job_name": .string(ChainFile.jobName(name, index: index, asOriginal: asOriginal)),
                "prefix": JSONValue(UploadIdentity.prefix(of: name)),
            ]
        }
    }

    private func plan(
        _ facts: UploadFacts, tree: [String]?, file: String?, _ settings: IngestSettings,
        _ context: any ReactorContext
    ) async throws -> JSONValue {
        let folder = settings.folders.folder(of: facts)
        var answer: JSONValue = [
            "uuid": .string(facts.name), "modality": JSONValue(folder),
            "problem": JSONValue(settings.folders.problem(of: facts)),
        ]
        guard NameRules.isUploadName(facts.name) else {
            let problem = facts.name.isEmpty ? "it has no name" : "it cannot be an upload's name"
            answer = answer.setting("problem", .string(problem))
            return answer.setting("files", []).setting("skipped", []).setting("invalid", [])
        }
        if let tree {
            let paths = tree.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return answer.setting(
                "files",
                .array(paths.filter { settings.folders.obstacle(file: $0, facts) == nil }.map { .string($0) }))
        }
        var (files, skipped, invalid): ([JSONValue], [JSONValue], [JSONValue]) = ([], [], [])
        let contents = facts.files.isEmpty ? nil : facts.files.map { LabFile(path: $0, bytes: 0, sha256: "") }
        for jobFile in try await jobFiles(settings, context) where file == nil || jobFile.id == file {
            switch examine(jobFile, facts, contents, settings) {
            case .run(let manifest, let after, _):
                files.append([
                    "file": .string(jobFile.id), "commit": JSONValue(jobFile.commit), "name": .string(manifest.name),
                    "job_name": .string(JobName.safe(manifest.name)), "after": .array(after.map { .string($0) }),
                ])
            case .skip(let reason): skipped.append(["file": .string(jobFile.id), "reason": .string(reason)])
            case .refuse(let problems): invalid += problems.map(\.json)
            }
        }
        return answer.setting("files", .array(files)).setting("skipped", .array(skipped))
            .setting("invalid", .array(invalid))
    }

    /// What a run of one job file over uploads that are there would come to.
    private func backfill(
        _ file: String, _ uploads: [String], _ settings: IngestSettings, _ context: any ReactorContext
    ) async throws -> JSONValue {
        guard uploads.count <= 1000 else {
            throw ReactorFailure(.refused, "/uploads: ask for 1000 at a time, not \(uploads.count)")
        }
        let files = try await jobFiles(settings, context)
        guard let jobFile = files.first(where: { $0.id == file }) else { throw Self.unknown(file, files) }
        var answers: [JSONValue] = []
        for id in uploads {
            guard let document = try? await load(id, context) else {
                answers.append(["upload": .string(id), "action": "skip", "reason": "there is no such upload"])
                continue
            }
            if let reason = document.whyGone {
                answers.append(["upload": .string(id), "action": "skip", "reason": .string(reason)])
                continue
            }
            let (action, reason) = backfill(jobFile, document, settings)
            answers.append(["upload": .string(id), "action": .string(action), "reason": JSONValue(reason)])
        }
        return ["file": .string(file), "uploads": .array(answers)]
    }

    private func backfill(
        _ file: JobFile, _ document: UploadDocument, _ settings: IngestSettings
    ) -> (action: String, reason: String?) {
        let contents = (document.files.array ?? []).compactMap(LabFile.init(json:))
        let facts = UploadFacts(
            name: document.upload, files: contents.map(\.path), bytes: document.bytes,
            metadata: document.metadata ?? .null)
        switch examine(file, facts, contents, settings) {
        case .skip(let reason): return ("skip", reason)
        case .refuse(let problems): return ("refuse", problems.first?.reason)
        case .run:
            switch document.standing(of: file.id) {
            case .succeeded: return ("skip", "its job has ended well before")
            case .underWay: return ("skip", "its job is under way")
            case .stopped:
                let last = document.jobs.first { $0.file == file.id }
                return ("run", last.map { "its job is \($0.status)" } ?? "it has not run for this upload")
            }
        }
    }

    private func chain(
        _ csv: String, _ updates: [[(word: String, rows: [Int])]], _ asOriginal: Bool
    ) throws(ReactorFailure) -> JSONValue {
        var table: ChainFile
        do {
            table = try ChainFile(csv: csv)
        } catch {
            throw ReactorFailure(.refused, "/csv: \(error)")
        }
        var steps: [JSONValue] = []
        for update in updates {
            let launched = table.apply(update, asOriginal: asOriginal)
            let statuses = table.rows.map { JSONValue.Member(String($0.index), .string($0.status)) }
            steps.append([
                "launched": .array(launched.map { JSONValue($0) }), "status_after": .object(statuses),
            ])
        }
        return ["steps": .array(steps), "rows": JSONValue(table.rows.count)]
    }
}
