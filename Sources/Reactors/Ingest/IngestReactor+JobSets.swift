import ActorCore

/// Where job files come from: the actor's own folder, other folders, and branches of git repositories.
extension IngestReactor {
    /// Stands for the upload's name when a job file is only looked at.
    package static let sampleUpload = "2020-01-01-e-sample"

    /// All job files there are now, those of the actor's own folder first. A set that cannot be reached keeps what was
    /// known of it, and never keeps the others from running.
    func jobFiles(_ settings: IngestSettings, _ context: any ReactorContext) async throws -> [JobFile] {
        var files = try await tools.files.jobFiles(in: context.folder)
        for set in settings.jobSets {
            var document = try await document(of: set, context)
            if !document.isFresh(now: context.now(), milliseconds: Milliseconds.of(seconds: set.refreshSeconds)) {
                document = await refresh(set, document, settings, context)
            }
            do {
                files += try await content(of: set, document)
            } catch {
                context.log(.warning, "job set \(set.name): \(error)")
            }
        }
        return files
    }

    /// Looks at the sets again: all of them, or one. Answers how each of them stands.
    func refresh(
        _ name: String?, _ settings: IngestSettings, _ context: any ReactorContext
    ) async throws -> JSONValue {
        var answers: [JSONValue] = []
        let own = IngestSettings.JobSet(name: "jobs", source: .folder("\(context.folder)/jobs"), refreshSeconds: 0)
        for set in [own] + settings.jobSets where name == nil || set.name == name {
            answers.append(await refresh(set, try await document(of: set, context), settings, context).json)
        }
        if let name, answers.isEmpty { throw ReactorFailure(.refused, "/set: there is no job set \(name)") }
        return ["job_sets": .array(answers)]
    }

    private func document(
        of set: IngestSettings.JobSet, _ context: any ReactorContext
    ) async throws -> JobSetDocument {
        let known = try await context.document(JobSetDocument.kind, set.name).flatMap { JobSetDocument(json: $0.body) }
        guard let known, known.isOf(set) else { return JobSetDocument(set) }
        return known
    }

    private func refresh(
        _ set: IngestSettings.JobSet, _ document: JobSetDocument, _ settings: IngestSettings,
        _ context: any ReactorContext
    ) async -> JobSetDocument {
        var document = document
        let now = context.now().iso8601
        do {
            if case .repository(let repository) = set.source {
                let commit = try await tools.repositories.fetch(repository)
                if commit != document.commit { context.log(.info, "job set \(set.name) is at commit \(commit)") }
                document.commit = commit
            }
            let files = try await content(of: set, document)
            let fingerprint = Fingerprint.sha256(files.flatMap { Array($0.path.utf8) + [0] + $0.text + [0] })
            if fingerprints[set.name] != fingerprint {
                fingerprints[set.name] = fingerprint
                document.invalid = problems(of: files, settings)
                document.files = files.count
                document.changed = now
                for problem in document.invalid {
                    context.log(.warning, "\(problem.file):\(problem.line ?? 0): \(problem.reason)")
                }
            }
            document.error = nil
        } catch {
            document.error = error.message
            context.log(.warning, "job set \(set.name): \(error)")
        }
        document.checked = now
        context.put(JobSetDocument.kind, set.name, document.json)
        return document
    }

    private func content(
        of set: IngestSettings.JobSet, _ document: JobSetDocument
    ) async throws(ActorError) -> [JobFile] {
        switch set.source {
        case .folder(let folder): return try await tools.files.jobFiles(below: folder).map { $0.of(set.name, nil) }
        case .repository(let repository):
            guard let commit = document.commit else { return [] }
            if let known = checkedOut[repository], known.commit == commit { return known.files }
            let files = try await tools.repositories.files(repository, at: commit).map { $0.of(set.name, commit) }
            checkedOut[repository] = (commit, files)
            return files
        }
    }

    /// What is wrong with job files, whatever upload they are for.
    private func problems(of files: [JobFile], _ settings: IngestSettings) -> [UploadDocument.Invalid] {
        let there = Set(files.map(\.id))
        var problems: [UploadDocument.Invalid] = []
        for file in files {
            switch read(file, Self.sampleUpload, settings) {
            case .refuse(let found): problems += found
            case .skip: continue
            case .run(_, let after, _):
                for missing in after where !there.contains(missing) {
                    problems.append(
                        .init(file: file.id, line: nil, reason: "it depends on \(missing), which is not there"))
                }
            }
        }
        return problems
    }
}
