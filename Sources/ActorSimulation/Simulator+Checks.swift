internal import ActorCore

/// What has to be true: after every step, whenever only time can change anything, and at the end.
extension Simulator {
    func checkStep() {
        guard let shell else { return }
        if shell.dispatch.running != shell.workers.count {
            oracle.complain(
                .slotsAreWorkers, "\(shell.dispatch.running) slots are taken, \(shell.workers.count) workers run")
        }
        for number in settings.members.indices {
            checkMemory(number, shell)
            checkTurn(number, shell)
        }
    }

    private func checkMemory(_ number: Int, _ shell: Shell) {
        let mailbox = shell.members[number].mailbox
        let running = shell.workers.count { $0.member == number && $0.envelope != nil }
        let base = 4 * settings.bound + settings.maxRunning
        if mailbox.inMemory > base,
            mailbox.inMemory > base + oracle.laneHolders(number, ordered: isOrdered(number))
        {
            oracle.complain(
                .boundedMemory, "actor \(number) has \(mailbox.inMemory) in memory, its bound is \(settings.bound)")
        }
        if mailbox.running != running, bug != .endedBeforeCommit {
            oracle.complain(
                .slotsAreWorkers, "actor \(number): \(mailbox.running) delivered, \(running) in slots")
        }
    }

    private func checkTurn(_ number: Int, _ shell: Shell) {
        guard let since = shell.members[number].waitsSince, !shell.dispatch.isDraining else { return }
        let others = settings.members.count + settings.maxRunning
        if grants - since.grants > others {
            oracle.complain(.fairness, "actor \(number) waits for its turn since \(grants - since.grants) grants")
        }
        if deliveries - since.deliveries > 2 * others {
            oracle.complain(
                .fairness, "actor \(number) waits for its turn since \(deliveries - since.deliveries) deliveries")
        }
    }

    /// Only time can change anything now: whoever could run must be running.
    func checkRest() {
        guard let shell, !shell.dispatch.isDraining, shell.workers.count < settings.maxRunning else { return }
        for number in settings.members.indices where !isPaused[number] {
            let workers = shell.workers.filter { $0.member == number }
            let taken = workers.compactMap(\.envelope)
            guard workers.count < limits[number], shell.members[number].unreadUntil == nil,
                let story = oracle.runnable(number, now: now, ordered: isOrdered(number), taken: taken)
            else { continue }
            oracle.complain(
                .noIdling,
                "actor \(number) has a free slot and lets \(story.envelope.execution) (sequence "
                    + "\(story.envelope.sequence), key \(story.envelope.key ?? "-"), due "
                    + "\(story.notBefore?.since(now) ?? 0), attempts \(story.attempts)) wait")
        }
    }

    /// The end of everything: what was accepted has ended, what was promised was called.
    func checkEnd() {
        for number in oracle.live.joined() {
            let story = oracle.stories[number]
            let isAnswered = story.isAnswered ? "answered" : "stored"
            oracle.complain(
                .nothingAcceptedIsLost, "\(story.envelope.execution) was \(isAnswered) and has not ended")
        }
        for call in oracle.calls { oracle.complain(.callsAreMade, "call \(call.id) was promised and not made") }
        for story in oracle.stories where story.outcome == .succeeded && story.letters != Int(story.deed.letters) {
            oracle.complain(
                .effectsWithOutcome, "\(story.envelope.execution) has sent \(story.letters) of its letters")
        }
    }

    /// Deliveries of an actor since it was paused.
    func pausedFor(_ number: Int) -> Int { deliveriesBy[number] - pausedAt[number] }
}
