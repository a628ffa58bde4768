package import ActorCore
import GRDB

extension SQLiteStore: MailboxStore {
    package func append(
        _ messages: [NewMessage], rules: AcceptRules, then: @escaping MailboxStore.AppendAnswer
    ) {
        writer.submit(
            { db, ledger in try messages.map { try db.append($0, rules: rules, &ledger) } }, then: then)
    }

    package func page(
        _ page: MailboxRead, of actor: ActorID, now: Timestamp, limit: Int
    ) async throws(ActorError) -> [Envelope] {
        let numbers = self.numbers
        return try await readSettled { db in try db.page(page, of: actor, now: now, limit: limit, numbers) }
    }

    package func mailboxes() async throws(ActorError) -> [ActorID] { try await read { try $0.mailboxes() } }

    package func place(
        of execution: ExecutionID, countingTo limit: Int
    ) async throws(ActorError) -> WaitingPlace? {
        let numbers = self.numbers
        return try await read { db in try db.place(of: execution, countingTo: limit, numbers) }
    }

    package func held(by actor: ActorID) -> Int { counts.held(by: actor) }

    package func begin(_ envelope: Envelope, attempt: Int, at now: Timestamp) async throws(ActorError) {
        try await writer.submit { db, ledger in try db.begin(envelope, attempt: attempt, at: now, &ledger) }
    }

    package func complete(_ completion: Completion) async throws(ActorError) {
        try await writer.submit { db, ledger in try db.complete(completion, &ledger) }
    }

    package func commit(
        _ effects: Effects, of envelope: Envelope, at now: Timestamp
    ) async throws(ActorError) {
        try await writer.submit { db, ledger in try db.commit(effects, of: envelope, at: now, &ledger) }
    }

    package func recover(at now: Timestamp) async throws(ActorError) -> Recovery {
        let wasUnclean = self.wasUnclean
        return try await writer.submit { db, ledger in
            Recovery(
                interrupted: try db.recover(at: now, ledger.numbers), wasUnclean: wasUnclean,
                lastSequence: ledger.highestSequence)
        }
    }

    package func purge(_ actor: ActorID, at now: Timestamp) async throws(ActorError) -> Int {
        // What arrives meanwhile stays, else a busy sender could keep this going for ever.
        let last = try await writer.submit { _, ledger in ledger.highestSequence }
        var purged = 0
        while true {
            let count = try await writer.submit { db, ledger in
                try db.purge(actor, upTo: last, count: Self.chunk, at: now, &ledger)
            }
            purged += count
            if count < Self.chunk { return purged }
        }
    }

    package func withdraw(_ execution: ExecutionID, at now: Timestamp) async throws(ActorError) -> Bool {
        try await writer.submit { db, ledger in try db.withdraw(execution, at: now, &ledger) }
    }

    package func steps(of execution: ExecutionID) async throws(ActorError) -> [StepResult] {
        let numbers = self.numbers
        return try await read { db in
            guard let sequence = try db.sequence(of: execution, numbers) else { return [] }
            return try db.rows("SELECT name, value FROM steps WHERE sequence = ? ORDER BY id", [sequence]) {
                StepResult(name: $0[0], value: try JSONText.decode($0[1], of: "step result"))
            }
        }
    }

    package func onCommit(_ sink: @escaping @Sendable ([Envelope], [CommittedEvent]) -> Void) {
        writer.setSink(sink)
    }

    /// Rows that one transaction of a long clean-up touches, so that others get their turn in between.
    static let chunk = 500
}
