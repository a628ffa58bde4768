import ActorCore

/// Effects in the model: all of them are checked before the first is applied.
extension MemoryModel {
    func check(_ effects: Effects) throws(ActorError) {
        var revisions: [JobID: Int] = [:]
        for job in jobs { revisions[job.uuid] = job.revision }
        for change in effects.jobs {
            switch change {
            case .registerPipeline: break
            case .writePipeline(let pipeline, let revision):
                guard pipelines.first(where: { $0.uuid == pipeline.uuid })?.revision == revision else {
                    throw ActorError(.conflict, "pipeline \(pipeline.uuid) was changed meanwhile")
                }
            case .create(let job, _):
                guard revisions[job.uuid] == nil else {
                    throw ActorError(.conflict, "job \(job.uuid) exists already")
                }
                revisions[job.uuid] = job.revision
            case .move(let id, let revision, _, let event, _):
                guard revisions[id] == revision else {
                    throw ActorError(
                        .conflict,
                        "job \(id) is no longer at revision \(revision), on which \(event.rawValue) was decided")
                }
                revisions[id] = revision + 1
            case .refuse(let id, let entry):
                guard revisions[id] != nil else {
                    throw ActorError(.conflict, "there is no job \(id) that could refuse \(entry.name)")
                }
            case .link(let id, _), .saw(let id, _), .files(let id, _, _):
                guard revisions[id] != nil else { throw ActorError(.conflict, "there is no job \(id)") }
            case .dropFiles, .catalogue, .stall: break
            case .rekey(let id, _):
                guard revisions[id] != nil else { throw ActorError(.conflict, "there is no job \(id)") }
            case .delete(let job, let revision):
                guard revisions[job.uuid] == revision else {
                    throw ActorError(.conflict, "job \(job.uuid) is not at revision \(revision)")
                }
                revisions[job.uuid] = nil
            }
        }
        try check(mail: effects.mail)
    }

    private func check(mail: [NewMessage]) throws(ActorError) {
        var seen: [Key: String] = [:]
        var uses: [NonceID: Int] = [:]
        var news: [ActorID: Int] = [:]
        for message in mail {
            if let key = message.idempotency {
                let place = Key(actor: message.actor, key: key.key)
                let earlier = earlierAnswer(to: message, within: internalRules.idempotencyMilliseconds)
                if earlier == .keyReused || seen[place] != nil && seen[place] != key.digest {
                    throw ActorError(
                        .idempotencyMismatch, "a message to \(message.actor) was sent before under the same key")
                }
                if earlier != nil || seen.updateValue(key.digest, forKey: place) != nil { continue }
            }
            news[message.actor, default: 0] += 1
            if mailboxes[message.actor, default: []].count + news[message.actor, default: 0]
                > internalRules.maxMailbox
            {
                throw ActorError(.tooManyRequests, "the mailbox of \(message.actor) is full")
            }
            if let id = message.nonce {
                uses[id, default: 0] += 1
                let left = nonces[id]?.remainingUses ?? 0
                if left >= 0, left < uses[id, default: 0] {
                    throw ActorError(.forbidden, "the nonce of a message to \(message.actor) has no uses left")
                }
            }
        }
    }

    mutating func apply(_ effects: Effects, actor: ActorID, execution: ExecutionID, at now: Timestamp) {
        if let state = effects.state { setState(state, of: actor) }
        for change in effects.jobs { apply(change) }
        for document in effects.documents { store(document) }
        audits += effects.audits
        for call in effects.calls { add(call, execution: execution, at: now) }
        for message in effects.mail { _ = append(message, rules: internalRules) }
    }

    mutating func store(_ results: [StepResult], of execution: ExecutionID) {
        for result in results {
            var list = steps[execution] ?? []
            if let index = list.firstIndex(where: { $0.name == result.name }) {
                list[index] = result
            } else {
                list.append(result)
            }
            steps[execution] = list
        }
    }

    private mutating func store(_ document: Document) {
        if document.body.isNull { return documents.removeAll { $0.kind == document.kind && $0.id == document.id } }
        if let index = documents.firstIndex(where: { $0.kind == document.kind && $0.id == document.id }) {
            documents[index].body = document.body
            documents[index].updated = document.updated
        } else {
            documents.append(document)
        }
        note(.documentChanged(kind: document.kind, id: document.id))
    }

    private mutating func apply(_ change: JobChange) {
        switch change {
        case .registerPipeline(let pipeline):
            if !pipelines.contains(where: { $0.uuid == pipeline.uuid }) { pipelines.append(pipeline) }
        case .create(let job, let entry):
            jobs.append(job)
            histories[job.uuid] = [entry]
            catalogue.store(job.links, of: job.uuid)
            note(.jobMoved(job.uuid, pipeline: job.pipeline, status: job.status, event: job.lastEvent))
        case .move(let id, _, let status, let event, let entry):
            guard let index = jobs.firstIndex(where: { $0.uuid == id }) else { return }
            jobs[index].move(to: status, by: event, at: entry.date)
            catalogue.moved(id, to: status)
            histories[id, default: []].append(entry)
            note(.jobMoved(id, pipeline: jobs[index].pipeline, status: status, event: event))
        case .refuse(let id, let entry):
            histories[id, default: []].append(entry)
            note(.jobRefused(id, event: entry.name))
        case .link(let id, let links): catalogue.store(links, of: id)
        case .saw(let id, let status): catalogue.note(status: status, of: id)
        case .files(let id, let files, let run): catalogue.store(files, of: id, run: run)
        case .dropFiles(let id, let run): catalogue.dropFiles(of: id, before: run)
        case .catalogue(let file): catalogue.store(file)
        case .stall(let stall, let revision):
            guard let job = jobs.first(where: { $0.uuid == stall.job }), job.revision == revision,
                catalogue.flag(stall)
            else { return }
            note(.jobStalled(stall.job, pipeline: job.pipeline, since: stall.since))
        case .writePipeline(let pipeline, _):
            pipelines.removeAll { $0.uuid == pipeline.uuid }
            pipelines.append(pipeline)
        case .rekey(let id, let key):
            for index in jobs.indices where jobs[index].uuid == id { jobs[index].key = key }
        case .delete(let job, _):
            jobs.removeAll { $0.uuid == job.uuid }
            histories[job.uuid] = nil
            deletedJobs.append(job)
            catalogue.deleted(job.uuid)
            note(.jobDeleted(job.uuid, action: job.action))
        }
    }
}
