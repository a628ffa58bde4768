import ActorCore
import ActorTesting
import Testing

/// One job at an engine: every event in every state that it can meet.
struct RemoteJobMachineTests {
    private typealias Machine = RemoteJobMachine
    private typealias Action = RemoteJobMachine.Action

    private static let start = Timestamp(milliseconds: 1_000_000)
    private static func after(_ milliseconds: Int64) -> Timestamp { start.adding(milliseconds: milliseconds) }

    private static let good = EngineEnd(.succeeded, exitCode: 0)
    private static let unreachable = EngineFailure(.unreachable, "no answer")
    private static let running = EngineObservation(.running, node: "n1")

    private func machine(_ rules: Machine.Rules = Machine.Rules()) -> Machine {
        Machine(rules: rules, now: Self.start)
    }

    /// Submitted, and seen to run.
    private func begun(_ rules: Machine.Rules = Machine.Rules()) -> Machine {
        var machine = machine(rules)
        _ = machine.due(now: Self.start, chance: 0)
        _ = machine.submitted("7", now: Self.start)
        _ = machine.seen(Self.running, now: Self.start)
        return machine
    }

    private func ended(_ end: EngineEnd, _ rules: Machine.Rules = Machine.Rules()) -> (Machine, [Action]) {
        var machine = begun(rules)
        #expect(machine.seen(EngineObservation(.ended(end)), now: Self.after(10)) == [.keep])
        let actions = machine.kept(now: Self.after(20), chance: 1)
        return (machine, actions)
    }

    @Test func aJobThatGoesWell() {
        var machine = machine()
        #expect(machine.wake == Self.start && !machine.isFollowed)
        #expect(machine.due(now: Self.start, chance: 0) == [.submit])
        #expect(machine.submitted("7", now: Self.start) == [.tell(.submitted("7"))])
        #expect(machine.isFollowed && machine.wake == nil)
        let waiting = EngineObservation(.pending, reason: "Resources")
        #expect(machine.seen(waiting, now: Self.start) == [.tell(.waiting("Resources"))])
        // The same is not told twice.
        #expect(machine.seen(waiting, now: Self.start).isEmpty)
        #expect(machine.seen(Self.running, now: Self.start) == [.tell(.running(node: "n1"))])
        let step = EngineObservation.Step(.initial, "a", .ended(Self.good))
        let more = EngineObservation(.running, node: "n1", steps: [step, .init(.main, "b", .running)])
        #expect(machine.seen(more, now: Self.start) == [.tell(.step(step, Self.good))])
        #expect(machine.seen(EngineObservation(.ended(Self.good), steps: [step]), now: Self.start) == [.keep])
        #expect(!machine.isFollowed && machine.isOpen)
        #expect(machine.kept(now: Self.start, chance: 0) == [.publish])
        #expect(machine.isOver && machine.wake == nil)
    }

    @Test func failuresOfTheEngineAreTriedAgainForEverAndToldOnce() {
        var machine = machine()
        var now = Self.start
        var told = 0
        for failure in 1...50 {
            #expect(machine.due(now: now, chance: 1) == [.submit])
            told += machine.failed(Self.unreachable, now: now, chance: 1).count
            let wake = machine.wake ?? now
            #expect(wake.since(now) == min(600_000, 2000 << min(failure - 1, 20)))
            #expect(machine.due(now: now, chance: 1).isEmpty)
            now = wake
        }
        #expect(told == 1 && machine.attempt == 1)
        #expect(machine.submitted("7", now: now) == [.tell(.submitted("7"))])
    }

    @Test func anOrderThatTheEngineCannotTakeEndsTheJob() {
        var machine = machine()
        _ = machine.due(now: Self.start, chance: 0)
        let actions = machine.failed(EngineFailure(.unacceptable, "bad name"), now: Self.start, chance: 0)
        #expect(actions == [.fail(step: nil, EngineEnd(.couldNotStart, message: "bad name"))])
        #expect(machine.isOver)
    }

    @Test func aFailedTryIsRepeatedAsOftenAsTheJobAllows() {
        var (machine, actions) = ended(.exited(3), Machine.Rules(retries: 1))
        #expect(actions == [.tell(.again(attempt: 2, "exited with status 3"))])
        #expect(machine.attempt == 2 && machine.id == nil)
        let again = Self.after(60_000)
        #expect(machine.due(now: again, chance: 0) == [.submit])
        _ = machine.submitted("8", now: again)
        _ = machine.seen(EngineObservation(.ended(.exited(3))), now: again)
        #expect(machine.kept(now: again, chance: 0) == [.fail(step: nil, .exited(3))])
        #expect(machine.isOver)
    }

    @Test(arguments: [EngineEnd.Kind.evicted, .preempted, .nodeFailed, .lost])
    func whatTheEngineLosesCountsAsNoTryOfTheJob(kind: EngineEnd.Kind) {
        var (machine, _) = ended(EngineEnd(kind))
        #expect(machine.attempt == 2 && !machine.isOver)
        var now = Self.after(1)
        // Not for ever: something is wrong with the engine then, and somebody has to know.
        for attempt in 2...6 {
            now = now.adding(milliseconds: 600_000)
            #expect(machine.due(now: now, chance: 0) == [.submit])
            _ = machine.submitted("\(attempt)", now: now)
            _ = machine.seen(EngineObservation(.ended(EngineEnd(kind))), now: now)
            let actions = machine.kept(now: now, chance: 0)
            if attempt == 6 { #expect(actions == [.fail(step: nil, EngineEnd(kind))]) }
        }
        #expect(machine.isOver)
    }

    @Test(arguments: [EngineEnd.Kind.cancelled, .timedOut, .couldNotStart])
    func whatNoOtherTryCanHelpEndsTheJob(kind: EngineEnd.Kind) {
        let (machine, actions) = ended(EngineEnd(kind), Machine.Rules(retries: 3))
        #expect(actions == [.fail(step: nil, EngineEnd(kind))])
        #expect(machine.isOver)
    }

    @Test func whatIsNotKnownForAMinuteIsLost() {
        var machine = begun()
        #expect(machine.absent(now: Self.after(0)).isEmpty)
        #expect(machine.wake == Self.after(60_000))
        #expect(machine.due(now: Self.after(59_999), chance: 0).isEmpty)
        // Accounting only lagged.
        #expect(machine.seen(Self.running, now: Self.after(59_999)).isEmpty)
        #expect(machine.wake == nil)
        _ = machine.absent(now: Self.after(100_000))
        let actions = machine.due(now: Self.after(160_000), chance: 0)
        #expect(actions == [.tell(.again(attempt: 2, "the engine knows nothing of it any more"))])
        #expect(machine.attempt == 2 && !machine.isFollowed)
    }

    @Test func itsTimeIsUp() {
        var machine = begun(Machine.Rules(retries: 2, deadlineMilliseconds: 5000))
        #expect(machine.wake == Self.after(5000))
        #expect(machine.due(now: Self.after(5000), chance: 0) == [.cancel])
        machine.asked(now: Self.after(5000))
        #expect(machine.isFollowed && machine.wake == nil)
        _ = machine.seen(EngineObservation(.ended(EngineEnd(.cancelled))), now: Self.after(6000))
        let actions = machine.kept(now: Self.after(6000), chance: 0)
        #expect(actions == [.fail(step: nil, EngineEnd(.timedOut))])
    }

    @Test func aWithdrawnJobIsCancelledEvenWhenNobodyKnowsWhetherItWasSubmitted() {
        for isSubmitted in [true, false] {
            var machine = isSubmitted ? begun() : machine()
            #expect(machine.withdraw(now: Self.after(1)) == [.cancel])
            _ = machine.failed(Self.unreachable, now: Self.after(1), chance: 1)
            #expect(machine.due(now: Self.after(3000), chance: 0) == [.cancel])
            machine.asked(now: Self.after(3000))
            #expect(machine.absent(now: Self.after(4000)) == [.keep])
            #expect(machine.kept(now: Self.after(4000), chance: 0).isEmpty)
            #expect(machine.isOver)
        }
    }

    @Test func whatTheEngineKeepsIsRemovedWhenItsTimeHasPassed() {
        var (machine, actions) = ended(Self.good, Machine.Rules(keptMilliseconds: 90_000))
        #expect(actions == [.publish])
        #expect(!machine.isOver && !machine.isOpen && machine.wake == Self.after(90_020))
        #expect(machine.due(now: Self.after(90_020), chance: 0) == [.forget])
        #expect(machine.failed(Self.unreachable, now: Self.after(90_020), chance: 0).isEmpty)
        #expect(machine.due(now: Self.after(100_000), chance: 0) == [.forget])
        machine.forgot()
        #expect(machine.isOver)
    }

    @Test func anOutcomeCountsMoreThanItsLogs() {
        var machine = begun()
        _ = machine.seen(EngineObservation(.ended(Self.good)), now: Self.start)
        var now = Self.start
        var actions: [Action] = []
        for _ in 1...10 {
            actions = machine.failed(Self.unreachable, now: now, chance: 0)
            now = machine.wake ?? now
        }
        #expect(actions.last == .publish)
    }

    @Test func theSilenceOfAnEngineIsToldOnceAndEndsNothing() {
        var machine = begun()
        #expect(machine.unseen("no answer") == [.tell(.trouble("no answer"))])
        #expect(machine.unseen("no answer").isEmpty)
        #expect(machine.isFollowed)
    }

    /// Random events; whatever happens, it can be kept and read back, and every attempt is submitted once at most.
    @Test(arguments: 1...200 as ClosedRange<UInt64>) func anyCourseOfEvents(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var machine = machine(Machine.Rules(retries: 1, deadlineMilliseconds: 500_000, keptMilliseconds: 1000))
        var now = Self.start
        var submitted: Set<Int> = []
        var outcomes = 0
        for _ in 0..<300 where !machine.isOver {
            now = now.adding(milliseconds: Int64.random(in: 0...40_000, using: &random))
            var actions: [Action]
            switch Int.random(in: 0..<8, using: &random) {
            case 0: actions = machine.absent(now: now)
            case 1: actions = machine.unseen("silence")
            case 2: actions = machine.seen(EngineObservation(.pending, reason: "Priority"), now: now)
            case 3: actions = machine.seen(Self.running, now: now)
            case 4 where Bool.random(using: &random): actions = machine.withdraw(now: now)
            case 5:
                let kinds: [EngineEnd] = [Self.good, .exited(1), EngineEnd(.nodeFailed), EngineEnd(.timedOut)]
                actions = machine.seen(
                    EngineObservation(.ended(kinds.randomElement(using: &random) ?? Self.good)), now: now)
            default: actions = machine.due(now: now, chance: 0.5)
            }
            while let action = actions.first {
                actions.removeFirst()
                let fails = Int.random(in: 0..<3, using: &random) == 0
                switch action {
                case .tell: break
                case .publish, .fail: outcomes += 1
                case .submit, .cancel, .keep, .forget:
                    if fails {
                        actions += machine.failed(Self.unreachable, now: now, chance: 0.5)
                        break
                    }
                    switch action {
                    case .submit:
                        #expect(submitted.insert(machine.attempt).inserted, "seed \(seed)")
                        actions += machine.submitted("\(machine.attempt)", now: now)
                    case .cancel: machine.asked(now: now)
                    case .keep: actions += machine.kept(now: now, chance: 0.5)
                    default: machine.forgot()
                    }
                }
            }
            let read = try #require(RemoteJobMachine(json: JSONReader.read(JSONWriter.bytes(machine.json))))
            #expect(read == machine, "seed \(seed)")
        }
        #expect(outcomes <= 1, "seed \(seed)")
    }
}

/// Amounts of resources as Kubernetes writes them.
struct ResourceQuantityTests {
    @Test(
        arguments: [
            ("100m", 100), ("1", 1000), ("0.5", 500), ("1.5", 1500), ("8", 8000), ("1e3", 1_000_000), ("2k", 2_000_000),
            ("0.0001", 1), ("100u", 1), (".5", 500),
        ] as [(String, Int64)]) func processors(text: String, thousandths: Int64)
    {
        #expect(ResourceQuantity.thousandths(text) == thousandths)
    }

    @Test(
        arguments: [
            ("10Mi", 10_485_760), ("32Gi", 34_359_738_368), ("1G", 1_000_000_000), ("128974848", 128_974_848),
            ("129e6", 129_000_000), ("1.5Gi", 1_610_612_736), ("128974848000m", 128_974_848),
        ] as [(String, Int64)]) func memory(text: String, bytes: Int64)
    {
        #expect(ResourceQuantity.whole(text) == bytes)
    }

    @Test(arguments: ["", "x", "1x", "-1", "1 Gi", "Gi", "1e", "1e99", "0x10", "9999999999999999999", "8Ei8", "100E"])
    func noAmounts(text: String) { #expect(ResourceQuantity.whole(text) == nil) }
}
