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
                oracle.callStarts(item)
                shell?.calls.append(
                    Shell.Call(item: item, phase: .calling(until: uptime + Int64(dice.below(400)))))
                if bug == .callSettledEarly { store.submit(.settle(item.id, .delivered), for: .nobody) }
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

    func playCall(_ index: Int) {
        guard let call = shell?.calls[index] else { return }
        switch call.phase {
        case .calling:
            let answer = targetAnswers()
            let isDelivered = if case .status(200, _) = answer { true } else { false }
            note(.answer, Int(call.item.id), isDelivered ? 1 : 0)
            oracle.callAnswered(call.item, isDelivered: isDelivered)
            guard let verdict = shell?.outbox.answered(call.item, answer, now: now, chance: dice.unit()) else { return }
            shell?.calls[index].phase = .settling
            store.submit(.settle(call.item.id, verdict), for: .call(call.item.id))
        case .settled, .pausing:
            note(.settled, Int(call.item.id))
            shell?.calls.remove(at: index)
            oracle.callFinished(call.item)
            shell?.outbox.finished(call.item)
            shell?.isRung = true
        case .settling: break
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
