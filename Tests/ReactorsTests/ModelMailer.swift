import ActorCore
import Synchronization

/// Keeps what was sent, until it refuses.
final class ModelMailer: Mailer {
    private let sent = Mutex((mails: [Mail](), isRefusing: false))

    func read<Value: Sendable>(_ body: ([Mail]) -> Value) -> Value { sent.withLock { body($0.mails) } }
    func refuse() { sent.withLock { $0.isRefusing = true } }

    func send(_ mail: Mail, by program: String) async throws(ActorError) {
        let isTaken = sent.withLock { sent in
            if !sent.isRefusing { sent.mails.append(mail) }
            return !sent.isRefusing
        }
        guard isTaken else { throw ActorError(.unavailable, "the mailer refuses") }
    }
}
