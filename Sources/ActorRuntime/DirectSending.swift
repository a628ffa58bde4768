package import ActorCore

extension ActorSystem {
    /// What is checked of a message before it is stored; the message is then ready for ``append(_:then:)``.
    package func checked(_ draft: MessageDraft) throws(ActorError) -> NewMessage {
        guard isAccepting else { throw ActorError(.unavailable, "the daemon is stopping; send again in a moment") }
        return try bus.checked(draft)
    }

    /// Whether an event loop may check a small message to this actor itself.
    package func checksQuickly(_ actor: ActorID) -> Bool {
        directory.entry(actor)?.schemas.allSatisfy(\.isQuick) ?? true
    }

    /// Stores checked messages to one actor in one commit. `then` is called from a thread of the store, with one result
    /// each, when they are on disk; it must return at once.
    package func append(
        _ messages: [NewMessage],
        then: @escaping @Sendable (Result<[Result<SendReceipt, ActorError>], ActorError>) -> Void
    ) {
        guard let actor = messages.first?.actor else { return then(.success([])) }
        store.append(messages, rules: bus.rules(for: actor)) { answer in
            then(answer.map { results in results.map(MailboxBus.receipt) })
        }
    }

    /// The same for who may wait. One result for each message, in their order.
    package func append(
        _ messages: [NewMessage]
    ) async throws(ActorError) -> [Result<SendReceipt, ActorError>] {
        guard let actor = messages.first?.actor else { return [] }
        return try await store.append(messages, rules: bus.rules(for: actor)).map(MailboxBus.receipt)
    }
}
