import ActorCore

/// What a clean-up takes and what it leaves.
extension StoreSuite {
    static func pruneTrails(_ store: any Store) async throws {
        for (action, second) in [("link.drop", 1), ("pause", 1), ("link.drop", 9)] as [(String, Int64)] {
            try await store.audit(
                AuditEntry(at: after(second), who: "alice", action: action, target: "t", outcome: "done"))
        }
        for (id, uses) in [("young", 1), ("old", 1), ("open", 2), ("endless", -1)] {
            try await store.create(nonce(id, uses: uses))
        }
        for id in ["old", "open", "endless"] {
            let isUsed = try await store.useNonce(NonceID(id), at: after(1))
            try equal(isUsed, true, "the use of \(id)")
        }
        let isUsed = try await store.useNonce(NonceID("young"), at: after(5))
        try equal(isUsed, true, "the use of young")
        let pruned = try await store.prune(
            PruneAges(executions: after(5), deadLetters: noon, idempotency: noon, nonces: after(5)))
        try equal(pruned, 2, "a dropped event and a nonce")
        let audits = try await store.audits(limit: 9)
        try equal(audits.map(\.action), ["link.drop", "pause"], "what is left of the audit trail")
        let nonces = try await store.nonces(of: actor)
        try equal(nonces.map(\.id.rawValue).sorted(), ["endless", "open", "young"], "the nonces that are left")
    }

    static func prune(_ store: any Store) async throws {
        let old = try await start(message("old", idempotency: "k1"), in: store)
        try await store.complete(completion(of: old))
        let parked = try await start(message("parked"), in: store)
        try await store.complete(completion(of: parked, .park(reason: "used up"), outcome: .failed))
        let waiting = try await accept(message("waiting"), in: store)
        let late = try await accept(message("late", idempotency: "k2", received: after(5)), in: store)
        let nothing = try await store.prune(PruneAges(executions: after(2), deadLetters: after(2), idempotency: noon))
        try equal(nothing, 0, "rows that were old enough")
        let pruned = try await store.prune(
            PruneAges(executions: after(3), deadLetters: after(3), idempotency: after(5)))
        try equal(pruned, 4, "two executions, a dead letter and a key")
        let left = try await store.executions(of: nil, before: nil, limit: 9)
        try equal(left.map(\.id), [late.execution, waiting.execution], "executions that are left")
        let gone = try await store.execution(old.execution)
        try equal(gone, nil, "a pruned execution")
        let attempts = try await store.attempts(of: old.execution)
        try equal(attempts, [], "attempts of a pruned execution")
        let log = try await store.log(of: old.execution)
        try equal(log, nil, "the log of a pruned execution")
        let letters = try await store.deadLetters(limit: 9)
        try equal(letters, [], "dead letters")
        _ = try await accept(message("again", idempotency: "k1"), in: store)
        let kept = try await store.append([message("late", idempotency: "k2")])
        try equal(kept, [.repeated(late.execution)], "a key that is young enough")
        try await store.begin(waiting, attempt: 1, at: after(4))
        try await store.complete(completion(of: waiting))
    }
}
