import ActorCore
import Synchronization

/// Nonces without a limit of uses that were shown lately, so that a message on one needs no look into the store first.
///
/// It decides nothing: the transaction that stores a message refuses it when its nonce is gone by then.
final class NonceMemory: Sendable {
    private static let most = 1024
    private let known = Mutex<[NonceID: Nonce]>([:])

    subscript(id: NonceID) -> Nonce? { known.withLock { $0[id] } }

    func keep(_ nonce: Nonce) {
        guard nonce.maxUses < 0 else { return }
        known.withLock { known in
            if known.count >= Self.most, known[nonce.id] == nil, let any = known.keys.first { known[any] = nil }
            known[nonce.id] = nonce
        }
    }

    func forget(_ id: NonceID) { known.withLock { $0[id] = nil } }
}
