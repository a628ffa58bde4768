internal import ActorCore

/// One slot of an actor: what `Dispatcher.fill` and `ExecutionDriver.run` do, cut at every place where they wait.
struct Worker: Sendable {
    enum Phase: Sendable {
        /// Asks the mailbox what to do next.
        case asking
        /// The store was asked for a page, and has not looked yet.
        case asked(MailboxRead)
        /// What it saw is on its way; nil when it could not be read.
        case seen([Envelope]?)
        /// Waits for the writer.
        case beginning, finishing
        case begun(ModelStore.Answer)
        case working(until: Int64, ExecutionMachine.WorkEnd)
        case finished(ModelStore.Answer)
        /// The store failed: tries again later.
        case pausing(until: Int64, givesBack: Bool)
        /// A message has ended: may the slot go on?
        case between
    }

    let id: Int
    let member: Int
    var phase = Phase.asking
    /// It was started and has not said yet what it found.
    var isSearching = true
    var envelope: Envelope?
    var machine: ExecutionMachine?
    var completion: Completion?
    var started = Timestamp(milliseconds: 0)
    var hasBegun = false
    var failures = 0
}

/// What is lost when the process ends: memory, as `Dispatcher` and `OutboxDeliverer` keep it.
struct Shell: Sendable {
    struct Member: Sendable {
        var mailbox: MailboxMachine
        /// Whoever hands out slots was told of mail, and nobody has found the mailbox empty since.
        var isSignalled = false
        /// A slot was started for it that has not looked yet.
        var isSearched = false
        /// Messages up to here may have been what ended the process before.
        let suspectsEnd: Int64
        /// The earliest wake-up that is under way.
        var armed: Timestamp?
        /// It has rung already, and nobody has noticed (``PlantedBug/wakeUpLost``).
        var hasRung = false
        /// A page could not be read; until then nobody tries again.
        var unreadUntil: Timestamp?
        /// Grants and deliveries at the moment from which it waits for a slot.
        var waitsSince: (grants: Int, deliveries: Int)?
    }

    struct Operation: Sendable {
        let id: Int
        let member: Int
        /// The message to withdraw; nil purges.
        let number: Int?
        var removed: Int?
        var isFailed = false
    }

    struct Call: Sendable {
        enum Phase: Sendable {
            case calling(OutboxItem, until: Int64)
            /// To read what stands behind this one.
            case reading(OutboxItem)
            case settling
            case settled
            case pausing(until: Int64)
        }

        var run: OutboxRun
        var phase: Phase

        /// The first call of the run, by which its outcomes are told apart.
        var id: Int64 { run.begun[0] }
    }

    enum Looking: Sendable {
        case idle
        case asked
        case seen([OutboxItem])
    }

    var dispatch: DispatchMachine
    var members: [Member]
    var workers: [Worker] = []
    var operations: [Operation] = []
    var nextWorker = 1
    var nextOperation = 1
    /// Mailboxes that have new mail; who hands out slots is told in the next step.
    var signals: [Int] = []
    /// Answers that follow the signals.
    var answers: [(owner: ModelStore.Owner, answer: ModelStore.Answer)] = []
    var requests: [(id: Int, messages: [NewMessage])] = []
    var nextRequest = 1

    var outbox: OutboxMachine
    var isRung = true
    var looking = Looking.idle
    var callsArmed: Timestamp?
    var calls: [Call] = []
}
