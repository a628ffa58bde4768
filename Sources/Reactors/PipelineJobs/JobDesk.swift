package import ActorCore

/// Decides what becomes of whatever is asked of one job: who may, what the state machine says, what is written.
package struct JobDesk: Sendable {
    package let record: JobRecord
    package let now: Timestamp
    /// Nil where this house has no admin tokens.
    package let adminTokens: AdminTokens?
    package let execution: ExecutionID?

    package init(record: JobRecord, now: Timestamp, adminTokens: AdminTokens?, execution: ExecutionID?) {
        self.record = record
        self.now = now
        self.adminTokens = adminTokens
        self.execution = execution
    }

    /// What becomes of a request.
    package enum Verdict: Sendable, Equatable {
        case move(to: PipelineJobState, by: PipelineJobEvent, JobChange)
        case change(JobChange)
        /// `change` is a line in the history, for those who were let in.
        case refuse(JobRefusal, JobChange?)
    }

    private enum Right: Int, Comparable {
        case none, token, owner, admin

        static func < (left: Right, right: Right) -> Bool { left.rawValue < right.rawValue }
    }

    // MARK: Events

    package func verdict(on event: PipelineJobMessage.Event, by authority: JobAuthority) -> Verdict {
        let right = right(of: authority)
        guard right > .none else { return .refuse(.token, nil) }
        // The name is whatever a caller sent; the history keeps a bounded part of it.
        let name = String(event.name.prefix(64))
        func refuse(_ code: ActorError.Code, _ reason: String) -> Verdict {
            let entry = JobHistoryEntry(
                name: name, date: now, data: event.data, refusal: reason, execution: execution)
            return .refuse(refusal(code, reason), .refuse(record.uuid, entry))
        }
        guard let known = PipelineJobEvent(named: event.name),
            PipelineJobMachine.transitions(of: record.machine)[known] != nil
        else { return refuse(.invalidInput, PipelineJobMachine.unknown(name, record.machine)) }
        if let reason = obstacle(to: known, right) { return refuse(.forbidden, reason) }
        var machine = PipelineJobMachine(state: record.status, edition: record.machine)
        switch machine.handle(known) {
        case .refuse(let reason): return refuse(.refusedTransition, reason)
        case .move(_, let status):
            let entry = JobHistoryEntry(name: name, date: now, data: event.data, execution: execution)
            return .move(
                to: status, by: known,
                .move(record.uuid, revision: record.revision, to: status, by: known, entry))
        }
    }

    private func obstacle(to event: PipelineJobEvent, _ right: Right) -> String? {
        if event.needsAdmin, right < .admin {
            return "Administrative token was not valid: \(event.rawValue) needs one"
        }
        if right == .token, !record.key.events.contains(event) {
            let names = record.key.events.map(\.rawValue).joined(separator: ", ")
            return "This job's token may not send \(event.rawValue), only \(names); its owner can allow more"
        }
        return nil
    }

    // MARK: What is done to the record

    /// - Parameters:
    ///   - who: for the record of a deletion.
    ///   - key: makes another key of a token's events and end, when one is wanted.
    package func verdict(
        on action: PipelineJobMessage.Action, by authority: JobAuthority, who: String, standardHours: Double,
        rotated: (JobKey) -> JobKey
    ) -> Verdict {
        let right = right(of: authority)
        switch action.kind {
        case .cancel:
            guard right > .none else { return .refuse(.token, nil) }
            guard record.started == nil else {
                return .refuse(
                    refusal(
                        .refusedTransition,
                        "Cannot cancel a job once it is running. Send a \"fail\" event instead."), nil)
            }
            guard record.status == .created else {
                let reason = "Cannot cancel a job that is \(record.status.rawValue): it is kept for the record"
                return .refuse(refusal(.refusedTransition, reason), nil)
            }
            return deletion(by: who, "cancel")
        case .delete:
            guard right == .admin else {
                return .refuse(JobRefusal(.forbidden, "Administrative token was not valid"), nil)
            }
            return deletion(by: who, "delete")
        case .renew(let events, let hours, let rotate):
            // A token must not prolong itself: then one that has leaked would be valid for ever.
            guard right >= .owner else {
                let reason = "Only the job's owner or an admin renews its token: POST /api/v1/jobs/UUID/token"
                return .refuse(right == .none ? .token : JobRefusal(.forbidden, reason), nil)
            }
            var key = rotate ? rotated(record.key) : record.key
            key.expires = now.adding(milliseconds: Milliseconds.of(seconds: (hours ?? standardHours) * 3600))
            if let events { key.events = events }
            return .change(.rekey(record.uuid, key))
        }
    }

    private func deletion(by who: String, _ action: String) -> Verdict {
        .change(
            .delete(DeletedJob(record, deleted: now, by: who, action: action), revision: record.revision))
    }

    // MARK: Who may

    /// Whether somebody may make anything happen at all.
    package func admits(_ authority: JobAuthority) -> Bool { right(of: authority) > .none }

    private func right(of authority: JobAuthority) -> Right {
        switch authority {
        case .admin: .admin
        case .owner: .owner
        case .token(let shown): right(of: shown ?? "")
        }
    }

    /// Everything is compared and asked whatever the outcome: time tells nothing.
    private func right(of shown: String) -> Right {
        let opens = Self.opens(shown, record.key, at: now)
        let isAdmin = adminTokens?.accepts(shown, at: now, Fingerprint.sha256) ?? false
        return isAdmin ? .admin : opens ? .token : .none
    }

    /// Whether `shown` is the token of a key that is still valid.
    package static func opens(_ shown: String, _ key: JobKey, at now: Timestamp) -> Bool {
        let isRight = JobToken.matches(shown, key.token)
        let isInTime = key.expires.map { now < $0 } ?? true
        return isRight && isInTime
    }

    private func refusal(_ code: ActorError.Code, _ message: String) -> JobRefusal {
        JobRefusal(
            code, message, state: record.status,
            legalEvents: PipelineJobMachine.events(from: record.status, record.machine))
    }
}
