/// A promise that a run saw broken.
package struct Violation: Sendable, Equatable, Error {
    package enum Promise: String, Sendable, CaseIterable {
        case nothingAcceptedIsLost = "nothing accepted is lost"
        case acceptedMeansOnDisk = "accepted means on disk"
        case leasedAtMostOnce = "leased at most once"
        case oneOutcome = "one outcome per execution"
        case effectsWithOutcome = "effects are committed with the outcome"
        case slotsAreWorkers = "slots taken are workers that run"
        case limits = "no more run than the limits allow"
        case orderInLane = "order in a lane"
        case oneAtATimeInLane = "one at a time in a lane"
        case notBeforeItsTime = "nothing runs before its time or after it"
        case idempotency = "one execution per idempotency key"
        case boundedMemory = "memory is bounded"
        case fairness = "everybody gets a turn"
        case noIdling = "no slot idles while a message can run"
        case comesToRest = "everything comes to rest"
        case poisonIsParked = "poison is parked"
        case attemptsAreGiven = "every allowed attempt is given"
        case callsInOrder = "calls of a key leave in order"
        case callsAreMade = "a call counts as delivered when it was"
    }

    package let promise: Promise
    package let step: Int
    /// What was seen, with actors and messages by their numbers in the trace.
    package let text: String
}
