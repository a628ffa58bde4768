/// What becomes of a message that is delivered once more: the end of the daemon may have cut off its last attempt.
package struct CutOffAttempts: Sendable {
    /// What is known of the command of the attempt that is next.
    package enum Trace: Sendable, Equatable {
        /// Nobody has seen it: nothing of it has been done.
        case none
        /// It runs, or has ended and its end is known.
        case kept
        /// It was started, and nobody can say how far it came.
        case lost
    }

    package enum Next: Sendable, Equatable {
        case goOn
        /// What is left of the command goes, and it is started anew.
        case startAnew
        case park(reason: String)
    }

    /// So often the start of a command may be cut off, however few attempts its actor gives it.
    private static let unbegun = 3

    private let attempts: Int
    private let most: Int
    private let isCommand: Bool

    /// - Parameters:
    ///   - attempts: those that began before, in all.
    ///   - isCommand: the message is for a command, not for a built-in Reactor.
    package init(_ attempts: Int, retry: RetryPolicy, isCommand: Bool) {
        self.attempts = attempts
        self.most = retry.attempts
        self.isCommand = isCommand
    }

    /// Its trace may decide: there were attempts of it.
    package var mayBeLost: Bool { isCommand && attempts > 0 }
    /// Nothing but a command that goes on keeps it from being parked: this message may be what ends the daemon.
    package var isLast: Bool { attempts >= (isCommand ? max(most, Self.unbegun) : most) }

    package func next(_ trace: Trace) -> Next {
        switch trace {
        case .kept: return .goOn
        case .none:
            return isLast ? .park(reason: "the daemon ended during each of its \(attempts) attempts") : .goOn
        case .lost:
            guard attempts >= most else { return .startAnew }
            return .park(
                reason: "the daemon ended during each of its \(attempts) attempts; its command was cut off too, and "
                    + "nobody knows how far it came: see what it has done, then replay the message")
        }
    }
}
