internal import ActorCore

/// What one run is made of, all of it drawn from its seed. Every run leaves out some kinds of trouble, so that rare
/// ones are not hidden behind common ones.
struct Settings: Sendable {
    struct Member: Sendable {
        let id: ActorID
        var concurrency: Int
        /// Every attempt is put on disk before it runs.
        let isScripted: Bool
        let retry: RetryPolicy
        let timeout: Int64
    }

    /// Chances per step, per commit, per page.
    struct Troubles: Sendable {
        var crash = 0.0
        /// A commit that is under way when the process dies is on disk all the same.
        var luck = 0.0
        var drain = 0.0
        var clock = 0.0
        var commit = 0.0
        var page = 0.0
        var limit = 0.0
        var pause = 0.0
        var withdraw = 0.0
        var purge = 0.0
        var cancel = 0.0
    }

    /// Chances per message.
    struct Mail: Sendable {
        var sending = 0.1
        var keyed = 0.0
        var keys = 1
        var urgent = 0.0
        var delayed = 0.0
        var expiring = 0.0
        var idempotent = 0.0
        var failing = 0.0
        var poison = 0.0
        var answering = 0.0
        var calling = 0.0
        var slow = 0.0
    }

    var members: [Member]
    let maxRunning: Int
    let bound: Int
    let maxCalls: Int
    let callDays: Double
    let maxMailbox: Int
    /// Messages that wait before the first step.
    let backlog: Int
    var troubles = Troubles()
    var mail = Mail()

    init(_ dice: inout Dice) {
        members = (0..<dice.within(1...4)).map { number in
            Member(
                id: ActorID("a\(number)"), concurrency: dice.chance(0.5) ? 1 : dice.within(2...4),
                isScripted: dice.chance(0.35),
                retry: RetryPolicy(
                    attempts: dice.within(1...4), backoffSeconds: Double(dice.within(1...20)) / 20,
                    maxBackoffSeconds: 2),
                timeout: Int64(dice.within(200...1500)))
        }
        maxRunning = dice.within(1...5)
        bound = dice.chance(0.2) ? 16 : dice.within(1...6)
        maxCalls = dice.within(1...3)
        callDays = dice.chance(0.5) ? 3 : 0.0002
        maxMailbox = dice.chance(0.2) ? 10 : 10000
        backlog = dice.chance(0.4) ? dice.within(1...60) : 0
        func sometimes(_ probability: Double, upTo most: Double, _ dice: inout Dice) -> Double {
            dice.chance(probability) ? most * (0.1 + 0.9 * dice.unit()) : 0
        }
        troubles.crash = sometimes(0.6, upTo: 0.02, &dice)
        troubles.luck = dice.unit()
        troubles.drain = sometimes(0.3, upTo: 0.006, &dice)
        troubles.clock = sometimes(0.3, upTo: 0.01, &dice)
        troubles.commit = sometimes(0.4, upTo: 0.25, &dice)
        troubles.page = sometimes(0.4, upTo: 0.3, &dice)
        troubles.limit = sometimes(0.3, upTo: 0.01, &dice)
        troubles.pause = sometimes(0.3, upTo: 0.02, &dice)
        troubles.withdraw = sometimes(0.4, upTo: 0.03, &dice)
        troubles.purge = sometimes(0.3, upTo: 0.01, &dice)
        troubles.cancel = sometimes(0.3, upTo: 0.02, &dice)
        mail.sending = 0.02 + 0.2 * dice.unit()
        mail.keyed = dice.chance(0.3) ? 1 : sometimes(0.6, upTo: 0.9, &dice)
        mail.keys = dice.within(1...5)
        mail.urgent = sometimes(0.4, upTo: 0.5, &dice)
        mail.delayed = sometimes(0.5, upTo: 0.6, &dice)
        mail.expiring = sometimes(0.3, upTo: 0.4, &dice)
        mail.idempotent = sometimes(0.5, upTo: 0.6, &dice)
        mail.failing = sometimes(0.6, upTo: 0.7, &dice)
        mail.poison = sometimes(0.2, upTo: 0.05, &dice)
        mail.answering = sometimes(0.5, upTo: 0.5, &dice)
        mail.calling = sometimes(0.4, upTo: 0.5, &dice)
        mail.slow = sometimes(0.4, upTo: 0.3, &dice)
    }
}
