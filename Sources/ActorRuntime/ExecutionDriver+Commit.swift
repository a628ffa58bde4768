internal import ActorCore
internal import Logging

/// Puts the ends of attempts on disk.
extension ExecutionDriver {
    enum CommitEnd {
        case stored
        /// Its message was withdrawn meanwhile: nothing of it is left to end.
        case gone
        /// The daemon drains and its store takes nothing.
        case postponed
    }

    /// What an end becomes that the store refuses for good: that of an attempt which has failed.
    struct Failure: Sendable {
        let session: any WorkSession
        let spec: ActorSpec
    }

    /// Tries until it is on disk, or the daemon drains: then the next start finds the attempt and repeats it.
    ///
    /// - Parameter failure: nil for an end that was decided without the work: it stays what it is, without effects.
    func commit(_ completion: inout Completion, orElse failure: Failure? = nil) async -> CommitEnd {
        var failure = failure
        var failures = 0
        var dropped: ActorNews.Dropped?
        while true {
            do {
                try await environment.store.complete(completion)
                if let dropped { news.tell(dropped) }
                if !completion.effects.calls.isEmpty { environment.outboxBell.ring() }
                return .stored
            } catch  where Self.isDecided(error) && !completion.effects.isEmpty {
                // Decided on a record that has changed meanwhile, or mail that no mailbox takes: nothing was stored.
                if dropped == nil, Self.concernsMail(error) {
                    dropped = news.withdraw(from: &completion, because: error)
                    // What was done is done all the same, if it was only the linked actor that could not take it.
                    if dropped != nil { continue }
                }
                dropped = nil
                if let last = failure {
                    failure = nil
                    fail(&completion, last, reason: error.message)
                } else {
                    completion.effects = Effects()
                }
            } catch  where error.code == .conflict {
                logger.error(
                    "an attempt ended whose message is gone",
                    metadata: [LogKeys.execution: "\(completion.attempt.execution)", LogKeys.error: "\(error)"])
                return .gone
            } catch {
                failures += 1
                logger.error(
                    "the end of an attempt could not be stored; trying again",
                    metadata: [LogKeys.execution: "\(completion.attempt.execution)", LogKeys.error: "\(error)"])
                let delay = RetryPolicy.backoff(attempt: failures, base: 0.2, cap: 5, chance: 1)
                try? await environment.clock.sleep(milliseconds: delay)
                if Task.isCancelled || (environment.isDraining() && failures > 3) { return .postponed }
            }
        }
    }

    /// The attempt has failed after all, and did nothing: what ends its message is told like any other end.
    private func fail(_ completion: inout Completion, _ failure: Failure, reason: String) {
        let number = completion.attempt.number
        var machine = ExecutionMachine(
            attempt: number, retry: failure.spec.retry, expires: completion.envelope.expires)
        let now = environment.clock.now()
        let verdict = machine.ended(
            .failed(exitCode: nil, reason: reason), now: now, chance: Double.random(in: 0..<1))
        completion.disposition = verdict.disposition
        completion.status = verdict.status
        completion.attempt = AttemptRecord(
            execution: completion.attempt.execution, number: number, started: completion.attempt.started,
            finished: now, outcome: verdict.outcome, reason: environment.configuration.scrub(reason))
        completion.result = nil
        completion.effects = verdict.isAbandoned ? failure.session.farewell : Effects()
        news.add(verdict, completion.envelope, failure.spec, to: &completion.effects)
    }

    /// A mailbox is full, or a key was used for something else.
    private static func concernsMail(_ error: ActorError) -> Bool {
        error.code == .tooManyRequests || error.code == .idempotencyMismatch
    }

    /// It is the effects that the store refuses, and always will; its own troubles pass.
    private static func isDecided(_ error: ActorError) -> Bool {
        switch error.code {
        case .storageFull, .unavailable, .cannotStart, .timedOut, .cancelled, .internalFailure: false
        case .invalidInput, .schemaViolation, .unauthenticated, .forbidden, .notFound, .conflict,
            .idempotencyMismatch, .tooLarge, .tooManyRequests, .refusedTransition:
            true
        }
    }
}
