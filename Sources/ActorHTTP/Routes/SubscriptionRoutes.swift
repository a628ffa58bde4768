import ActorAPI
import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// `/api/v1/subscriptions`: who outside is told of committed events. For admins, and for who owns one.
struct SubscriptionRoutes {
    private static let longestList = 1000
    private static let graceHours = 24
    private static let maxGraceHours = 168

    let front: HTTPFront

    func add(to table: RouteTable) {
        let one = "\(Paths.subscriptions)/:id"
        table.on(Paths.subscriptions, [.get: list, .post: create])
        table.on(one, [.get: read, .put: replace, .patch: change, .delete: delete])
        table.on("\(one)/rotate", [.post: rotate])
        table.on("\(one)/test", [.post: test])
        table.on("\(one)/deliveries", [.get: deliveries])
        table.on("\(one)/deliveries/:delivery/resend", [.post: resend])
    }

    @Sendable private func list(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try person(context)
        let all = try await front.system.store.subscriptions().filter { mayTouch(caller, $0) }
        return .page(Page(items: all.map { SubscriptionPayload($0) }), plural: "subscriptions")
    }

    @Sendable private func create(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let caller = try front.requireAdmin(context)
        guard caller.nonce == nil else { throw ActorError.notAuthorized }
        let fields = try SubscriptionFields(try await BodyJSON.object(request, limits: front.system.limits))
        guard let sink = fields.sink else { throw SubscriptionFields.wrong("/sink", "is missing") }
        try refuseOurselves(sink)
        let now = front.system.now()
        let secret = WebhookSecret.fresh()
        var made = Subscription(
            id: SubscriptionID(front.system.makeID()), sink: sink, secret: secret, owner: caller.username,
            created: now, updated: now)
        fields.apply(to: &made, at: now)
        let subscription = made
        try await front.audited(caller, "subscription.create", subscription.id.rawValue) {
            try await front.system.store.create(subscription)
        }
        var response = Response.json(
            SubscriptionPayload(subscription, showing: secret).json, status: .created)
        response.headers[.location] = Paths.subscription(subscription.id.rawValue)
        return response
    }

    @Sendable private func read(_ request: Request, _ context: HTTPContext) async throws -> Response {
        .json(SubscriptionPayload(try await found(context).subscription).json)
    }

    @Sendable private func replace(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (caller, subscription) = try await found(context)
        let fields = try SubscriptionFields(try await BodyJSON.object(request, limits: front.system.limits))
        guard fields.sink != nil else { throw SubscriptionFields.wrong("/sink", "is missing") }
        return try await write(fields.replacing(), to: subscription.id, caller)
    }

    @Sendable private func change(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (caller, subscription) = try await found(context)
        let fields = try SubscriptionFields(try await BodyJSON.object(request, limits: front.system.limits))
        return try await write(fields, to: subscription.id, caller)
    }

    private func write(
        _ fields: SubscriptionFields, to id: SubscriptionID, _ caller: Caller
    ) async throws -> Response {
        if let sink = fields.sink { try refuseOurselves(sink) }
        let now = front.system.now()
        let changed = try await front.audited(caller, "subscription.change", id.rawValue) {
            try await front.system.store.update(id) { fields.apply(to: &$0, at: now) }
        }
        return .json(SubscriptionPayload(changed).json)
    }

    @Sendable private func delete(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (caller, subscription) = try await found(context)
        let wasThere = try await front.audited(caller, "subscription.delete", subscription.id.rawValue) {
            try await front.system.store.deleteSubscription(subscription.id)
        }
        guard wasThere else { throw none(subscription.id.rawValue) }
        return Response(status: .noContent)
    }

    /// A new secret; the one before signs beside it for `grace_hours`, so that the sink can be changed in peace.
    @Sendable private func rotate(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (caller, subscription) = try await found(context)
        let body = try await BodyJSON.object(request, limits: front.system.limits)
        let hours = body["grace_hours"].map { $0.int ?? -1 } ?? Self.graceHours
        guard (0...Self.maxGraceHours).contains(hours) else {
            throw SubscriptionFields.wrong("/grace_hours", "must be a number from 0 to \(Self.maxGraceHours)")
        }
        let now = front.system.now()
        let secret = WebhookSecret.fresh()
        let changed = try await front.audited(caller, "subscription.rotate", subscription.id.rawValue) {
            try await front.system.store.update(subscription.id) {
                $0.rotate(to: secret, expires: now.adding(milliseconds: Int64(hours) * 3_600_000), at: now)
            }
        }
        return .json(SubscriptionPayload(changed, showing: secret).json)
    }

    @Sendable private func test(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (caller, subscription) = try await found(context)
        let event = try await front.audited(caller, "subscription.test", subscription.id.rawValue) {
            try await front.system.sendTestEvent(to: subscription.id)
        }
        return .json(["event_id": .string(event.id), "type": .string(event.type)], status: .accepted)
    }

    @Sendable private func deliveries(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let subscription = try await found(context).subscription
        let limit = try request.number("limit", default: 100, in: 1...Self.longestList)
        let deliveries = try await front.system.store.deliveries(of: subscription.id, limit: limit)
        return .page(Page(items: deliveries.map { DeliveryPayload($0) }), plural: "deliveries")
    }

    @Sendable private func resend(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let (caller, subscription) = try await found(context)
        let word = context.word("delivery")
        let wasThere = try await front.audited(
            caller, "subscription.resend", "\(subscription.id)/\(word.prefix(20))"
        ) {
            guard let number = Int64(word) else { return false }
            return try await front.system.store.resend(number, of: subscription.id, at: front.system.now())
        }
        guard wasThere else { throw ActorError(.notFound, "there is no delivery \(word.prefix(20))") }
        return .json(["delivery": .string(word)], status: .accepted)
    }

    /// Nonces open actors, not this.
    private func person(_ context: HTTPContext) throws(ActorError) -> Caller {
        let caller = try context.requireCaller()
        guard caller.nonce == nil else { throw ActorError.notAuthorized }
        return caller
    }

    private func mayTouch(_ caller: Caller, _ subscription: Subscription) -> Bool {
        caller.isAdmin || caller.username == subscription.owner
    }

    /// To others one that is not theirs is not there.
    private func found(
        _ context: HTTPContext
    ) async throws(ActorError) -> (caller: Caller, subscription: Subscription) {
        let caller = try person(context)
        let word = context.word()
        guard let subscription = try await front.system.store.subscription(SubscriptionID(word)),
            mayTouch(caller, subscription)
        else { throw none(word) }
        return (caller, subscription)
    }

    private func none(_ word: String) -> ActorError {
        ActorError(.notFound, "there is no subscription \(word.prefix(64))")
    }

    private func refuseOurselves(_ sink: String) throws(ActorError) {
        guard front.address.leadsHere(sink) else { return }
        throw SubscriptionFields.wrong(
            "/sink",
            "leads back to this daemon, where each event would cause the next; "
                + "to tell an actor of another's executions, set link: in the other's actor.yml")
    }
}

extension SubscriptionPayload {
    /// - Parameter secret: shown once, when it was made.
    init(_ subscription: Subscription, showing secret: WebhookSecret? = nil) {
        self.init(
            id: subscription.id.rawValue, sink: subscription.sink, types: subscription.types,
            source: subscription.source, filters: .array(subscription.filters.map(\.json)),
            description: subscription.description, owner: subscription.owner, enabled: subscription.enabled,
            disabledReason: subscription.disabledReason, waiting: subscription.counts.waiting,
            delivered: subscription.counts.delivered, givenUp: subscription.counts.givenUp,
            dropped: subscription.counts.dropped, created: subscription.created.iso8601,
            updated: subscription.updated.iso8601, previousSecretExpires: subscription.retired?.expires.iso8601,
            secret: secret?.reveal())
    }
}

extension DeliveryPayload {
    init(_ delivery: Delivery) {
        self.init(
            id: delivery.id, eventID: delivery.event, type: delivery.type, state: delivery.state.rawValue,
            attempts: delivery.attempts, nextAttempt: delivery.nextAttempt?.iso8601, reason: delivery.reason,
            created: delivery.created.iso8601)
    }
}
