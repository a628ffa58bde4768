internal import ActorCore

/// Knows the truth: what is on disk, what was promised to whom, what runs. Finds what breaks a promise.
struct Oracle: Sendable {
    private(set) var stories: [Story] = []
    private var numbers: [ExecutionID: Int] = [:]
    /// Messages without an outcome, per member, in order of acceptance.
    private(set) var live: [[Int]]
    private var keys: [String: ExecutionID] = [:]
    /// Calls that are not settled, in order.
    private(set) var calls: [OutboxItem] = []
    private var callsUnderWay: [OutboxItem] = []
    /// Delivered by this process, in a run whose outcomes are not on disk.
    private var callsPassed: Set<Int64> = []
    private var answeredCalls: Set<Int64> = []
    private var deliveredCalls: Set<Int64> = []
    private let retries: [RetryPolicy]
    private(set) var complaint: (promise: Violation.Promise, text: String)?
    /// The latest that any clock has shown.
    var latest = Timestamp(milliseconds: .min)

    init(_ members: [Settings.Member]) {
        live = members.map { _ in [] }
        retries = members.map(\.retry)
    }

    mutating func complain(_ promise: Violation.Promise, _ text: String) {
        if complaint == nil { complaint = (promise, text) }
    }

    /// The number of an execution that is on disk.
    func number(_ execution: ExecutionID) -> Int? { numbers[execution] }

    // MARK: What is on disk

    mutating func learn(_ facts: [Fact], _ member: (ActorID) -> Int) {
        for fact in facts {
            switch fact {
            case .accepted(let envelope): accepted(envelope, member(envelope.actor))
            case .began(let execution, let attempt):
                change(execution) { story in
                    story.attempts = attempt
                    story.hasBegun = true
                }
            case .tried(let execution, let outcome, let attempts, let again):
                change(execution) { story in
                    story.attempts = attempts
                    story.hasBegun = false
                    story.notBefore = again
                    if outcome != .interrupted {
                        story.failures += 1
                        story.isRetrying = true
                    }
                }
            case .interrupted(let execution, let attempts):
                change(execution) { story in
                    story.attempts = attempts
                    story.hasBegun = false
                    story.failures += 1
                }
            case .ended(let execution, let outcome, let isParked, let letters, let calls):
                ended(execution, outcome, isParked: isParked, letters: letters, calls: calls)
            case .promised(let item): calls.append(item)
            case .settled(let id, let verdict): settled(id, verdict)
            }
        }
    }

    private mutating func change(_ execution: ExecutionID, _ body: (inout Story) -> Void) {
        guard let number = numbers[execution] else {
            return complain(.acceptedMeansOnDisk, "the disk holds \(execution), which was never accepted")
        }
        body(&stories[number])
    }

    private mutating func accepted(_ envelope: Envelope, _ member: Int) {
        let number = stories.count
        var story = Story(envelope: envelope, member: member, deed: Deed(envelope.message))
        story.notBefore = envelope.notBefore
        stories.append(story)
        numbers[envelope.execution] = number
        live[member].append(number)
        if let key = envelope.message.idempotency {
            let name = "\(member) \(key.key)"
            if let first = keys[name] { complain(.idempotency, "\(first) and \(envelope.execution) have one key") }
            keys[name] = envelope.execution
        }
        guard let cause = envelope.message.cause else { return }
        guard let origin = numbers[cause], stories[origin].outcome == .succeeded else {
            return complain(.effectsWithOutcome, "\(cause) sent \(envelope.execution) and has not succeeded")
        }
        stories[origin].letters += 1
    }

    private mutating func ended(
        _ execution: ExecutionID, _ outcome: Outcome, isParked: Bool, letters: Int, calls: Int
    ) {
        guard let number = numbers[execution] else {
            return complain(.acceptedMeansOnDisk, "\(execution) ended and was never accepted")
        }
        let story = stories[number]
        if let first = story.outcome {
            return complain(.oneOutcome, "\(execution) ended as \(first.rawValue), then as \(outcome.rawValue)")
        }
        stories[number].outcome = outcome
        stories[number].hasBegun = false
        if let index = live[story.member].firstIndex(of: number) { live[story.member].remove(at: index) }
        let isDone = outcome == .succeeded
        if letters != (isDone ? Int(story.deed.letters) : 0) || calls != (isDone ? Int(story.deed.calls) : 0) {
            complain(.effectsWithOutcome, "\(execution) \(outcome.rawValue) with \(letters) letters, \(calls) calls")
        }
        let given = story.failures + (outcome == .interrupted ? 0 : 1)
        if isParked, story.deed.kind != .impossible, given < retries[story.member].attempts {
            complain(.attemptsAreGiven, "\(execution) was parked after \(given) attempts")
        }
        if outcome == .expired, story.envelope.expires.map({ $0 > latest }) ?? true {
            complain(.notBeforeItsTime, "\(execution) expired before its time")
        }
    }

    // MARK: What senders were told

    mutating func answered(_ results: [AcceptResult], to messages: [NewMessage], _ member: (ActorID) -> Int) {
        for (result, message) in zip(results, messages) {
            switch result {
            case .accepted(let envelope):
                guard let number = numbers[envelope.execution] else {
                    return complain(.acceptedMeansOnDisk, "\(envelope.execution) was answered and is not on disk")
                }
                stories[number].isAnswered = true
            case .repeated(let execution):
                if let key = message.idempotency, keys["\(member(message.actor)) \(key.key)"] != execution {
                    complain(.idempotency, "a repeat was answered with \(execution)")
                }
            case .keyReused, .nonceRefused, .overQuota: break
            }
        }
    }

    // MARK: What the process does

    mutating func processDied(holding rows: [Envelope]) {
        for numbers in live { for number in numbers { stories[number].processDied() } }
        callsUnderWay = []
        callsPassed = []
        let held = Set(rows.map(\.execution))
        for number in live.joined() where !held.contains(stories[number].envelope.execution) {
            complain(.nothingAcceptedIsLost, "\(stories[number].envelope.execution) is gone from the disk")
        }
    }

    mutating func told(_ execution: ExecutionID) {
        if let number = numbers[execution] { stories[number].isTold = true }
    }

    /// A slot that has it will hear of it when it stores its end.
    mutating func takenBack(_ number: Int) { stories[number].isTakenBack = stories[number].holder == nil }

    mutating func killed(by number: Int) {
        stories[number].kills += 1
        let story = stories[number]
        if story.kills > retries[story.member].attempts + 3 {
            complain(.poisonIsParked, "\(story.envelope.execution) has ended \(story.kills) processes")
        }
    }

    mutating func released(_ number: Int) {
        stories[number].holder = nil
        stories[number].isExpiring = false
    }

    /// A slot was given this message, to run it or to end it as expired.
    mutating func delivered(
        _ envelope: Envelope, to worker: Int, now: Timestamp, ordered: Bool, isExpiring: Bool
    ) {
        guard let number = numbers[envelope.execution] else {
            return complain(.acceptedMeansOnDisk, "\(envelope.execution) was delivered and is not on disk")
        }
        let story = stories[number]
        if let holder = story.holder {
            complain(.leasedAtMostOnce, "\(envelope.execution) was given to slot \(worker), slot \(holder) has it")
        }
        // What was withdrawn or purged may still be in memory until that is told; its end will not be stored.
        if let outcome = story.outcome, outcome != .cancelled || story.isTakenBack {
            complain(.leasedAtMostOnce, "\(envelope.execution) was delivered after it ended (\(outcome.rawValue))")
        }
        if !isExpiring, story.outcome == nil { checkOrder(of: number, now: now, ordered: ordered) }
        if let moment = story.notBefore, moment > latest {
            complain(.notBeforeItsTime, "\(envelope.execution) was delivered before its time")
        }
        if !isExpiring, let moment = envelope.expires, moment <= now {
            complain(.notBeforeItsTime, "\(envelope.execution) was run after its time")
        }
        stories[number].holder = worker
        stories[number].isExpiring = isExpiring
        if !isExpiring {
            stories[number].wasDelivered = true
            if !ordered, envelope.key == nil { stories[number].wasUnordered = true }
        }
    }

    /// Messages of one lane run one after another, in order of acceptance within a priority, unless the sender
    /// delayed the earlier one. Who was tried holds the lane until its end.
    private mutating func checkOrder(of number: Int, now: Timestamp, ordered: Bool) {
        let story = stories[number]
        // What ran beside others of its actor before that was made to run one at a time has no place in a lane.
        guard let lane = story.lane(ordered: ordered), !story.wasUnordered else { return }
        let rank = story.envelope.rank
        for other in live[story.member] where other != number {
            let earlier = stories[other]
            guard earlier.lane(ordered: ordered) == lane, !earlier.isExpiring, earlier.isTold,
                !earlier.wasUnordered
            else { continue }
            if earlier.holder != nil {
                complain(
                    .oneAtATimeInLane,
                    "\(story.envelope.execution) was delivered while \(earlier.envelope.execution) runs")
            }
            let isBefore = earlier.envelope.rank < rank && earlier.envelope.rank.priority == rank.priority
            let wasTried = earlier.attempts > 0 || earlier.wasDelivered
            let isExpired = earlier.envelope.expires.map { $0 <= latest } ?? false
            if wasTried ? isBefore || earlier.isRetrying : isBefore && !earlier.isDelayedBySender && !isExpired {
                complain(
                    .orderInLane,
                    "\(story.place) was delivered before \(earlier.place), "
                        + (earlier.isRetrying ? "which waits for another attempt" : "which came first"))
            }
        }
    }

    /// A message that could run now, in an actor that has a free slot.
    ///
    /// - Parameter taken: what its slots have, some of which may have been withdrawn meanwhile.
    func runnable(_ member: Int, now: Timestamp, ordered: Bool, taken: [Envelope]) -> Story? {
        let waiting = live[member].map { stories[$0] }
        var held = Set(taken.compactMap { $0.key ?? (ordered ? "" : nil) })
        for story in waiting where !story.isExpiring {
            guard let lane = story.lane(ordered: ordered) else { continue }
            // Who was cut off or given back keeps its lane, even if the clock was set back before its sender's moment.
            let wasTried = story.attempts > 0 || story.wasDelivered
            let isHeld = story.holder != nil || (wasTried && story.notBefore.map { $0 > now } ?? false)
            if isHeld { held.insert(lane) }
        }
        return waiting.first { story in
            guard story.holder == nil, story.isTold, story.notBefore.map({ $0 <= now }) ?? true else { return false }
            return story.lane(ordered: ordered).map { !held.contains($0) } ?? true
        }
    }

    /// Messages of a member that hold a lane while they wait for another attempt.
    func laneHolders(_ member: Int, ordered: Bool) -> Int {
        live[member].count { stories[$0].attempts > 0 && stories[$0].lane(ordered: ordered) != nil }
    }

    // MARK: Outgoing calls

    mutating func callStarts(_ item: OutboxItem) {
        let ofKey = { (other: OutboxItem) in other.call.orderKey == item.call.orderKey }
        if callsUnderWay.contains(where: ofKey) {
            complain(.callsInOrder, "call \(item.id) was made while another of its key was under way")
        }
        // Of a sink's events those may be passed over that this process has delivered and not stored yet.
        let first = calls.first { ofKey($0) && !(item.call.subscription != nil && callsPassed.contains($0.id)) }
        guard first?.id == item.id else {
            return complain(.callsInOrder, "call \(item.id) was made and is not the first of its key")
        }
        callsUnderWay.append(item)
    }

    mutating func callAnswered(_ item: OutboxItem, isDelivered: Bool) {
        answeredCalls.insert(item.id)
        guard isDelivered else { return }
        deliveredCalls.insert(item.id)
        guard item.call.subscription != nil else { return }
        callsPassed.insert(item.id)
        callsUnderWay.removeAll { $0.id == item.id }
    }

    mutating func callsFinished(_ run: OutboxRun) {
        callsUnderWay.removeAll { $0.call.orderKey == run.key }
        callsPassed.subtract(run.begun)
    }

    private mutating func settled(_ id: Int64, _ verdict: OutboxVerdict) {
        switch verdict {
        case .delivered:
            calls.removeAll { $0.id == id }
            if !deliveredCalls.contains(id) { complain(.callsAreMade, "call \(id) counts as delivered and was not") }
        case .givenUp, .gone:
            calls.removeAll { $0.id == id }
            if !answeredCalls.contains(id) { complain(.callsAreMade, "call \(id) was given up and never made") }
        case .retry: break
        }
    }
}
