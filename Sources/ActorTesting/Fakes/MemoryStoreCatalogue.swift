package import ActorCore

/// Whatever keeps a ``CatalogueModel`` answers from it.
package protocol ModelledCatalogue: JobCatalogue {
    /// - Parameter body: is given the model, and the jobs in order of creation.
    func reading<Value: Sendable>(_ body: (CatalogueModel, [JobRecord]) -> Value) -> Value
}

extension ModelledCatalogue {
    package func jobFiles(
        of job: JobID, after: String?, limit: Int
    ) async throws(ActorError) -> [JobFileRecord] {
        reading { model, _ in
            let rest = model.jobFiles(of: job).filter { file in
                after.map { $0.utf8.lexicographicallyPrecedes(file.path.utf8) } ?? true
            }
            return Array(rest.prefix(max(0, limit)))
        }
    }

    package func jobFiles(of job: JobID, paths: [String]) async throws(ActorError) -> [JobFileRecord] {
        let wanted = Set(paths)
        return reading { model, _ in model.jobFiles(of: job).filter { wanted.contains($0.path) } }
    }

    package func jobFileTotal(of job: JobID) async throws(ActorError) -> (files: Int, bytes: Int64) {
        let files = reading { model, _ in model.jobFiles(of: job) }
        return (files.count, files.reduce(0) { $0 + $1.bytes })
    }

    package func file(_ uuid: String) async throws(ActorError) -> FileRecord? {
        reading { model, _ in model.files[uuid] }
    }

    package func files(named names: [String]) async throws(ActorError) -> [FileRecord] {
        reading { model, _ in names.compactMap { name in model.files.values.first { $0.name == name } } }
    }

    package func links(of job: JobID) async throws(ActorError) -> [CatalogueLink] {
        reading { model, _ in model.sortedLinks(of: job) }
    }

    package func jobs(
        _ kind: LinkKind, of target: String, limit: Int
    ) async throws(ActorError) -> [JobID] {
        let link = CatalogueLink(kind, target)
        return reading { model, jobs in
            let found = jobs.enumerated().filter { model.links[$0.element.uuid]?.contains(link) == true }
            let sorted = found.sorted { ($0.element.created, $0.offset) < ($1.element.created, $1.offset) }
            return sorted.prefix(max(0, limit)).map(\.element.uuid)
        }
    }

    package func jobs(at path: String, limit: Int) async throws(ActorError) -> [JobID] {
        func bare(_ path: String) -> Substring { path.drop { $0 == "/" } }
        return reading { _, jobs in
            let found = jobs.enumerated().filter { "\(bare($0.element.path))/".hasPrefix("\(bare(path))/") }
            let sorted = found.sorted { ($0.element.created, $0.offset) < ($1.element.created, $1.offset) }
            return sorted.prefix(max(0, limit)).map(\.element.uuid)
        }
    }

    package func statuses(of job: JobID) async throws(ActorError) -> [String] {
        reading { model, _ in model.statuses[job] ?? [] }
    }

    package func watchers(of job: JobID, pipeline: PipelineID) async throws(ActorError) -> [ActorID] {
        reading { model, _ in model.watchers(of: job, pipeline: pipeline) }
    }

    package func stalls(of jobs: [JobID]) async throws(ActorError) -> [JobStall] {
        reading { model, _ in jobs.compactMap { model.stalls[$0] } }
    }

    package func standing(
        since: Timestamp, limit: Int
    ) async throws(ActorError) -> [StallMachine.Standing] {
        reading { model, jobs in model.standing(jobs, since: since, limit: limit) }
    }

    package func counts(_ query: JobQuery) async throws(ActorError) -> JobCounts {
        reading { model, jobs in model.counts(jobs, query) }
    }
}

extension MemoryStore: ModelledCatalogue {
    package func reading<Value: Sendable>(_ body: (CatalogueModel, [JobRecord]) -> Value) -> Value {
        read { body($0.catalogue, $0.jobs) }
    }
}

extension MemoryStore: WatchStore {
    package func create(_ watch: JobWatch) async throws(ActorError) -> JobWatch {
        try change { (model) throws(ActorError) in
            guard model.catalogue.watches.count < JobWatch.maxCount else {
                throw ActorError(.tooManyRequests, "there are as many watches as may be")
            }
            return model.catalogue.add(watch)
        }
    }

    package func watches(
        of target: JobWatch.Target?, limit: Int
    ) async throws(ActorError) -> [JobWatch] {
        read { model in
            let found = model.catalogue.watches.filter { target == nil || $0.target == target }
            return Array(found.reversed().prefix(max(0, limit)))
        }
    }

    package func watch(_ id: WatchID) async throws(ActorError) -> JobWatch? {
        read { $0.catalogue.watches.first { $0.id == id } }
    }

    package func deleteWatch(_ id: WatchID) async throws(ActorError) -> Bool {
        try change { $0.catalogue.deleteWatch(id) }
    }
}
