package import ActorCore

/// Decides what becomes of a request to the pipelines manager: who may, what is written, what is answered.
package struct PipelineDesk: Sendable {
    /// The pipeline in question, where it is there.
    package let record: PipelineRecord?
    package let now: Timestamp
    package let adminTokens: AdminTokens?

    package init(record: PipelineRecord?, now: Timestamp, adminTokens: AdminTokens?) {
        self.record = record
        self.now = now
        self.adminTokens = adminTokens
    }

    package enum Verdict: Sendable, Equatable {
        /// `isNew`: its token is answered.
        case write(PipelineRecord, over: Int?, isNew: Bool)
        /// Nothing to do.
        case keep(PipelineRecord)
        case refuse(JobRefusal)
    }

    /// - Parameter make: makes the record of a pipeline that is not there.
    package func verdict(
        on draft: PipelineDraft, uuid: PipelineID?, token: String?, by authority: JobAuthority,
        make: (PipelineDraft) -> PipelineRecord
    ) -> Verdict {
        let found = draft.uuid
        if let uuid, uuid != found { return .refuse(Self.otherComponents(uuid, found)) }
        guard let record else { return .write(make(draft), over: nil, isNew: true) }
        if isUnclaimed(record) {
            var claimed = make(draft)
            claimed.created = record.created
            claimed.revision = record.revision + 1
            return .write(claimed, over: record.revision, isNew: true)
        }
        // The first generation knew an update by its action only.
        if draft.generation == .first, token == nil {
            return .refuse(
                JobRefusal(
                    .conflict,
                    "A pipeline with this distinct set of components already exists: \(record.uuid), "
                        + "\(record.name). To change it send {uuid, action: \"update\", body, token}"))
        }
        return change(record, draft.changes, token, authority)
    }

    package func verdict(
        on changes: PipelineChanges, of uuid: PipelineID, components: [JSONValue]?, token: String?,
        by authority: JobAuthority
    ) -> Verdict {
        guard let record else { return .refuse(Self.unknown(uuid, "Try create()")) }
        if let components {
            let found = JobIdentity.pipeline(
                record.generation, id: record.id.isEmpty ? nil : record.id, components: components)
            if found != uuid { return .refuse(Self.otherComponents(uuid, found)) }
        }
        return change(record, changes, token, authority)
    }

    package func verdict(
        enabling isEnabled: Bool, of uuid: PipelineID, token: String?, by authority: JobAuthority
    ) -> Verdict {
        guard var record else { return .refuse(Self.unknown(uuid)) }
        guard mayChange(record, token, authority) else { return .refuse(.token) }
        guard record.isEnabled != isEnabled else { return .keep(record) }
        let revision = record.revision
        record.isEnabled = isEnabled
        record.revision += 1
        record.updated = now
        return .write(record, over: revision, isNew: false)
    }

    package static func unknown(_ uuid: PipelineID, _ hint: String = "register it first") -> JobRefusal {
        JobRefusal(.notFound, "No pipeline exists with UUID \(uuid). \(hint)")
    }

    private static func otherComponents(_ uuid: PipelineID, _ found: PipelineID) -> JobRefusal {
        JobRefusal(.conflict, "'uuid' \(uuid) != document.uuid \(found): components are what a pipeline is")
    }

    private func change(
        _ record: PipelineRecord, _ changes: PipelineChanges, _ token: String?, _ authority: JobAuthority
    ) -> Verdict {
        var changed = record
        changes.apply(to: &changed)
        if changed == record { return .keep(record) }
        guard mayChange(record, token, authority) else { return .refuse(.token) }
        changed.revision += 1
        changed.updated = now
        return .write(changed, over: record.revision, isNew: false)
    }

    /// Registered by a job that was first: whoever says what it is made of has it.
    private func isUnclaimed(_ record: PipelineRecord) -> Bool {
        record.owner.isEmpty && record.components.array?.isEmpty ?? true
    }

    private func mayChange(_ record: PipelineRecord, _ token: String?, _ authority: JobAuthority) -> Bool {
        if authority == .admin || authority == .owner { return true }
        let shown = token ?? ""
        let opens = JobToken.matches(shown, record.token) && !record.token.isEmpty
        let isAdmin = adminTokens?.accepts(shown, at: now, Fingerprint.sha256) ?? false
        return opens || isAdmin
    }
}
