internal import ActorCore

/// Accepts messages: checks them against what the actor takes, makes them durable, answers when they are on disk.
struct MailboxBus: Sendable {
    let directory: Directory
    let store: any Store
    let clock: any Timekeeper
    let limits: Limits

    /// Everything that is checked before a message may be stored.
    func checked(_ draft: MessageDraft) throws(ActorError) -> NewMessage {
        guard let entry = directory.entry(draft.actor) else {
            throw ActorError(.notFound, "No actor found with id: \(draft.actor).")
        }
        let bound = draft.kind == .binary ? limits.maxBinaryBytes : limits.maxBodyBytes
        guard draft.body.count <= bound else {
            throw ActorError(.tooLarge, "the message has \(draft.body.count) bytes, at most \(bound) are taken")
        }
        try checkHops(draft.hops)
        if draft.kind == .json { try check(draft.body, against: entry.schemas) }
        return entry.keyed(
            NewMessage(
                actor: draft.actor, body: draft.body, kind: draft.kind, environment: draft.environment,
                sender: draft.sender, cause: draft.cause, hops: draft.hops, idempotency: draft.idempotency,
                key: draft.key, priority: draft.priority, deliverAt: draft.deliverAt, expires: draft.expires,
                received: clock.now(), nonce: draft.nonce))
    }

    func checkHops(_ hops: Int) throws(ActorError) {
        guard hops <= limits.maxHops else {
            throw ActorError(
                .invalidInput,
                "this message stands at the end of a chain of \(hops) messages, which looks like a loop; "
                    + "at most \(limits.maxHops) are followed")
        }
    }

    func send(_ draft: MessageDraft) async throws(ActorError) -> SendReceipt {
        let answers = try await store.append([try checked(draft)], rules: rules(for: draft.actor))
        guard let answer = answers.first else {
            throw ActorError(.internalFailure, "the store gave no answer")
        }
        return try Self.receipt(answer).get()
    }

    func rules(for actor: ActorID) -> AcceptRules {
        AcceptRules(
            maxMailbox: directory.entry(actor)?.spec.maxMailbox ?? limits.maxMailbox,
            maxPerSender: limits.maxPerSender, maxWaitingBytes: limits.maxWaitingBytes,
            idempotencyMilliseconds: Int64(limits.idempotencyHours) * 3_600_000)
    }

    static func receipt(_ answer: AcceptResult) -> Result<SendReceipt, ActorError> {
        switch answer {
        case .accepted(let envelope): .success(SendReceipt(execution: envelope.execution, repeated: false))
        case .repeated(let execution): .success(SendReceipt(execution: execution, repeated: true))
        case .keyReused:
            .failure(
                ActorError(
                    .idempotencyMismatch, "this idempotency key was used before with another body; use a new key"))
        case .nonceRefused: .failure(ActorError(.unauthenticated, "No remaining uses left for this nonce."))
        case .overQuota(let quota): .failure(ActorError(.tooManyRequests, reason(quota)))
        }
    }

    private static func reason(_ quota: Quota) -> String {
        switch quota {
        case .mailbox(let limit): "the mailbox is full (\(limit) messages wait); try again later"
        case .sender(let limit): "\(limit) messages of this sender wait in this mailbox; try again later"
        case .bytes(let limit): "the messages that wait fill their \(limit) bytes; try again later"
        }
    }

    /// One matching schema is enough; none of them matching answers the violations of the nearest.
    private func check(_ body: [UInt8], against schemas: [any MessageSchema]) throws(ActorError) {
        var nearest: [ActorError.Detail]?
        for schema in schemas {
            let violations = schema.violations(of: body)
            if violations.isEmpty { return }
            if violations.count < nearest?.count ?? .max { nearest = violations }
        }
        guard let nearest else { return }
        throw ActorError(.schemaViolation, "the message does not match the actor's schema", details: nearest)
    }
}

/// Fresh ids in the form that old clients recognise.
enum IDMaker {
    static func hashid() -> String {
        Hashids.abaco.encode(UInt128(UInt64.random(in: (1 << 60)...UInt64.max)))
    }

    /// 64-bit FNV-1a in hex: tells contents of one execution apart; no defence against an adversary.
    static func fingerprint(_ parts: [UInt8]...) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for part in parts {
            for byte in part { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xff) &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }
}
