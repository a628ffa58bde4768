internal import ActorCore
internal import Logging
internal import Synchronization

/// Makes the HTTP calls that were promised, in order within a key, until each is delivered or given up.
final class OutboxDeliverer: Sendable {
    private struct State {
        var machine: OutboxMachine
        /// The moments that somebody sleeps for: none has two sleepers.
        var armed: Set<Timestamp> = []
    }

    private let state: Mutex<State>
    private let environment: RuntimeEnvironment
    private let client: any HTTPClient

    init(environment: RuntimeEnvironment, client: any HTTPClient) {
        self.environment = environment
        self.client = client
        self.state = Mutex(
            State(
                machine: OutboxMachine(
                    maxRunning: environment.configuration.maxCalls,
                    retryDays: environment.configuration.callRetryDays)))
    }

    /// Returns when the bell is closed; calls under way are cancelled and made again at the next start.
    func run() async {
        environment.outboxBell.ring()
        await withDiscardingTaskGroup { group in
            for await _ in environment.outboxBell.rings {
                let heads: [OutboxItem]
                state.withLock { $0.machine.look() }
                do {
                    heads = try await environment.store.dueHeads(limit: 1024)
                } catch {
                    environment.logger.error(
                        "the outbox could not be read; trying again in a second",
                        metadata: [LogKeys.error: "\(error)"])
                    let again = environment.clock.now().adding(milliseconds: 1000)
                    if arm(again) { group.addTask { await self.wake(at: again) } }
                    continue
                }
                let now = environment.clock.now()
                let plan = state.withLock { $0.machine.plan(heads, now: now) }
                for item in plan.start { group.addTask { await self.deliver(item) } }
                if let moment = plan.wake, arm(moment) { group.addTask { await self.wake(at: moment) } }
            }
            group.cancelAll()
        }
    }

    private func arm(_ moment: Timestamp) -> Bool {
        state.withLock { state in
            if state.armed.contains(where: { $0 <= moment }) { return false }
            state.armed.insert(moment)
            return true
        }
    }

    private func wake(at moment: Timestamp) async {
        try? await environment.clock.sleep(until: moment)
        _ = state.withLock { $0.armed.remove(moment) }
        environment.outboxBell.ring()
    }

    /// Makes the first call of a key, and those behind it as far as the run goes.
    private func deliver(_ head: OutboxItem) async {
        var run = OutboxRun(head)
        var step = OutboxRun.Step.call(head)
        playing: while true {
            switch step {
            case .call(let item): step = await play(item, &run)
            case .read(let item):
                // What cannot be read now is found by the next look.
                let behind = try? await environment.store.undelivered(after: item, limit: OutboxRun.most)
                step = run.read(behind ?? [], now: environment.clock.now())
            case .settle(let outcomes):
                await settle(outcomes, isEvent: head.call.subscription != nil)
                break playing
            case .end: break playing
            }
        }
        state.withLock { $0.machine.finished(run) }
        environment.outboxBell.ring()
    }

    private func play(_ item: OutboxItem, _ run: inout OutboxRun) async -> OutboxRun.Step {
        // Its subscription is gone or disabled: nothing became of the call, and the store no longer offers it.
        guard let answer = await call(item) else { return run.unwanted() }
        let now = environment.clock.now()
        let verdict = state.withLock {
            $0.machine.answered(item, answer, now: now, chance: Double.random(in: 0..<1))
        }
        if Task.isCancelled, verdict != .delivered { return run.unwanted() }
        report(verdict, of: item)
        return run.answered(item, verdict, uptime: environment.clock.uptime())
    }

    /// Tries until it is on disk, or the daemon ends: what is not stored is called again.
    private func settle(_ outcomes: [OutboxOutcome], isEvent: Bool) async {
        let now = environment.clock.now()
        var failures = 0
        while true {
            do {
                return try await environment.store.settle(outcomes, at: now)
            } catch {
                // Its subscription was deleted meanwhile.
                if error.code == .notFound, isEvent { return }
                environment.logger.error(
                    "what became of a call could not be stored; trying again", metadata: [LogKeys.error: "\(error)"])
                failures += 1
                let delay = RetryPolicy.backoff(attempt: failures, base: 0.2, cap: 5, chance: 1)
                guard (try? await environment.clock.sleep(milliseconds: delay)) != nil else { return }
            }
        }
    }

    private func report(_ verdict: OutboxVerdict, of item: OutboxItem) {
        switch verdict {
        case .delivered, .retry: return
        case .givenUp(let reason) where item.call.subscription == nil:
            environment.logger.warning(
                "a callback was given up",
                metadata: [
                    LogKeys.execution: "\(item.execution?.rawValue ?? "-")", LogKeys.reason: "\(reason)",
                    LogKeys.attempt: "\(item.attempts + 1)",
                ])
        case .givenUp(let reason):
            environment.logger.warning(
                "an event was given up",
                metadata: [
                    LogKeys.subscription: "\(item.call.subscription?.rawValue ?? "-")",
                    LogKeys.reason: "\(reason)", LogKeys.attempt: "\(item.attempts + 1)",
                ])
        case .gone(let reason):
            environment.logger.warning(
                "a subscription was disabled",
                metadata: [
                    LogKeys.subscription: "\(item.call.subscription?.rawValue ?? "-")",
                    LogKeys.reason: "\(reason)",
                ])
        }
    }

    private enum Signing {
        /// What tells one call from another and who made it, and where it goes.
        case headers([(name: String, value: String)], url: String)
        case impossible(OutboxMachine.Answer)
    }

    /// Nil when the call is not to be made any more.
    private func signing(_ item: OutboxItem) async -> Signing? {
        if let id = item.call.subscription { return await signing(item, id) }
        if let signer = item.call.signer { return signing(item.call, signer) }
        do throws(ActorError) {
            let key = (name: "Idempotency-Key", value: item.call.idempotencyKey)
            return .headers([key] + hops(of: item.call) + (try await webhookSignature(item.call)), url: item.call.url)
        } catch {
            return .impossible(.noAnswer("the webhook's secret could not be read"))
        }
    }

    /// What an event is signed with, and where it goes: as its subscription says at this moment. Nil when nobody wants
    /// it any more.
    private func signing(_ item: OutboxItem, _ id: SubscriptionID) async -> Signing? {
        guard let signature = environment.configuration.signature else {
            return .impossible(.noAnswer("this daemon cannot sign"))
        }
        do {
            guard let subscription = try await environment.store.subscription(id), subscription.enabled else {
                return nil
            }
            guard !environment.callbacks.address.leadsHere(subscription.sink) else {
                return .impossible(.refused("the sink leads back to this daemon"))
            }
            let now = environment.clock.now()
            return .headers(
                signature.headers(
                    id: item.call.idempotencyKey, at: now, body: item.call.body,
                    secrets: subscription.liveSecrets(at: now))
                    + [(name: SelfAddress.eventHeader, value: environment.callbacks.address.eventMark)],
                url: subscription.sink)
        } catch {
            return .impossible(.noAnswer("the subscription could not be read"))
        }
    }

    /// A call that its actor wants signed never leaves without a signature; the secret of this moment counts.
    private func signing(_ call: OutgoingCall, _ signer: (actor: ActorID, secret: String)) -> Signing {
        guard let signature = environment.configuration.signature,
            environment.directory.entry(signer.actor)?.spec.secrets.contains(signer.secret) ?? false,
            let secret = environment.configuration.secret(signer.secret).flatMap({ WebhookSecret($0) })
        else { return .impossible(.noAnswer("the secret \(signer.secret) that signs it is not set")) }
        return .headers(
            signature.headers(
                id: call.idempotencyKey, at: environment.clock.now(), body: call.body, secrets: [secret]),
            url: call.url)
    }

    private func hops(of call: OutgoingCall) -> [(name: String, value: String)] {
        guard call.hops > 0 else { return [] }
        return [(name: SelfAddress.hopsHeader, value: environment.callbacks.address.hopsText(call.hops))]
    }

    /// The signature that the actor's owner has asked for; the secret of this moment counts, or the last one of an
    /// actor that is gone.
    private func webhookSignature(_ call: OutgoingCall) async throws(ActorError) -> [(name: String, value: String)] {
        guard let actor = call.webhookActor, let signature = environment.configuration.signature else { return [] }
        let secret: WebhookSecret?
        if let entry = environment.directory.entry(actor) {
            secret = entry.spec.definition?.webhookSecret
        } else {
            secret = DepartedWebhooks(try await environment.store.setting(DepartedWebhooks.setting)).secret(of: actor)
        }
        guard let secret else { return [] }
        return signature.headers(
            id: call.idempotencyKey, at: environment.clock.now(), body: call.body, secrets: [secret])
    }

    /// Nil when the call is not to be made any more.
    private func call(_ item: OutboxItem) async -> OutboxMachine.Answer? {
        switch await signing(item) {
        case nil: nil
        case .impossible(let answer): answer
        case .headers(let signed, let url): await send(item, signed, to: url)
        }
    }

    private func send(
        _ item: OutboxItem, _ signed: [(name: String, value: String)], to url: String
    ) async -> OutboxMachine.Answer {
        let target = environment.callbacks.address.unfolded(url)
        let plain = [(name: "Content-Type", value: item.call.contentType), (name: "User-Agent", value: "reactord")]
        let request = OutgoingRequest(
            method: "POST", url: target.url, headers: plain + signed,
            body: item.call.body, timeoutMilliseconds: environment.configuration.callTimeoutMilliseconds,
            maxResponseBytes: 65536)
        do {
            let response = try await client.send(
                request,
                policy: target.isOurs
                    ? .anywhere : .publicOr(allowed: environment.configuration.allowedTargets))
            let now = environment.clock.now()
            return .status(
                response.status,
                retryAfter: response.header("Retry-After").flatMap { RetryAfter.seconds($0, at: now) })
        } catch {
            return error.code == .forbidden || error.code == .invalidInput
                ? .refused(error.message) : .noAnswer(error.message)
        }
    }
}
