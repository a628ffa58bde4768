package import ActorCore

/// Removes the files of old uploads: by a plan that rules make, a person's approval, and a row in the audit log for
/// each file, which is on disk before the file goes.
///
/// It handles one message at a time, so a plan has one writer.
package actor RetentionReactor: ConfiguredReactor {
    /// What is in them the rules say themselves.
    package static let settings = ReactorSettings(
        Dictionary(uniqueKeysWithValues: RetentionRules.keys.map { ($0, ReactorSettings.anything) })
            .merging(["ingest": ReactorSettings.text]) { $1 }
    ) { settings in
        do throws(ReactorFailure) {
            _ = try RetentionRules.decode(settings)
            return []
        } catch {
            return [ReactorSettings.detail(of: error)]
        }
    }

    private static let tagsKind = "retention-tags"
    private static let page = 200

    private let holdings: any UploadHoldings
    private let removeObjects: RemoveObjects
    private let lookAtObject: LookAtObject

    package init(tools: ReactorTools) {
        holdings = tools.holdings ?? NoHoldings()
        removeObjects = tools.removeObjects
        lookAtObject = tools.lookAtObject
    }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let who = envelope.message.sender
        switch try RetentionMessage.decode(envelope.json) {
        case .plan: try await plan(by: who, context)
        case .show(let id): context.reply(try await load(id, context).json)
        case .approve(let id):
            guard !envelope.isByNonce else {
                throw ReactorFailure(.refused, "a plan is approved by a person, not by whoever holds a nonce")
            }
            try await approve(id, by: who, context)
        case .apply(let id): try await apply(id, by: who, context)
        case .tag(let upload, let tags): try await tag(upload, tags, by: who, context)
        }
    }

    private func tag(
        _ upload: String, _ tags: [String], by who: String, _ context: any ReactorContext
    ) async throws {
        guard try await context.document(UploadDocument.kind, upload) != nil else {
            throw ReactorFailure(.refused, "/upload: there is no upload \(upload)")
        }
        let words = JSONValue.array(tags.map { .string($0) })
        context.put(Self.tagsKind, upload, tags.isEmpty ? .null : ["tags": words])
        context.audit(
            who: who, "retention.tag", upload, outcome: tags.isEmpty ? "none" : tags.joined(separator: " "))
        context.reply(["upload": .string(upload), "tags": words])
    }

    // MARK: A plan

    private func plan(by who: String, _ context: any ReactorContext) async throws {
        let rules = try RetentionRules.decode(context.settings)
        var items: [RetentionPlan.Item] = []
        var withheld: [RetentionPlan.Withheld] = []
        var after: String?
        repeat {
            let page = try await holdings.holdings(after: after, limit: Self.page)
            for holding in page {
                let owner = try await owner(of: holding, context)
                let id = owner?.id ?? holding.place
                switch try await verdict(on: holding, owner, rules, context) {
                case .due(let action, let rule, let reason):
                    items.append(.init(holding, upload: id, action: action, rule: rule, reason: reason))
                case .withheld(let reason): withheld.append(.init(upload: id, reason: reason))
                case nil: continue
                }
            }
            after = page.count < Self.page ? nil : page.last?.place
        } while after != nil && items.count < RetentionPlan.maxItems
        let plan = RetentionPlan(
            id: "plan-\(context.randomHex(bytes: 6))", items: items, withheld: withheld, by: who,
            days: rules.approvalDays, now: context.now())
        context.put(RetentionPlan.kind, plan.id, plan.json)
        context.audit(
            who: who, "retention.plan", plan.id, outcome: "\(plan.items.count) uploads, \(plan.bytes) bytes proposed")
        context.reply(plan.json)
    }

    private func approve(_ id: String, by who: String, _ context: any ReactorContext) async throws {
        guard !who.hasPrefix("actor:") else {
            throw ReactorFailure(.refused, "a plan is approved by a person, not by an actor")
        }
        var plan = try await load(id, context)
        if let obstacle = plan.obstacleToApproval(now: context.now()) { throw ReactorFailure(.refused, obstacle) }
        plan.approve(by: who, now: context.now())
        context.put(RetentionPlan.kind, id, plan.json)
        context.audit(
            who: who, "retention.approve", id, outcome: "\(plan.items.count) uploads, \(plan.bytes) bytes approved")
        context.reply(plan.json)
    }

    private func apply(_ id: String, by who: String, _ context: any ReactorContext) async throws {
        var plan = try await load(id, context)
        if let obstacle = plan.obstacle(now: context.now()) { throw ReactorFailure(.refused, obstacle) }
        let rules = try RetentionRules.decode(context.settings)
        // What was begun before a crash was looked at long ago.
        let begun = Set(plan.removing)
        var stuck: [Int] = []
        while plan.state == .approved {
            let open = plan.removing.filter { !stuck.contains($0) }
            if open.isEmpty {
                guard !plan.next.isEmpty else { break }
                plan = try await announced(plan, rules, by: who, context)
                context.put(RetentionPlan.kind, id, plan.json)
                // The rows of the audit log are on disk before anything goes.
                try await context.commit()
                continue
            }
            for index in open {
                // One that cannot go keeps no other from going.
                plan = try await removed(index, of: plan, isBegun: begun.contains(index), by: who, context)
                if plan.items[index].progress == .removing { stuck.append(index) }
            }
            context.put(RetentionPlan.kind, id, plan.json)
            try await context.commit()
        }
        context.reply(plan.json)
        guard let first = stuck.first else { return }
        let item = plan.items[first]
        throw ReactorFailure(
            .transient,
            "the files of \(stuck.count) uploads could not be removed; all others are done. \(item.upload): "
                + "\(item.note ?? "")")
    }

    /// The plan with the next uploads about to go, or kept because something has changed since.
    private func announced(
        _ old: RetentionPlan, _ rules: RetentionRules, by who: String, _ context: any ReactorContext
    ) async throws -> RetentionPlan {
        var plan = old
        for index in plan.next {
            let item = plan.items[index]
            let holding = try await holdings.holding(item.name, item.number)
            var verdict: RetentionRules.Verdict?
            if let holding {
                verdict = try await self.verdict(on: holding, try await owner(of: holding, context), rules, context)
            }
            var reason = plan.change(of: index, holding: holding, verdict: verdict)
            if reason == nil, item.action == .archive, let holding { reason = try await reasonToKeep(holding) }
            if let reason {
                plan.settle(index, .kept, note: reason, now: context.now())
                audit(item, by: who, "kept: \(reason)", context)
                continue
            }
            let why = "plan \(plan.id), approved by \(plan.approvedBy ?? "nobody"), rule \(item.rule)"
            for (target, file) in Self.objects(of: item, holding) {
                context.audit(
                    who: who, "retention.\(item.action.rawValue)", target,
                    outcome: "goes: \(file.bytes) bytes, SHA-256 \(file.sha256), \(why)")
            }
            plan.begin(index)
        }
        return plan
    }

    /// What goes, and how the audit log calls it.
    private static func objects(of item: RetentionPlan.Item, _ holding: Holding?) -> [(String, LabFile)] {
        guard let holding else { return [] }
        let files = holding.here.map { ("\(item.name)/\(item.number)/\($0.path)", $0) }
        guard item.action == .delete, let copy = holding.copy else { return files }
        return files + copy.own.map { ("s3://\(copy.bucket)/\($0.path)", $0) }
    }

    /// Why the copy of an upload is not what its files could be given up for; nil when all of it is there.
    private func lossOfCopy(_ holding: Holding) async throws(ActorError) -> String? {
        guard let copy = holding.copy else { return "it has no whole copy in an object store" }
        for object in copy.objects {
            let there = try await lookAtObject(ObjectName(bucket: copy.bucket, key: object.path))
            if let mismatch = copy.mismatch(of: object, there) { return mismatch }
        }
        return nil
    }

    /// Why the files of an upload have to stay, as its copy is now; nil when they may go.
    private func reasonToKeep(_ holding: Holding) async throws(ActorError) -> String? {
        do throws(ActorError) {
            guard let loss = try await lossOfCopy(holding) else { return nil }
            return try await keep(holding, loss)
        } catch {
            guard error.code != .cancelled else { throw error }
            return "its copy cannot be looked at: \(error.message)"
        }
    }

    /// Its files stay, and are copied again.
    private func keep(_ holding: Holding, _ loss: String) async throws(ActorError) -> String {
        try await holdings.forgetCopy(of: holding.name, holding.number, key: holding.key)
        return "its copy is not whole: \(loss); its files stay, and are copied again"
    }

    private func removed(
        _ index: Int, of old: RetentionPlan, isBegun: Bool, by who: String, _ context: any ReactorContext
    ) async throws -> RetentionPlan {
        var plan = old
        let item = plan.items[index]
        let conflict: String?
        do throws(ActorError) {
            conflict = try await remove(item, isBegun: isBegun)
        } catch {
            guard error.code != .cancelled else { throw error }
            if item.note != error.message { audit(item, by: who, "not removed yet: \(error.message)", context) }
            context.log(.error, "upload \(item.upload): \(error.message)")
            plan.hold(index, note: error.message)
            return plan
        }
        if let conflict {
            plan.settle(index, .kept, note: conflict, now: context.now())
            audit(item, by: who, "kept: \(conflict)", context)
            return plan
        }
        plan.settle(index, .done, now: context.now())
        let gone = "\(item.files) files and \(item.objects) objects of the copy removed by \(plan.id)"
        audit(item, by: who, gone, context)
        let ingest = context.settings["ingest"]?.string ?? "ingest"
        if context.actor(named: ingest) != nil {
            let news: JSONValue = [
                "kind": "removed", "upload": .string(item.upload), "key": .string(item.key),
                "action": .string(item.action.rawValue), "plan": .string(plan.id),
            ]
            try context.send(.alias(ingest), news, key: "\(plan.id):\(index)")
        }
        return plan
    }

    /// Why the files were kept after all; nil when they are gone.
    private func remove(_ item: RetentionPlan.Item, isBegun: Bool) async throws(ActorError) -> String? {
        do throws(ActorError) {
            let holding = try await holdings.holding(item.name, item.number)
            if let holding, holding.key == item.key, item.action == .delete, let copy = holding.copy {
                // The copy first: as long as its objects are known they can be gone on with.
                try await removeObjects(copy.own.map(\.path), copy.bucket)
            }
            if let holding, holding.key == item.key, item.action == .archive, isBegun,
                let loss = try await lossOfCopy(holding)
            {
                // What has begun to go cannot be copied again: somebody has to look.
                guard !holding.isArchived else {
                    throw ActorError(.unavailable, "some of its files are gone, and its copy is not whole: \(loss)")
                }
                return try await keep(holding, loss)
            }
            try await holdings.removeFiles(
                of: item.name, item.number, key: item.key, keepingCopy: item.action == .archive)
            return nil
        } catch {
            guard error.code == .conflict else { throw error }
            return error.message
        }
    }

    private func audit(_ item: RetentionPlan.Item, by who: String, _ outcome: String, _ context: any ReactorContext) {
        context.audit(who: who, "retention.\(item.action.rawValue)", item.upload, outcome: outcome)
    }

    // MARK: What is known of an upload

    /// The upload that these files belong to, or whose content they have a second time.
    private func owner(of holding: Holding, _ context: any ReactorContext) async throws -> UploadDocument? {
        let names = try await context.document(UploadIdentity.nameKind, holding.name)
        for version in 1...max(1, names?.body["versions"]?.int ?? 1) {
            let id = UploadDocument.id(holding.name, version)
            let body = try await context.document(UploadDocument.kind, id)?.body
            if let document = body.flatMap(UploadDocument.init(json:)), document.execution.rawValue == holding.key {
                return document
            }
        }
        let content = UploadIdentity.content(files: holding.files, name: holding.name)
        let known = try await context.document(UploadIdentity.contentKind, content)?.body
        guard let known = known.flatMap(UploadIdentity.Known.init(json:)),
            let body = try await context.document(UploadDocument.kind, known.upload)?.body
        else { return nil }
        return UploadDocument(json: body)
    }

    private func verdict(
        on holding: Holding, _ owner: UploadDocument?, _ rules: RetentionRules, _ context: any ReactorContext
    ) async throws(ActorError) -> RetentionRules.Verdict? {
        var tags: [String] = []
        if let id = owner?.id {
            tags = try await context.document(Self.tagsKind, id)?.body["tags"]?.array?.compactMap(\.string) ?? []
        }
        let verdict = rules.verdict(on: holding, tags: tags, now: context.now())
        guard case .due = verdict else { return verdict }
        guard let owner else { return .withheld("it is not analysed yet") }
        return owner.finished == nil ? .withheld("its jobs have not ended") : verdict
    }

    private func load(_ id: String, _ context: any ReactorContext) async throws -> RetentionPlan {
        guard let stored = try await context.document(RetentionPlan.kind, id),
            let plan = RetentionPlan(json: stored.body)
        else { throw ReactorFailure(.refused, "/plan: there is no plan \(id)") }
        return plan
    }
}

/// Where no uploads are kept there is nothing to plan.
private struct NoHoldings: UploadHoldings {
    func holdings(after: String?, limit: Int) async throws(ActorError) -> [Holding] { [] }
    func holding(_ name: String, _ number: Int) async throws(ActorError) -> Holding? { nil }
    func forgetCopy(of name: String, _ number: Int, key: String) async throws(ActorError) {}
    func removeFiles(
        of name: String, _ number: Int, key: String, keepingCopy: Bool
    ) async throws(ActorError) {}
}
