package import ActorAPI
package import ActorCore

/// Waits for what a daemon does, by asking, and says what that in its turn waits for.
package struct Waiting: Sendable {
    static let interval = Swift.Duration.milliseconds(200)
    /// Between two looks at what it waits for.
    private static let pause = Swift.Duration.seconds(1)

    private let client: DaemonClient
    /// Nothing is said about what ends sooner.
    private let patience: Swift.Duration
    private let say: @Sendable (String) -> Void

    package init(client: DaemonClient, patience: Swift.Duration, say: @escaping @Sendable (String) -> Void) {
        self.client = client
        self.patience = patience
        self.say = say
    }

    /// As commands wait: what is said goes to standard error.
    init(_ client: DaemonClient) {
        self.init(client: client, patience: .seconds(2)) { Console.standard.error("reactord: \(Safe.line($0))\n") }
    }

    static func end(of id: String, _ client: DaemonClient) async throws -> ExecutionPayload {
        try await Waiting(client).end(of: id)
    }

    /// Waits until the execution has ended; gives up when its actor will not go on by itself.
    package func end(of id: String) async throws -> ExecutionPayload {
        var asksAt = ContinuousClock.now + patience
        var said = ""
        while true {
            let execution = try await client.read(Paths.execution(id), as: ExecutionPayload.self)
            if ["COMPLETE", "ERROR"].contains(execution.status) { return execution }
            if ContinuousClock.now >= asksAt {
                asksAt = ContinuousClock.now + Self.pause
                let reasons = await reasons(of: id)
                try await requireRunning(execution, reasons)
                let words = reasons.compactMap { $0["text"]?.string }.joined(separator: "; ")
                if !words.isEmpty, words != said { say("execution \(id): \(words)") }
                said = words
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Not being able to say what it waits for is no reason not to wait.
    private func reasons(of id: String) async -> [JSONValue] {
        let report = try? await client.get("\(Paths.execution(id))/why")
        return report?["waits_for"]?.array ?? []
    }

    private func requireRunning(_ execution: ExecutionPayload, _ reasons: [JSONValue]) async throws(Failure) {
        let isStopped = reasons.contains { reason in
            reason["reason"]?.string == "actor_stopped" && (reason["until"]?.isNull ?? true)
        }
        guard isStopped else { return }
        try await requireRunning(execution.actorID, "the message is kept as execution \(execution.id) and")
    }

    /// - Parameter kept: what is kept meanwhile, as the beginning of a sentence about it.
    private func requireRunning(_ word: String, _ kept: String) async throws(Failure) {
        // Who may not see the actor waits for it all the same.
        guard let actor = try? await client.read(Paths.actor(word), as: ActorPayload.self), actor.status == "ERROR"
        else { return }
        throw Failure(
            .failed,
            Safe.line(
                "actor \(actor.name) is stopped in ERROR: \(actor.statusMessage); \(kept) runs once the actor does: "
                    + "mend the cause (a change of its folder starts it again), or POST "
                    + "\(Paths.actor(actor.name))/restart"))
    }

    /// The answer of a request that the daemon answers when `actor` has handled it. Gives up when the actor is stopped.
    package func answer(
        from actor: String, _ ask: @escaping @Sendable () async throws -> JSONValue
    ) async throws -> JSONValue {
        try await withThrowingTaskGroup(of: JSONValue?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await ask() }
            group.addTask {
                try await watch(actor)
                return nil
            }
            while let answer = try await group.next() {
                if let answer { return answer }
            }
            throw CancellationError()
        }
    }

    /// Until it is cancelled, or the actor is in ERROR.
    private func watch(_ actor: String) async throws {
        try await Task.sleep(for: patience)
        say("\(actor) has not answered yet; `reactord executions \(actor)` lists what it was asked")
        while true {
            try await requireRunning(actor, "what it was asked is kept (reactord executions \(actor) lists it) and")
            try await Task.sleep(for: Self.pause)
        }
    }
}
