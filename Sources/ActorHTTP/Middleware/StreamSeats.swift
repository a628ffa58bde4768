import ActorCore
import Synchronization

/// How many lasting answers may be open at once: each holds a connection for as long as its reader likes.
final class StreamSeats: Sendable {
    private struct State {
        var all = 0
        var byCaller: [String: Int] = [:]
    }

    /// One lasting answer. It counts until it ends; at the latest until nobody holds this any more.
    final class Seat: Sendable {
        private let seats: StreamSeats
        private let caller: String
        private let isTaken = Mutex(true)

        fileprivate init(_ seats: StreamSeats, _ caller: String) {
            self.seats = seats
            self.caller = caller
        }

        deinit { giveBack() }

        func giveBack() {
            let wasTaken = isTaken.withLock { isTaken in
                defer { isTaken = false }
                return isTaken
            }
            if wasTaken { seats.remove(caller) }
        }
    }

    private let perCaller: Int
    private let total: Int
    private let state = Mutex(State())

    /// Far fewer than connections, so that there are always some for everything else.
    convenience init(maxConnections: Int) { self.init(perCaller: 64, total: min(512, max(1, maxConnections / 2))) }

    init(perCaller: Int, total: Int) {
        self.perCaller = perCaller
        self.total = total
    }

    /// Admins count as anybody. Who comes with a nonce counts as its owner, or nonces would be seats for the taking.
    func take(for principal: Principal) throws(ActorError) -> Seat {
        // Neither has blanks.
        let caller = "\(principal.tenant) \(principal.username)"
        let refusal: String? = state.withLock { state in
            let own = state.byCaller[caller] ?? 0
            if own >= perCaller {
                return "\(own) streams of \(principal.username) are open, as many as one may have; end one first"
            }
            if state.all >= total {
                return "\(state.all) streams are open, as many as there may be; try again in a moment"
            }
            state.all += 1
            state.byCaller[caller] = own + 1
            return nil
        }
        if let refusal { throw ActorError(.tooManyRequests, refusal) }
        return Seat(self, caller)
    }

    private func remove(_ caller: String) {
        state.withLock { state in
            state.all -= 1
            let own = (state.byCaller[caller] ?? 1) - 1
            state.byCaller[caller] = own > 0 ? own : nil
        }
    }
}
