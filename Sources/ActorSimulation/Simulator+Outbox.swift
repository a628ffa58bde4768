internal import ActorCore

/// What `OutboxDeliverer` does, and a target that answers as it likes.
extension Simulator {
    func look() {
        switch shell?.looking {
        case .idle:
            shell?.isRung = false
            shell?.outbox.look()
            shell?.looking = .asked
        case .asked: shell?.looking = .seen(heads())
        case .seen(let heads):
            note(.look, heads.count)
            shell?.looking = .idle
            guard let plan = shell?.outbox.plan(heads, now: now) else { return }
            for item in plan.start {
                note(.call, Int(item.id))
                shell?.calls.append(Shell.Call(run: OutboxRun(item), phase: begin(item)))
            }
            if let moment = plan.wake, shell?.callsArmed.map({ moment < $0 }) ?? true { shell?.callsArmed = moment }
        case nil: break
        }
    }

    private func heads() -> [OutboxItem] {
        guard bug == .callUnordered else { return store.disk.heads(limit: 1024) }
        var seen: Set<String> = []
        return store.disk.calls.filter { $0.nextAttempt <= now && seen.insert($0.call.orderKey).inserted }
    }

    private func begin(_ item: OutboxItem) -> Shell.Call.Phase {
        oracle.callStarts(item)
        if bug == .callSettledEarly { store.submit(.settle([OutboxOutcome(item.id, .delivered)]), for: .nobody) }
        return .calling(item, until: uptime + Int64(dice.below(item.call.subscription == nil ? 400 : 40)))
    }

    func playCall(_ index: Int) {
        guard let call = shell?.calls[index] else { return }
        switch call.phase {
        case .calling(let item, _):
            let answer = targetAnswers()
            let isDelivered = if case .status(200, _) = answer { true } else { false }
            note(.answer, Int(item.id), isDelivered ? 1 : 0)
            oracle.callAnswered(item, isDelivered: isDelivered)
            guard let verdict = shell?.outbox.answered(item, answer, now: now, chance: dice.unit()) else { return }
            play(index, shell?.calls[index].run.answered(item, verdict, uptime: uptime))
        case .reading(let item):
            let behind = store.disk.calls(after: item, limit: OutboxRun.most)
            play(index, shell?.calls[index].run.read(behind, now: now))
        case .settled, .pausing:
            note(.settled, Int(call.id))
            shell?.calls.remove(at: index)
            oracle.callsFinished(call.run)
            shell?.outbox.finished(call.run)
            shell?.isRung = true
        case .settling: break
        }
    }

    private func play(_ index: Int, _ step: OutboxRun.Step?) {
        switch step {
        case .call(let item):
            note(.call, Int(item.id))
            shell?.calls[index].phase = begin(item)
        case .read(let item): shell?.calls[index].phase = .reading(item)
        case .settle(let outcomes):
            guard let id = shell?.calls[index].id else { return }
            shell?.calls[index].phase = .settling
            store.submit(.settle(outcomes), for: .call(id))
        case .end: shell?.calls[index].phase = .settled
        case nil: break
        }
    }

    private func targetAnswers() -> OutboxMachine.Answer {
        guard hasTroubles else { return .status(200, retryAfter: nil) }
        return switch dice.below(10) {
        case 0, 1: .status(500, retryAfter: nil)
        case 2: .noAnswer("timed out")
        case 3: dice.chance(0.5) ? .status(429, retryAfter: dice.within(1...3)) : .status(404, retryAfter: nil)
        default: .status(200, retryAfter: nil)
        }
    }
}
