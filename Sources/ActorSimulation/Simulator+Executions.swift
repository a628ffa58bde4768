internal import ActorCore

/// What `ExecutionDriver` does with one message.
extension Simulator {
    private func number(of envelope: Envelope) -> Int { oracle.number(envelope.execution) ?? -1 }

    func run(_ envelope: Envelope, _ index: Int) {
        guard let worker = shell?.workers[index] else { return }
        deliveries += 1
        deliveriesBy[worker.member] += 1
        note(.deliver, worker.member, Int(envelope.sequence), worker.id)
        if isPaused[worker.member], pausedFor(worker.member) > settings.maxRunning {
            oracle.complain(.limits, "actor \(worker.member) goes on while it is paused")
        }
        oracle.delivered(
            envelope, to: worker.id, now: now, ordered: isOrdered(worker.member), isExpiring: false)
        let member = settings.members[worker.member]
        shell?.workers[index].envelope = envelope
        shell?.workers[index].started = now
        shell?.workers[index].hasBegun = false
        shell?.workers[index].failures = 0
        guard envelope.attempts < member.retry.attempts else { return park(envelope, index) }
        shell?.workers[index].machine = ExecutionMachine(attempt: envelope.attempts + 1, retry: member.retry)
        if member.isScripted || (envelope.isSuspect && bug != .suspectsUnnoted) || envelope.attempts > 0 {
            shell?.workers[index].phase = .beginning
            store.submit(.begin(envelope, attempt: envelope.attempts + 1), for: .worker(worker.id))
        } else {
            beginWork(index)
        }
    }

    func expire(_ envelope: Envelope, _ index: Int) {
        guard let worker = shell?.workers[index] else { return }
        note(.expire, worker.member, Int(envelope.sequence), worker.id)
        oracle.delivered(envelope, to: worker.id, now: now, ordered: isOrdered(worker.member), isExpiring: true)
        shell?.workers[index].envelope = envelope
        shell?.workers[index].started = now
        shell?.workers[index].hasBegun = false
        shell?.workers[index].failures = 0
        finish(index, .acknowledge, outcome: .expired, number: envelope.attempts)
    }

    /// Attempts that were all cut off by the end of the process.
    private func park(_ envelope: Envelope, _ index: Int) {
        finish(index, .park(reason: "cut off"), outcome: .interrupted, number: envelope.attempts + 1)
    }

    func begun(_ answer: ModelStore.Answer, _ index: Int) {
        switch answer {
        case .done:
            shell?.workers[index].hasBegun = true
            beginWork(index)
        case .conflict: ended(index)
        default: shell?.workers[index].phase = .pausing(until: uptime + 1000, givesBack: true)
        }
    }

    private func beginWork(_ index: Int) {
        guard let worker = shell?.workers[index], let envelope = worker.envelope else { return }
        note(.begun, worker.member, Int(envelope.sequence), envelope.attempts + 1)
        let member = settings.members[worker.member]
        let deed = Deed(envelope.message)
        var duration = dice.chance(settings.mail.slow) ? Int64(dice.within(1...3000)) : Int64(dice.below(20))
        if deed.kind == .overruns { duration = member.timeout + 1 }
        let end: ExecutionMachine.WorkEnd =
            switch deed.kind {
            case .succeeds, .poison, .overruns: .succeeded
            case .failsAtFirst where envelope.attempts >= Int(deed.failures): .succeeded
            case .failsAtFirst, .fails: .failed(exitCode: 1, reason: "failed")
            case .impossible: .impossible(reason: "impossible")
            case .refused: .refused(reason: "refused")
            }
        if duration > member.timeout {
            shell?.workers[index].phase = .working(until: uptime + member.timeout, .stopped)
        } else {
            shell?.workers[index].phase = .working(until: uptime + duration, end)
        }
        if shell?.dispatch.isDraining == true { stop(index, .drain) }
    }

    /// The work is told to stop: it ends soon, perhaps as if nothing had been said.
    func stop(_ index: Int, _ reason: ExecutionMachine.Stop) {
        guard case .working(let until, let end) = shell?.workers[index].phase else { return }
        guard shell?.workers[index].machine?.stop(reason) == true else { return }
        note(.stop, shell?.workers[index].id ?? 0)
        let isDeaf = end != .stopped && dice.chance(0.2)
        shell?.workers[index].phase = .working(
            until: isDeaf ? until : min(until, uptime + Int64(dice.below(50))), isDeaf ? end : .stopped)
    }

    func workEnds(_ end: ExecutionMachine.WorkEnd, _ index: Int) {
        guard let worker = shell?.workers[index], let envelope = worker.envelope else { return }
        let deed = Deed(envelope.message)
        if deed.kind == .poison, end == .succeeded {
            note(.crash, worker.member, Int(envelope.sequence))
            return die(byMessage: number(of: envelope))
        }
        // Work that ends by itself as stopped was stopped by its time.
        if end == .stopped { _ = shell?.workers[index].machine?.stop(.timeout) }
        let chance = dice.unit()
        guard let verdict = shell?.workers[index].machine?.ended(end, now: now, chance: chance) else { return }
        var effects = Effects()
        if verdict.keepsEffects { effects = makeEffects(deed, envelope, worker.member) }
        note(mark(verdict.outcome), worker.member, Int(envelope.sequence), envelope.attempts + 1)
        if bug == .endedBeforeCommit, verdict.endsMessage {
            shell?.members[worker.member].mailbox.ended(envelope)
        }
        if bug == .effectsOutside, !effects.mail.isEmpty { store.submit(.letters(effects.mail), for: .nobody) }
        finish(
            index, verdict.disposition, outcome: verdict.outcome, number: envelope.attempts + 1, effects: effects)
    }

    private func mark(_ outcome: Outcome) -> Trace.Mark {
        switch outcome {
        case .succeeded: .succeeded
        case .failed: .failed
        case .cancelled: .cancelled
        case .timedOut: .timedOut
        case .expired: .expire
        case .interrupted: .interrupted
        }
    }

    private func makeEffects(_ deed: Deed, _ envelope: Envelope, _ member: Int) -> Effects {
        var effects = Effects()
        for letter in 0..<Int(deed.letters) {
            var message = settings.message(now: now, depth: deed.depth + 1, &dice)
            message.sender = "actor:\(member)"
            message.cause = envelope.execution
            message.idempotency = IdempotencyKey(key: "\(envelope.execution)#\(letter)")
            effects.mail.append(message)
        }
        for call in 0..<Int(deed.calls) {
            let lane = dice.below(3)
            // Two of three are sinks of events, which are told the next before the last is on disk as delivered.
            effects.calls.append(
                OutgoingCall(
                    url: "http://target", contentType: "text/plain", body: [], orderKey: "o\(lane)",
                    idempotencyKey: "\(envelope.execution)#c\(call)",
                    subscription: lane == 0 ? nil : SubscriptionID("s\(lane)")))
        }
        return effects
    }

    // MARK: The end

    private func finish(
        _ index: Int, _ disposition: Completion.Disposition, outcome: Outcome, number: Int,
        effects: Effects = Effects()
    ) {
        guard let worker = shell?.workers[index], let envelope = worker.envelope else { return }
        let completion = Completion(
            envelope, hasBegun: worker.hasBegun,
            attempt: AttemptRecord(
                execution: envelope.execution, number: number, started: worker.started, finished: now,
                outcome: outcome),
            disposition: disposition, status: .complete, effects: effects)
        shell?.workers[index].completion = completion
        submit(completion, index)
    }

    private func submit(_ completion: Completion, _ index: Int) {
        guard let id = shell?.workers[index].id else { return }
        shell?.workers[index].phase = .finishing
        store.submit(.finish(completion), for: .worker(id))
    }

    func finished(_ answer: ModelStore.Answer, _ index: Int) {
        guard let worker = shell?.workers[index], let envelope = worker.envelope,
            let completion = worker.completion
        else { return }
        switch answer {
        case .done:
            if !completion.effects.calls.isEmpty { shell?.isRung = true }
            switch completion.disposition {
            case .acknowledge, .park: ended(index)
            case .release: returned(envelope, index)
            case .retry(let moment):
                var again = envelope
                again.attempts = completion.attempt.number
                again.notBefore = moment
                returned(again, index)
            }
        case .conflict:
            note(.conflict, worker.member, Int(envelope.sequence))
            ended(index)
        default:
            shell?.workers[index].failures += 1
            if shell?.dispatch.isDraining == true, worker.failures >= 3 { return ended(index) }
            shell?.workers[index].phase = .pausing(until: uptime + 200, givesBack: false)
        }
    }

    func resume(_ index: Int, givesBack: Bool) {
        guard let worker = shell?.workers[index], let envelope = worker.envelope else { return }
        if givesBack {
            returned(envelope, index)
        } else if let completion = worker.completion {
            submit(completion, index)
        }
    }

    private func ended(_ index: Int) {
        guard let worker = shell?.workers[index], let envelope = worker.envelope else { return }
        note(.ended, worker.member, Int(envelope.sequence))
        shell?.members[worker.member].mailbox.ended(envelope)
        leave(index, envelope)
    }

    private func returned(_ envelope: Envelope, _ index: Int) {
        guard let worker = shell?.workers[index] else { return }
        note(.retry, worker.member, Int(envelope.sequence), envelope.attempts)
        if bug == .retryOvertaken {
            shell?.members[worker.member].mailbox.ended(envelope)
            shell?.members[worker.member].mailbox.committed(envelope, now: now)
        } else {
            shell?.members[worker.member].mailbox.returned(envelope, now: now)
        }
        leave(index, envelope)
        // The slot may go on with other mail for long; nobody else would ask when this one comes due.
        if let moment = envelope.notBefore, moment > now, bug != .retryUnarmed { arm(worker.member, moment) }
    }

    private func leave(_ index: Int, _ envelope: Envelope) {
        if let number = oracle.number(envelope.execution) { oracle.released(number) }
        shell?.workers[index].envelope = nil
        shell?.workers[index].completion = nil
        shell?.workers[index].phase = .between
    }
}
