internal import ActorCore

/// The store's writer, what it tells whom, and who sends mail.
extension Simulator {
    /// One of the three steps of a commit: into the transaction, onto the disk, to the listeners.
    func write() {
        switch store.stage {
        case .idle:
            let count = dice.chance(0.8) ? store.queue.count : dice.within(1...max(1, store.queue.count))
            let batch = store.apply(count)
            note(.apply, batch.answers.count, batch.mail.count)
            if bug == .answerBeforeSync {
                for (owner, answer) in batch.answers { if case .client = owner { deliver(answer, to: owner) } }
            }
        case .applied:
            if hasTroubles, dice.chance(settings.troubles.commit) {
                let batch = store.undo()
                note(.undone, batch.answers.count)
                if bug == .undoneCommitIsTold { tellMailboxes(batch.mail) }
                shell?.answers += batch.answers
            } else {
                let facts = store.sync()
                oracle.learn(facts, member)
                note(.synced, facts.count)
            }
        case .synced:
            let batch = store.tell()
            note(.told, batch.mail.count)
            tellMailboxes(batch.mail)
            shell?.answers += batch.answers.filter { bug != .answerBeforeSync || !$0.owner.isClient }
        }
    }

    /// `Dispatcher.committed`, first half: each mailbox takes its mail.
    private func tellMailboxes(_ mail: [Envelope]) {
        for envelope in mail {
            let number = member(envelope.actor)
            shell?.members[number].mailbox.committed(envelope, now: now)
            oracle.told(envelope.execution)
            if shell?.members[number].isSignalled == false {
                shell?.members[number].isSignalled = true
                shell?.signals.append(number)
            }
        }
    }

    /// Second half: who hands out slots is told; then everybody is answered.
    func tellOwners() {
        if let signals = shell?.signals, !signals.isEmpty {
            shell?.signals = []
            for number in signals { ready(number) }
            return
        }
        guard let answers = shell?.answers else { return }
        shell?.answers = []
        for (owner, answer) in answers { deliver(answer, to: owner) }
    }

    private func deliver(_ answer: ModelStore.Answer, to owner: ModelStore.Owner) {
        switch owner {
        case .client(let id): answerSender(id, answer)
        case .worker(let id):
            guard let index = shell?.workers.firstIndex(where: { $0.id == id }) else { return }
            switch shell?.workers[index].phase {
            case .beginning: shell?.workers[index].phase = .begun(answer)
            case .finishing: shell?.workers[index].phase = .finished(answer)
            default: preconditionFailure("an answer for a slot that waits for none")
            }
        case .operation(let id):
            guard let index = shell?.operations.firstIndex(where: { $0.id == id }) else { return }
            if case .removed(let count) = answer {
                shell?.operations[index].removed = count
            } else {
                shell?.operations[index].isFailed = true
            }
        case .call(let id):
            guard let index = shell?.calls.firstIndex(where: { $0.id == id }) else { return }
            if case .failed = answer {
                shell?.calls[index].phase = .pausing(until: uptime + 1000)
            } else {
                shell?.calls[index].phase = .settled
            }
        case .nobody: break
        }
    }

    // MARK: Senders

    func send() {
        guard let shell, !shell.dispatch.isDraining else { return }
        let messages = (0..<(dice.chance(0.7) ? 1 : dice.within(2...5))).map { _ in draft() }
        submit(messages)
    }

    private func draft() -> NewMessage {
        if !sent.isEmpty, dice.chance(settings.mail.idempotent / 2) {
            return dice.pick(Array(sent.suffix(8)))
        }
        var message = settings.message(now: now, &dice)
        if dice.chance(settings.mail.idempotent) {
            message.idempotency = IdempotencyKey(key: "i\(nextKey)")
            nextKey += 1
            sent.append(message)
        }
        return message
    }

    private func submit(_ messages: [NewMessage]) {
        guard let id = shell?.nextRequest else { return }
        shell?.nextRequest += 1
        shell?.requests.append((id, messages))
        var known: [ExecutionID?]?
        if bug == .keyCheckedOutside {
            known = messages.map { message in
                message.idempotency.flatMap { store.disk.execution(of: $0, for: message.actor) }
            }
        }
        store.submit(.append(messages, known: known), for: .client(id))
        note(.send, id, messages.count)
    }

    /// Mail that waits before the first step, behind a restart: the mailboxes know nothing of it.
    func fillBacklog() {
        guard settings.backlog > 0 else { return }
        for _ in 0..<settings.backlog { submit([settings.message(now: now, &dice)]) }
        while !store.isIdle || !(shell?.answers.isEmpty ?? true) || !(shell?.signals.isEmpty ?? true) {
            if shell?.signals.isEmpty == false || shell?.answers.isEmpty == false { tellOwners() } else { write() }
        }
        die(byMessage: nil)
        start()
    }

    private func answerSender(_ id: Int, _ answer: ModelStore.Answer) {
        guard let index = shell?.requests.firstIndex(where: { $0.id == id }),
            let request = shell?.requests.remove(at: index)
        else { return }
        guard case .accepted(let results) = answer else { return note(.unanswered, id) }
        oracle.answered(results, to: request.messages, member)
        for result in results {
            switch result {
            case .accepted(let envelope):
                note(.accepted, id, member(envelope.actor), Int(envelope.sequence))
            case .repeated: note(.repeated, id)
            case .keyReused, .nonceRefused, .overQuota: note(.refused, id)
            }
        }
    }
}

extension ModelStore.Owner {
    var isClient: Bool { if case .client = self { true } else { false } }
}
