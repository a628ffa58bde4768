/// The one error that crosses borders: what kind it is, what was wrong, where, why, and what to do.
package struct ActorError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller can tell apart; the HTTP layer maps each to one status.
    package enum Code: String, Sendable, CaseIterable {
        case invalidInput
        case schemaViolation
        case unauthenticated
        case forbidden
        case notFound
        case conflict
        case idempotencyMismatch
        case tooLarge
        case tooManyRequests
        case storageFull
        case unavailable
        case refusedTransition
        case cannotStart
        case timedOut
        case cancelled
        case internalFailure
    }

    package let code: Code
    package let message: String
    /// One entry per violation: a JSON pointer, a `file:line`, or a field name, with what is wrong there.
    package let details: [Detail]
    package let cause: String?

    package struct Detail: Sendable, Equatable {
        package let place: String
        package let problem: String

        package init(place: String, problem: String) {
            self.place = place
            self.problem = problem
        }
    }

    package init(_ code: Code, _ message: String, details: [Detail] = [], cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.details = details
        self.cause = cause.map { String(describing: $0) }
    }

    package var description: String {
        var text = message
        for detail in details { text += "; \(detail.place): \(detail.problem)" }
        if let cause { text += " (\(cause))" }
        return text
    }
}
