package import ActorCore

extension ActorSystem {
    /// What is checked of a message before it is stored; the message is then ready for ``append(_:then:)``.
    package func checked(_ draft: MessageDraft) throws(ActorError) -> NewMessage {
        guard isAccepting else { throw ActorError(.unavailable, "the daemon is stopping; send again in a moment") }
        return try bus.checked(draft)
    }

    /// Stores checked messages in one commit. `then` is called from a thread of the store, with one result each,
    /// when they are on disk; it must return at once.
    package func append(
        _ messages: [NewMessage],
        then: @escaping @Sendable (Result<[Result<SendReceipt, ActorError>], ActorError>) -> Void
    ) {
        let bus = self.bus
        store.append(messages, maxMailbox: limits.maxMailbox) { answer in
            then(
                answer.map { results in
                    results.map { result in
                        do throws(ActorError) { return .success(try bus.receipt(result)) } catch {
                            return .failure(error)
                        }
                    }
                })
        }
    }

    /// The same for who may wait. One result for each message, in their order.
    package func append(
        _ messages: [NewMessage]
    ) async throws(ActorError) -> [Result<SendReceipt, ActorError>] {
        if messages.isEmpty { return [] }
        let answer = await withCheckedContinuation { continuation in
            append(messages) { continuation.resume(returning: $0) }
        }
        return try answer.get()
    }

    /// Sends without a task: `then` is called when the message is on disk, or at once when it is refused.
    package func send(_ draft: MessageDraft, then: @escaping @Sendable (Result<SendReceipt, ActorError>) -> Void) {
        let message: NewMessage
        do throws(ActorError) { message = try checked(draft) } catch { return then(.failure(error)) }
        append([message]) { answer in
            then(
                answer.flatMap { results in
                    results.first ?? .failure(ActorError(.internalFailure, "the store gave no answer"))
                })
        }
    }
}
