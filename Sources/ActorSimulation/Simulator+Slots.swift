internal import ActorCore

/// What `Dispatcher` does: hands out slots, asks mailboxes, reads pages, wakes up.
extension Simulator {
    func play(_ actions: [DispatchMachine.Action]) {
        for case .start(let actor) in actions {
            let number = member(actor)
            grants += 1
            guard var shell else { return }
            let worker = Worker(id: shell.nextWorker, member: number)
            shell.nextWorker += 1
            shell.workers.append(worker)
            let count = shell.workers.count { $0.member == number }
            if count > limits[number] || shell.workers.count > settings.maxRunning {
                oracle.complain(.limits, "actor \(number) was given slot \(count) of \(limits[number])")
            }
            if isPaused[number] || shell.dispatch.isDraining {
                oracle.complain(.limits, "actor \(number) was given a slot while it may not run")
            }
            shell.members[number].waitsSince = nil
            shell.members[number].isSearched = true
            self.shell = shell
            note(.grant, number, worker.id)
        }
    }

    /// From now on the actor has a claim on its turn, if it has a slot of its own free.
    private func waits(_ number: Int) {
        guard let shell, shell.members[number].waitsSince == nil, !shell.members[number].isSearched, !isPaused[number],
            shell.dispatch.running(settings.members[number].id) < limits[number]
        else { return }
        self.shell?.members[number].waitsSince = (grants, deliveries)
    }

    func decide(_ body: (inout DispatchMachine, ActorID) -> [DispatchMachine.Action], _ number: Int) {
        guard shell != nil else { return }
        let actor = settings.members[number].id
        var actions: [DispatchMachine.Action] = []
        if var dispatch = shell?.dispatch {
            actions = body(&dispatch, actor)
            shell?.dispatch = dispatch
        }
        play(actions)
    }

    func ready(_ number: Int) {
        waits(number)
        decide({ $0.ready($1) }, number)
    }

    /// The slot found something to do, the first since it was started.
    private func found(_ index: Int) {
        guard let worker = shell?.workers[index], worker.isSearching else { return }
        let more = shell?.members[worker.member].mailbox.isBare == false && bug != .moreUntold
        shell?.workers[index].isSearching = false
        shell?.members[worker.member].isSearched = false
        if !more { shell?.members[worker.member].isSignalled = false }
        decide({ $0.found($1, more: more) }, worker.member)
        if more { waits(worker.member) }
    }

    /// The slot found nothing to do.
    private func idle(_ index: Int) {
        guard let worker = shell?.workers.remove(at: index) else { return }
        shell?.members[worker.member].isSignalled = false
        shell?.members[worker.member].isSearched = false
        shell?.members[worker.member].waitsSince = nil
        note(.giveBack, worker.member, worker.id)
        decide({ $0.idle($1) }, worker.member)
    }

    private func giveUpSlot(_ index: Int) {
        guard let worker = shell?.workers.remove(at: index) else { return }
        note(.giveBack, worker.member, worker.id)
        shell?.members[worker.member].isSearched = false
        decide({ $0.finished($1) }, worker.member)
        waits(worker.member)
    }

    func arm(_ number: Int, _ moment: Timestamp) {
        guard let armed = shell?.members[number].armed else {
            shell?.members[number].armed = moment
            return
        }
        if moment < armed {
            shell?.members[number].armed = moment
            shell?.members[number].hasRung = false
        }
    }

    func wake(_ number: Int) {
        note(.wake, number)
        if bug == .wakeUpLost {
            shell?.members[number].hasRung = true
        } else {
            shell?.members[number].armed = nil
        }
        shell?.members[number].unreadUntil = nil
        ready(number)
    }

    // MARK: A slot

    func work(_ index: Int) {
        guard let worker = shell?.workers[index] else { return }
        switch worker.phase {
        case .asking: ask(index)
        case .asked(let page): take(page, index)
        case .seen(let rows): see(rows, index)
        case .begun(let answer): begun(answer, index)
        case .working(_, let end): workEnds(end, index)
        case .finished(let answer): finished(answer, index)
        case .pausing(_, let givesBack): resume(index, givesBack: givesBack)
        case .between: goOn(index)
        case .beginning, .finishing: break
        }
    }

    private func ask(_ index: Int) {
        guard let number = shell?.workers[index].member,
            let next = shell?.members[number].mailbox.next(now: now, ordered: isOrdered(number))
        else { return }
        switch next {
        case .deliver(var envelope):
            found(index)
            // One that has begun before says so itself.
            if let member = shell?.members[number], envelope.sequence <= member.suspectsEnd {
                envelope.isSuspect = envelope.attempts == 0
            }
            run(envelope, index)
        case .expire(let envelope):
            found(index)
            expire(envelope, index)
        case .read(let page):
            found(index)
            note(.ask, number)
            shell?.workers[index].phase = .asked(page)
        case .wait(let moment):
            note(.wait, number, Int(moment.milliseconds - now.milliseconds))
            idle(index)
            arm(number, moment)
        case .empty:
            note(.empty, number)
            idle(index)
        }
    }

    /// The reader looks: from now on what it saw grows old.
    private func take(_ page: MailboxRead, _ index: Int) {
        guard let number = shell?.workers[index].member else { return }
        if hasTroubles, dice.chance(settings.troubles.page) {
            shell?.workers[index].phase = .seen(nil)
            return
        }
        var rows = store.disk.page(page, of: settings.members[number].id, now: now, limit: settings.bound)
        if bug == .lanesForgotten, case .retrying = page { rows = [] }
        shell?.workers[index].phase = .seen(rows)
    }

    private func see(_ rows: [Envelope]?, _ index: Int) {
        guard let number = shell?.workers[index].member else { return }
        note(.page, number, rows?.count ?? -1)
        guard let rows else {
            shell?.members[number].mailbox.readFailed()
            let again = now.adding(milliseconds: 1000)
            shell?.members[number].unreadUntil = again
            if bug == .slotForgotten {
                shell?.workers.remove(at: index)
            } else {
                idle(index)
            }
            return arm(number, again)
        }
        shell?.members[number].mailbox.read(rows, limit: settings.bound, now: now)
        shell?.workers[index].phase = .asking
        ready(number)
    }

    private func goOn(_ index: Int) {
        guard let worker = shell?.workers[index], let dispatch = shell?.dispatch else { return }
        let actor = settings.members[worker.member].id
        if bug == .turnWithoutEnd, !isPaused[worker.member], !dispatch.isDraining,
            dispatch.running(actor) <= limits[worker.member]
        {
            shell?.workers[index].phase = .asking
        } else if dispatch.keepsSlot(actor)
            || (bug == .pauseIgnored && isPaused[worker.member] && !dispatch.isDraining)
        {
            shell?.workers[index].phase = .asking
        } else {
            giveUpSlot(index)
        }
    }
}
