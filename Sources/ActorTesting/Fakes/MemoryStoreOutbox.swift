package import ActorCore

extension MemoryStore: OutboxStore {
    package func dueHeads(limit: Int) async throws(ActorError) -> [OutboxItem] {
        read { model in
            var heads: [String: OutboxItem] = [:]
            for call in model.calls where call.state == .waiting && heads[call.item.call.orderKey] == nil {
                if let id = call.item.call.subscription, model.subscription(id)?.enabled != true { continue }
                heads[call.item.call.orderKey] = call.item
            }
            let sorted = heads.values.sorted { ($0.nextAttempt, $0.id) < ($1.nextAttempt, $1.id) }
            return Array(sorted.prefix(max(0, limit)))
        }
    }

    package func undelivered(after item: OutboxItem, limit: Int) async throws(ActorError) -> [OutboxItem] {
        read { model in
            let behind = model.calls.filter {
                $0.state == .waiting && $0.item.call.orderKey == item.call.orderKey && $0.item.id > item.id
            }
            return Array(behind.map(\.item).sorted { $0.id < $1.id }.prefix(max(0, limit)))
        }
    }

    package func promise(_ call: OutgoingCall, at now: Timestamp) async throws(ActorError) {
        try change { model in model.add(call, execution: nil, at: now) }
    }

    package func settle(_ outcomes: [OutboxOutcome], at now: Timestamp) async throws(ActorError) {
        try change { (model) throws(ActorError) in
            let there = outcomes.filter { model.settle($0, at: now) }
            if there.isEmpty, let first = outcomes.first {
                throw ActorError(.notFound, "there is no outgoing call \(first.id)")
            }
        }
    }
}

extension MemoryModel {
    /// False when there is no such call any more.
    fileprivate mutating func settle(_ outcome: OutboxOutcome, at now: Timestamp) -> Bool {
        guard let index = calls.firstIndex(where: { $0.item.id == outcome.id && $0.state == .waiting }) else {
            return false
        }
        let owner = calls[index].item.call.subscription
        switch outcome.verdict {
        case .delivered where owner == nil: calls.remove(at: index)
        case .delivered: finish(index, as: .delivered, reason: nil)
        case .retry(let moment, let reason):
            calls[index].item.attempts += 1
            calls[index].item.nextAttempt = moment
            calls[index].reason = reason
        case .givenUp(let reason): finish(index, as: .givenUp, reason: reason)
        case .gone(let reason):
            finish(index, as: .givenUp, reason: reason)
            if let place = subscriptions.firstIndex(where: { $0.id == owner }) {
                subscriptions[place].setEnabled(false, reason: reason, at: now)
            }
        }
        return true
    }
}

extension MemoryStore: SubscriptionStore {
    package func announce(as announcer: Announcer) {
        // Nothing else to do than to be one change of the model.
        _ = try? change { (model) throws(ActorError) in model.announcer = announcer }
    }

    package func create(_ subscription: Subscription) async throws(ActorError) {
        try change { (model) throws(ActorError) in
            guard model.subscription(subscription.id) == nil else {
                throw ActorError(.conflict, "there is a subscription \(subscription.id) already")
            }
            guard model.subscriptions.count < Subscription.maxCount else {
                throw ActorError(.tooManyRequests, "there are as many subscriptions as may be")
            }
            model.subscriptions.append(subscription)
        }
    }

    package func subscriptions() async throws(ActorError) -> [Subscription] { read { $0.subscriptions } }

    package func subscription(_ id: SubscriptionID) async throws(ActorError) -> Subscription? {
        read { $0.subscription(id) }
    }

    package func update(
        _ id: SubscriptionID, _ change: @escaping @Sendable (inout Subscription) -> Void
    ) async throws(ActorError) -> Subscription {
        try self.change { (model) throws(ActorError) in
            guard let index = model.subscriptions.firstIndex(where: { $0.id == id }) else { throw Self.none(id) }
            let counts = model.subscriptions[index].counts
            change(&model.subscriptions[index])
            model.subscriptions[index].counts = counts
            for place in model.calls.indices
            where model.calls[place].item.call.subscription == id && model.calls[place].state == .waiting {
                model.readdress(place, to: model.subscriptions[index].sink)
            }
            model.announcer?.queued()
            return model.subscriptions[index]
        }
    }

    package func deleteSubscription(_ id: SubscriptionID) async throws(ActorError) -> Bool {
        try change { (model) throws(ActorError) in
            guard model.subscription(id) != nil else { return false }
            model.subscriptions.removeAll { $0.id == id }
            model.calls.removeAll { $0.item.call.subscription == id }
            return true
        }
    }

    package func queue(
        _ event: CloudEvent, for id: SubscriptionID, at now: Timestamp
    ) async throws(ActorError) {
        try change { (model) throws(ActorError) in
            guard let subscription = model.subscription(id) else { throw Self.none(id) }
            guard subscription.enabled else { throw ActorError(.conflict, "subscription \(id) is disabled") }
            try model.checkRoom(for: subscription)
            model.queue([subscription.call(for: event)], for: id, at: now)
        }
    }

    package func deliveries(of id: SubscriptionID, limit: Int) async throws(ActorError) -> [Delivery] {
        read { model in
            let calls = model.calls.filter { $0.item.call.subscription == id }
                .sorted { $0.item.id > $1.item.id }.prefix(max(0, limit))
            return calls.map { call in
                Delivery(
                    id: call.item.id, event: call.item.call.idempotencyKey, type: call.item.call.eventType,
                    state: call.state, attempts: call.item.attempts,
                    nextAttempt: call.state == .waiting ? call.item.nextAttempt : nil, reason: call.reason,
                    created: call.item.created)
            }
        }
    }

    package func resend(
        _ delivery: Int64, of id: SubscriptionID, at now: Timestamp
    ) async throws(ActorError) -> Bool {
        try change { (model) throws(ActorError) in
            guard let subscription = model.subscription(id),
                let index = model.calls.firstIndex(where: {
                    $0.item.id == delivery && $0.item.call.subscription == id
                })
            else { return false }
            if model.calls[index].state == .waiting {
                model.calls[index].item.nextAttempt = now
                model.announcer?.queued()
                return true
            }
            try model.checkRoom(for: subscription)
            var call = model.calls[index].item.call
            call.url = subscription.sink
            model.queue([call], for: id, at: now)
            return true
        }
    }

    private static func none(_ id: SubscriptionID) -> ActorError {
        ActorError(.notFound, "there is no subscription \(id)")
    }
}

/// Subscriptions in the model.
extension MemoryModel {
    func subscription(_ id: SubscriptionID) -> Subscription? { subscriptions.first { $0.id == id } }

    /// Queues what a commit has to tell.
    mutating func announce(_ events: [CommittedEvent]) {
        guard let announcer, !events.isEmpty else { return }
        let enabled = subscriptions.filter(\.enabled)
        guard !enabled.isEmpty else { return }
        let now = announcer.now()
        for (subscription, calls) in announcer.plan(events, for: enabled, at: now) {
            queue(calls, for: subscription.id, at: now)
        }
    }

    mutating func queue(_ new: [OutgoingCall], for id: SubscriptionID, at now: Timestamp) {
        guard let index = subscriptions.firstIndex(where: { $0.id == id }) else { return }
        let taken = min(new.count, max(0, Subscription.maxWaiting - subscriptions[index].counts.waiting))
        for call in new.prefix(taken) { add(call, execution: nil, at: now) }
        subscriptions[index].counts.waiting += taken
        subscriptions[index].counts.dropped += new.count - taken
        if taken > 0 { announcer?.queued() }
        if taken < new.count { announcer?.overflowed(id) }
    }

    func checkRoom(for subscription: Subscription) throws(ActorError) {
        guard subscription.counts.waiting < Subscription.maxWaiting else {
            throw ActorError(.tooManyRequests, "as many events wait for subscription \(subscription.id) as may")
        }
    }

    mutating func readdress(_ place: Int, to sink: String) {
        let item = calls[place].item
        var call = item.call
        call.url = sink
        calls[place].item = OutboxItem(
            id: item.id, call: call, execution: item.execution, attempts: item.attempts,
            nextAttempt: item.nextAttempt, created: item.created)
    }

    mutating func finish(_ place: Int, as state: Delivery.State, reason: String?) {
        calls[place].item.attempts += 1
        calls[place].state = state
        calls[place].reason = reason
        let owner = calls[place].item.call.subscription
        guard let index = subscriptions.firstIndex(where: { $0.id == owner }) else { return }
        subscriptions[index].counts.waiting -= 1
        let isDelivered = state == .delivered
        if isDelivered {
            subscriptions[index].counts.delivered += 1
        } else {
            subscriptions[index].counts.givenUp += 1
        }
        let kept = isDelivered ? Subscription.keptDelivered : Subscription.keptGivenUp
        let old = calls.filter { $0.item.call.subscription == owner && $0.state == state }.map(\.item.id).dropLast(kept)
        calls.removeAll { old.contains($0.item.id) }
    }
}
