import ActorCore
import ActorTesting
import Reactors
import Testing

/// Who may do what to a job, and what is written about it.
@Suite struct JobDeskTests {
    private static let token = "0123456789abcdef"
    private static let start = Timestamp(milliseconds: 1_600_000_000_000)
    private static let admin = AdminTokens(secret: "secret", key: "key")
    private static var adminToken: String { admin.token(at: start, Fingerprint.sha256) }

    private func desk(
        _ record: JobRecord = sampleJob(), at now: Timestamp = Self.start, admin: AdminTokens? = Self.admin
    ) -> JobDesk {
        JobDesk(record: record, now: now, adminTokens: admin, execution: ExecutionID("e"))
    }

    private func event(_ name: String, _ token: String? = Self.token) -> PipelineJobMessage.Event {
        PipelineJobMessage.Event(uuid: sampleJob().uuid, name: name, token: token, data: ["a": 1])
    }

    private func refusal(_ verdict: JobDesk.Verdict) -> (JobRefusal, JobChange?)? {
        if case .refuse(let refusal, let change) = verdict { (refusal, change) } else { nil }
    }

    // MARK: Tokens

    @Test func aTokenIsValidFor72HoursAndNotForOneMillisecondMore() throws {
        var draft = JobDraft(
            pipeline: sampleJob().pipeline, generation: .first, data: nil, session: "solid-snake", actor: nil,
            execution: nil, owner: "alice", tenant: "LAB")
        let record = draft.record(pepper: "p", randomHex: String(repeating: "0", count: 32), now: Self.start)
        let end = Self.start.adding(milliseconds: 72 * 3_600_000)
        #expect(record.key.expires == end && record.token.utf8.count == 16)
        #expect(JobDesk.opens(record.token, record.key, at: end.adding(milliseconds: -1)))
        #expect(!JobDesk.opens(record.token, record.key, at: end))
        draft.tokenMilliseconds = nil
        let eternal = draft.record(pepper: "p", randomHex: String(repeating: "0", count: 32), now: Self.start)
        #expect(JobDesk.opens(eternal.token, eternal.key, at: Timestamp(milliseconds: .max)))
    }

    /// Wrong, expired and missing are one answer, to the letter, and leave no line in the history.
    @Test(
        arguments: [
            ("fedcba9876543210", 0), (nil, 0), ("", 0), ("0123456789abcdef0", 0), ("0123456789abcdef", 72 * 3_600_000),
            ("0123456789ABCDEF", 0),
        ] as [(String?, Int64)])
    func whatDoesNotOpen(shown: String?, later: Int64) throws {
        let key = JobKey(
            token: Self.token, salt: "s", expires: Self.start.adding(milliseconds: 72 * 3_600_000))
        let desk = desk(sampleJob(key: key), at: Self.start.adding(milliseconds: later))
        for name in ["run", "reset", "explode", "create"] {
            #expect(desk.verdict(on: event(name, shown), by: .token(shown)) == .refuse(.token, nil))
        }
        let cancel = PipelineJobMessage.Action(uuid: desk.record.uuid, kind: .cancel, token: shown)
        #expect(verdict(cancel, desk, .token(shown)) == .refuse(.token, nil))
        #expect(JobRefusal.token.json(of: nil).at("legal_events").isNull)
    }

    @Test func aTokenMayOnlyWhatTheOwnerAllows() throws {
        for name in ["run", "update", "resource", "fail"] {
            guard case .move = desk().verdict(on: event(name), by: .token(Self.token)) else {
                Issue.record("\(name) is allowed")
                continue
            }
        }
        var record = sampleJob()
        record.status = .finished
        let (refused, change) = try #require(
            refusal(desk(record).verdict(on: event("validate"), by: .token(Self.token))))
        #expect(refused.code == .forbidden && refused.state == .finished)
        #expect(refused.message.contains("may not send validate, only run, update, resource, finish, fail"))
        guard case .refuse(_, let line) = change else {
            Issue.record("a refused event stands in the history")
            return
        }
        #expect(line.name == "validate" && line.refusal == refused.message && line.data == ["a": 1])
        record.key.events.append(.validate)
        for authority in [JobAuthority.token(Self.token), .owner, .admin, .token(Self.adminToken)] {
            guard case .move(.validating, .validate, _) = desk(record).verdict(on: event("VALIDATE"), by: authority)
            else {
                Issue.record("\(authority) may validate")
                continue
            }
        }
    }

    @Test func onlyAnAdminResetsAndReadies() throws {
        for authority in [JobAuthority.token(Self.token), .owner] {
            let found = try #require(refusal(desk().verdict(on: event("reset"), by: authority)))
            #expect(found.0.message.hasPrefix("Administrative token was not valid"))
        }
        for authority in [JobAuthority.admin, .token(Self.adminToken)] {
            guard case .move(.reset, .reset, _) = desk().verdict(on: event("reset"), by: authority) else {
                Issue.record("\(authority) may reset")
                continue
            }
        }
        // Of the window before it is still good, of the one before that no more.
        let later = Self.start.adding(milliseconds: 3_600_000)
        #expect(refusal(desk(at: later).verdict(on: event("reset"), by: .token(Self.adminToken))) == nil)
        let latest = Self.start.adding(milliseconds: 7_200_000)
        #expect(
            desk(at: latest).verdict(on: event("reset"), by: .token(Self.adminToken)) == .refuse(.token, nil))
        #expect(
            desk(admin: nil).verdict(on: event("reset"), by: .token(Self.adminToken)) == .refuse(.token, nil))
    }

    @Test func aRefusedEventIsAnsweredWithWhatIsLegalNow() throws {
        let (refused, _) = try #require(refusal(desk().verdict(on: event("finish"), by: .token(Self.token))))
        #expect(refused.message == "Can't trigger event finish from state CREATED!")
        #expect(refused.legalEvents == [.create, .run, .update, .resource, .fail, .reset])
        let json = refused.json(of: sampleJob().uuid)
        #expect(json.at("state") == "CREATED" && json.at("status") == "CREATED")
        #expect(json.at("legal_events") == ["create", "run", "update", "resource", "fail", "reset"])
    }

    // MARK: Cancel, delete, renew

    private func verdict(
        _ action: PipelineJobMessage.Action, _ desk: JobDesk, _ authority: JobAuthority
    ) -> JobDesk.Verdict {
        desk.verdict(on: action, by: authority, who: "alice", standardHours: 72) { key in
            var key = key
            key.token = "fedcba9876543210"
            return key
        }
    }

    private func action(_ kind: PipelineJobMessage.Action.Kind) -> PipelineJobMessage.Action {
        PipelineJobMessage.Action(uuid: sampleJob().uuid, kind: kind, token: nil)
    }

    @Test func cancelIsForWhatNeverRan() throws {
        var record = sampleJob()
        let gone = DeletedJob(record, deleted: Self.start, by: "alice", action: "cancel")
        #expect(
            verdict(action(.cancel), desk(record), .token(Self.token)) == .change(.delete(gone, revision: 0)))
        record.move(to: .running, by: .run, at: Self.start)
        for status in PipelineJobState.allCases {
            record.status = status
            let (refused, change) = try #require(refusal(verdict(action(.cancel), desk(record), .admin)))
            #expect(
                refused.message == "Cannot cancel a job once it is running. Send a \"fail\" event instead.")
            #expect(change == nil)
        }
        record.started = nil
        record.status = .failed
        #expect(refusal(verdict(action(.cancel), desk(record), .owner))?.0.code == .refusedTransition)
    }

    @Test func deleteNeedsAnAdmin() {
        for authority in [JobAuthority.owner, .token(Self.token), .token(nil)] {
            let refused = refusal(verdict(action(.delete), desk(), authority))
            #expect(refused?.0.message == "Administrative token was not valid")
        }
        for authority in [JobAuthority.admin, .token(Self.adminToken)] {
            #expect(refusal(verdict(action(.delete), desk(), authority)) == nil)
        }
    }

    @Test func theOwnerRenewsATokenAndItsHolderDoesNot() throws {
        let renewal = action(.renew(events: [.run], hours: 1, rotate: false))
        guard case .change(.rekey(_, let key)) = verdict(renewal, desk(), .owner) else {
            Issue.record("the owner renews")
            return
        }
        #expect(key.token == Self.token && key.events == [.run])
        #expect(key.expires == Self.start.adding(milliseconds: 3_600_000))
        guard
            case .change(.rekey(_, let rotated)) = verdict(
                action(.renew(events: nil, hours: nil, rotate: true)), desk(), .admin)
        else {
            Issue.record("an admin renews")
            return
        }
        #expect(rotated.token == "fedcba9876543210" && rotated.events == JobKey.standardEvents)
        #expect(rotated.expires == Self.start.adding(milliseconds: 72 * 3_600_000))
        #expect(refusal(verdict(renewal, desk(), .token(Self.token)))?.0.code == .forbidden)
        #expect(refusal(verdict(renewal, desk(), .token(nil)))?.0 == .token)
    }

    // MARK: The record is the fold of its history

    /// 100,000 random lives: whatever is sent by whomever, the record says what the history says, after every event.
    @Test(arguments: 0..<20)
    func theRecordEqualsTheFoldOfItsHistory(batch: UInt64) async throws {
        let names = PipelineJobEvent.allCases.map(\.rawValue) + ["RUN", "Finish", "explode", "", "cancel"]
        // Mostly by those whom the machine alone refuses: tokens have their own tests, and hashing takes its time.
        let authorities: [JobAuthority] =
            Array(repeating: .admin, count: 12) + Array(repeating: .owner, count: 3)
            + [.token(Self.token), .token("wrong"), .token(nil), .token(Self.adminToken)]
        var random = SeededGenerator(seed: 0xf01d + batch)
        for life in 0..<5000 {
            // Other tests wait for their time-outs in the same few threads.
            if life.isMultiple(of: 100) { await Task.yield() }
            let edition = PipelineJobMachine.Edition.allCases[Int(random.next() % 3)]
            var record = sampleJob(edition: edition)
            var history = [JobHistoryEntry(name: "create", date: record.created, data: .null)]
            for step in 0..<Int(random.next() % 10) {
                let now = record.created.adding(milliseconds: Int64(step + 1))
                let desk = JobDesk(record: record, now: now, adminTokens: Self.admin, execution: nil)
                let name = names[Int(random.next() % UInt64(names.count))]
                let authority = authorities[Int(random.next() % UInt64(authorities.count))]
                let before = record
                switch desk.verdict(on: event(name), by: authority) {
                case .move(let status, let known, .move(_, let revision, let target, let by, let entry)):
                    try #require(revision == record.revision && target == status && by == known)
                    record.move(to: status, by: known, at: entry.date)
                    history.append(entry)
                case .refuse(_, .refuse(_, let entry)):
                    try #require(entry.refusal != nil && record == before)
                    history.append(entry)
                case .refuse(let refusal, nil): try #require(refusal == .token)
                default: Issue.record("\(name) made another change")
                }
                let fold = JobLedger.fold(history, edition)
                try #require(
                    fold?.status == record.status && fold?.lastEvent == record.lastEvent
                        && fold?.revision == record.revision && fold?.updated == record.updated,
                    "seed \(batch), life \(life), step \(step): \(name) by \(authority)")
            }
        }
    }
}
