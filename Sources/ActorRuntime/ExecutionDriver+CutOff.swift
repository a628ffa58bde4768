internal import ActorCore

/// What was begun before: by an attempt that the end of the daemon has cut off.
extension ExecutionDriver {
    /// What earlier attempts have left of a message, and what becomes of it.
    struct Left: Sendable {
        let next: CutOffAttempts.Next
        /// The command that may be left; nil where none is looked for.
        var command: String?
    }

    func left(of envelope: Envelope, _ entry: Directory.Entry) async throws(ActorError) -> Left {
        let attempts = CutOffAttempts(
            envelope.attempts, retry: entry.spec.retry, isCommand: entry.reactor == nil)
        guard attempts.mayBeLost else {
            guard attempts.isLast else { return Left(next: .goOn) }
            // Of a built-in Reactor: any command that it has ordered.
            let isKept = await environment.executor.kept().contains { WorkID($0).execution == envelope.execution }
            return Left(next: attempts.next(isKept ? .kept : .none))
        }
        let command = try await scripts.command(of: envelope.execution, attempt: envelope.attempts + 1)
        var trace = CutOffAttempts.Trace.none
        if await environment.executor.isLost(command) {
            trace = .lost
        } else if attempts.isLast, await environment.executor.kept().contains(command) {
            trace = .kept
        }
        return Left(next: attempts.next(trace), command: command)
    }

    /// Ends what is left of a command whose supervisor is gone, and forgets it.
    func clear(_ left: Left) async {
        if let command = left.command { await environment.executor.reclaim(command) }
    }

    /// Ends a message that no further attempt is begun of.
    func park(_ envelope: Envelope, _ spec: ActorSpec, _ left: Left, reason: String, at now: Timestamp) async {
        let number = envelope.attempts + 1
        var machine = ExecutionMachine(attempt: number, retry: spec.retry)
        let verdict = machine.cutOff(reason: reason)
        var completion = Completion(
            envelope, hasBegun: false,
            attempt: AttemptRecord(
                execution: envelope.execution, number: number, started: now, finished: now, outcome: verdict.outcome,
                reason: verdict.reason),
            disposition: verdict.disposition, status: verdict.status)
        news.add(verdict, envelope, spec, to: &completion.effects)
        // The traces go when it is on record, else the next start would find none.
        switch await commit(&completion) {
        case .stored, .gone: await clear(left)
        case .postponed: break
        }
    }
}
