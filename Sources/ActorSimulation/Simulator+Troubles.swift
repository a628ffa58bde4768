internal import ActorCore

/// What goes wrong, and what people do meanwhile.
extension Simulator {
    /// True when something happened in place of a move.
    func trouble() -> Bool {
        let troubles = settings.troubles
        if dice.chance(troubles.crash) {
            note(.crash, -1)
            die(byMessage: nil)
        } else if shell?.dispatch.isDraining == true {
            return closeWhenIdle()
        } else if dice.chance(troubles.drain) {
            drain()
        } else if dice.chance(troubles.clock) {
            turnClock()
        } else if dice.chance(troubles.limit) {
            changeLimit()
        } else if dice.chance(troubles.pause) {
            let number = dice.below(settings.members.count)
            pause(number, !isPaused[number])
        } else if dice.chance(troubles.withdraw) {
            withdraw()
        } else if dice.chance(troubles.purge) {
            purge()
        } else if dice.chance(troubles.cancel), let count = shell?.workers.count, count > 0 {
            stop(dice.below(count), .cancel)
        } else {
            return false
        }
        return true
    }

    // MARK: Processes

    /// The process is gone, with everything that was not synced.
    func die(byMessage number: Int?) {
        oracle.learn(store.crash(isLucky: dice.chance(settings.troubles.luck)), member)
        shell = nil
        if let number { oracle.killed(by: number) }
        oracle.processDied(holding: store.disk.rows.map(\.envelope))
    }

    func start() {
        let (facts, interrupted, wasUnclean) = store.open()
        oracle.learn(facts, member)
        oracle.processDied(holding: store.disk.rows.map(\.envelope))
        let held = Set(store.disk.rows.map(\.envelope.actor))
        shell = Shell(
            dispatch: DispatchMachine(maxRunning: settings.maxRunning),
            members: settings.members.map { member in
                Shell.Member(
                    mailbox: MailboxMachine(bound: settings.bound, mayHoldMail: held.contains(member.id)),
                    suspectsEnd: wasUnclean ? store.disk.lastSequence : 0)
            },
            outbox: OutboxMachine(maxRunning: settings.maxCalls, retryDays: settings.callDays))
        note(.recovered, interrupted, wasUnclean ? 1 : 0)
        for number in settings.members.indices { configure(number) }
    }

    private func configure(_ number: Int) {
        let (limit, isPaused) = (limits[number], isPaused[number])
        decide({ $0.configured($1, limit: limit) }, number)
        decide({ $0.paused($1, isPaused) }, number)
        ready(number)
    }

    private func drain() {
        note(.drain)
        shell?.dispatch.drain()
        for number in settings.members.indices { shell?.members[number].waitsSince = nil }
        for index in (shell?.workers ?? []).indices { stop(index, .drain) }
    }

    /// A clean end, once nothing runs and nothing waits for the writer.
    func closeWhenIdle() -> Bool {
        guard let shell, shell.workers.isEmpty, shell.answers.isEmpty, shell.signals.isEmpty, store.isIdle else {
            return false
        }
        note(.closed)
        store.close()
        self.shell = nil
        return true
    }

    // MARK: People and clocks

    private func turnClock() {
        let jump = dice.chance(0.5) ? dice.within(1...20000) : -dice.within(1...20000)
        offset += Int64(jump)
        oracle.latest = max(oracle.latest, now)
        note(.clock, jump)
    }

    private func changeLimit() {
        let number = dice.below(settings.members.count)
        limits[number] = dice.within(1...4)
        note(.limit, number, limits[number])
        shell?.members[number].waitsSince = nil
        configure(number)
    }

    func pause(_ number: Int, _ isPaused: Bool) {
        self.isPaused[number] = isPaused
        pausedAt[number] = deliveriesBy[number]
        note(.pause, number, isPaused ? 1 : 0)
        shell?.members[number].waitsSince = nil
        decide({ $0.paused($1, isPaused) }, number)
        if !isPaused { ready(number) }
    }

    private func withdraw() {
        let live = oracle.live.joined().filter { !oracle.stories[$0].hasBegun }
        guard !live.isEmpty, let id = shell?.nextOperation else { return }
        let number = dice.pick(live)
        let story = oracle.stories[number]
        shell?.nextOperation += 1
        shell?.operations.append(Shell.Operation(id: id, member: story.member, number: number))
        note(.withdraw, story.member, Int(story.envelope.sequence))
        store.submit(.withdraw(story.envelope.execution), for: .operation(id))
    }

    private func purge() {
        guard let id = shell?.nextOperation else { return }
        let number = dice.below(settings.members.count)
        shell?.nextOperation += 1
        shell?.operations.append(Shell.Operation(id: id, member: number, number: nil))
        note(.purge, number)
        store.submit(.purge(settings.members[number].id), for: .operation(id))
    }

    /// The caller hears that it is done, and tells the mailbox.
    func endOperation(_ index: Int) {
        guard let operation = shell?.operations.remove(at: index), let removed = operation.removed else { return }
        if let number = operation.number {
            guard removed > 0 else { return }
            if bug != .withdrawalUntold {
                shell?.members[operation.member].mailbox.removed(oracle.stories[number].envelope.sequence)
            }
            oracle.takenBack(number)
        } else {
            if bug == .purgeForgetsLater, shell?.workers.contains(where: { $0.member == operation.member }) == false {
                shell?.members[operation.member].mailbox = MailboxMachine(bound: settings.bound)
            } else {
                shell?.members[operation.member].mailbox.purged()
            }
        }
        ready(operation.member)
    }
}
