/// Which promised HTTP calls leave when: in order within a key, keys side by side, retried with backoff for days.
package struct OutboxMachine: Sendable {
    package enum Answer: Sendable, Equatable {
        /// An HTTP status, with the seconds of `Retry-After` when it was given.
        case status(Int, retryAfter: Int?)
        case noAnswer(String)
        /// The target may not be called at all.
        case refused(String)
    }

    private static let maxSilent = 1024

    private let maxRunning: Int
    private let retryMilliseconds: Int64
    /// Keys with a call under way, until its outcome is on disk, and where it goes.
    private var running: [String: String] = [:]
    /// Targets that gave no answer when they were asked last: each gets one call at a time, all together half of
    /// what may run, so that those that are away hold up nobody else.
    private var silent: Set<String> = []
    /// Items whose outcome was stored since the last look at the store began: what that look saw of them is old.
    private var settled: Set<Int64> = []

    package init(maxRunning: Int, retryDays: Double) {
        self.maxRunning = max(1, maxRunning)
        self.retryMilliseconds = Milliseconds.of(seconds: retryDays * 86400)
    }

    package var hasRoom: Bool { running.count < maxRunning }

    /// No target fills all places: it may be the next that gives no answer.
    private func hasRoom(for target: String) -> Bool {
        let toTarget = running.values.count { $0 == target }
        guard silent.contains(target) else { return toTarget < maxRunning - maxRunning / 4 }
        return toTarget == 0 && running.values.count { silent.contains($0) } < max(1, maxRunning / 2)
    }

    /// Whether the target of a call is there at all.
    private mutating func note(_ answer: Answer, of target: String) {
        if case .noAnswer = answer {
            // So many are never away at once; what is forgotten is learnt again.
            if silent.count >= Self.maxSilent { silent.removeAll() }
            silent.insert(target)
        } else {
            silent.remove(target)
        }
    }

    /// The store is about to be read.
    package mutating func look() { settled = [] }

    /// The calls to make now out of `heads` (the first undelivered one of each key), and when to look again.
    package mutating func plan(_ heads: [OutboxItem], now: Timestamp) -> (start: [OutboxItem], wake: Timestamp?) {
        var start: [OutboxItem] = []
        var wake: Timestamp?
        for item in heads where running[item.call.orderKey] == nil && !settled.contains(item.id) {
            if !item.isDue(now) {
                wake = min(wake ?? item.nextAttempt, item.nextAttempt)
            } else if hasRoom, hasRoom(for: item.call.target) {
                running[item.call.orderKey] = item.call.target
                start.append(item)
            }
        }
        return (start, wake)
    }

    /// The outcomes are on disk (or could not be stored, and the calls are made again): the next of the key may leave.
    package mutating func finished(_ run: OutboxRun) {
        guard running.removeValue(forKey: run.key) != nil else {
            preconditionFailure("the end of a call that was not made")
        }
        settled.formUnion(run.begun)
    }

    /// A call came back: what becomes of its row.
    package mutating func answered(
        _ item: OutboxItem, _ answer: Answer, now: Timestamp, chance: Double
    ) -> OutboxVerdict {
        note(answer, of: item.call.target)
        if item.call.subscription != nil { return announced(item, answer, now: now, chance: chance) }
        switch answer {
        case .status(200..<300, _): return .delivered
        case .refused(let why): return .givenUp(reason: why)
        case .status(410, _): return .givenUp(reason: "the target answered 410: it is gone")
        case .status(let code, _) where (400..<500).contains(code) && ![408, 425, 429].contains(code):
            // The same bytes will be refused again.
            return .givenUp(reason: "the target answered \(code)")
        case .status(let code, let retryAfter):
            return again(item, "the target answered \(code)", retryAfter: retryAfter, now: now, chance: chance)
        case .noAnswer(let why): return again(item, why, retryAfter: nil, now: now, chance: chance)
        }
    }

    /// Events are tried until their time is over, whatever goes wrong: a sink may be on its way to being set up.
    /// Only one that says that it is gone is believed.
    private func announced(
        _ item: OutboxItem, _ answer: Answer, now: Timestamp, chance: Double
    ) -> OutboxVerdict {
        switch answer {
        case .status(200..<300, _): return .delivered
        case .status(410, _): return .gone(reason: "the sink answered 410: it is gone")
        case .status(let code, let retryAfter):
            return again(item, "the sink answered \(code)", retryAfter: retryAfter, now: now, chance: chance)
        case .noAnswer(let why), .refused(let why):
            return again(item, why, retryAfter: nil, now: now, chance: chance)
        }
    }

    private func again(
        _ item: OutboxItem, _ reason: String, retryAfter: Int?, now: Timestamp, chance: Double
    ) -> OutboxVerdict {
        let backoff = RetryPolicy.backoff(attempt: item.attempts + 1, base: 0.5, cap: 3600, chance: chance)
        let asked = min(Milliseconds.of(seconds: retryAfter ?? 0), OutboxItem.longestWait)
        let at = now.adding(milliseconds: max(backoff, asked))
        guard at.since(item.created) <= retryMilliseconds else { return .givenUp(reason: reason) }
        return .retry(at: at, reason: reason)
    }
}
