import ActorCore
import Reactors
import Testing

/// Which container runs when.
@Suite struct JobRunMachineTests {
    private static let good = StepReport(exitCode: 0, reason: nil, milliseconds: 1)

    private static func bad(_ code: Int) -> StepReport {
        StepReport(exitCode: code, reason: "exited with status \(code)", milliseconds: 1)
    }

    /// Plays a whole run with these exit codes and answers what was started, and how it ended.
    private func play(
        _ machine: JobRunMachine, exit: (JobStep) -> StepReport
    ) -> (started: [String], tries: Int, end: JobRunMachine.Action?) {
        var machine = machine
        var started: [String] = []
        var tries = 0
        var actions = [machine.start()]
        while !actions.isEmpty {
            switch actions.removeFirst() {
            case .prepare(let attempt):
                tries = attempt
                actions.append(machine.prepared())
            case .run(let steps):
                started += steps.map(\.title)
                for step in steps { actions += machine.ended(step, exit(step)) }
            case .report: break
            case .publish: return (started, tries, .publish)
            case .fail(let step, let report): return (started, tries, .fail(step, report))
            }
        }
        return (started, tries, nil)
    }

    @Test(arguments: Fixture.rows("ingest", "run_order"))
    func recordedOrder(row: JSONValue) {
        let codes = { (name: String) in
            (row.at("input", name).array ?? []).compactMap { pair in
                pair.array?.first?.string.map { ($0, pair.array?.last?.int ?? 0) }
            }
        }
        let (initial, main) = (codes("init"), codes("main"))
        let all = Dictionary(uniqueKeysWithValues: initial + main)
        let machine = JobRunMachine(initContainers: initial.map(\.0), containers: main.map(\.0))
        let played = play(machine) { step in
            all[step.name] == 0 ? Self.good : Self.bad(all[step.name] ?? -1)
        }
        let names = played.started.map { $0.split(separator: "/").last.map(String.init) ?? "" }
        #expect(names == row.at("expected", "start_order").texts)
        #expect((played.end == .publish) == (row.at("expected", "phase").string == "Succeeded"))
    }

    @Test func mainContainersStartTogetherAndAllMustSucceed() {
        let machine = JobRunMachine(initContainers: [], containers: ["a", "b", "c"])
        let played = play(machine) { $0.name == "c" || $0.name == "b" ? Self.bad(3) : Self.good }
        #expect(played.started == ["main/a", "main/b", "main/c"])
        // The first as the file lists them is the one that is named.
        #expect(played.end == .fail(JobStep(.main, "b", index: 1), Self.bad(3)))
    }

    @Test func theOutcomeWaitsForTheLastMainContainer() {
        var machine = JobRunMachine(initContainers: [], containers: ["a", "b"])
        _ = machine.start()
        let (first, second) = (JobStep(.main, "a", index: 0), JobStep(.main, "b", index: 1))
        #expect(machine.prepared() == .run([first, second]))
        #expect(machine.ended(second, Self.bad(1)) == [.report(second, Self.bad(1))])
        #expect(
            machine.ended(first, Self.good) == [.report(first, Self.good), .fail(second, Self.bad(1))])
    }

    @Test(arguments: [(0, 1), (1, 2), (3, 4)])
    func aFailedTryIsRepeatedFromTheStart(backoffLimit: Int, tries: Int) {
        let machine = JobRunMachine(initContainers: ["i"], containers: ["m"], backoffLimit: backoffLimit)
        let played = play(machine) { $0.phase == .main ? Self.bad(9) : Self.good }
        #expect(played.tries == tries)
        #expect(played.started.count == tries * 2)
        #expect(played.started.prefix(2) == ["init/i", "main/m"])
        if tries > 1 { #expect(played.started.suffix(2) == ["init/i#\(tries)", "main/m#\(tries)"]) }
    }

    @Test func aLaterTryMaySucceed() {
        let machine = JobRunMachine(initContainers: ["i"], containers: ["m"], backoffLimit: 5)
        let played = play(machine) { $0.attempt == 1 && $0.phase == .initial ? Self.bad(1) : Self.good }
        #expect(played.started == ["init/i", "init/i#2", "main/m#2"])
        #expect(played.end == .publish)
    }

    @Test func whenTheJobsTimeIsUpNoTryFollows() {
        let late = StepReport(exitCode: nil, reason: "its time was up", milliseconds: 1, isFinal: true)
        let played = play(JobRunMachine(initContainers: [], containers: ["m"], backoffLimit: 5)) { _ in late }
        #expect(played.tries == 1)
        #expect(played.end == .fail(JobStep(.main, "m", index: 0), late))
    }

    @Test func anEventThatCannotBeIsAFault() async {
        await #expect(processExitsWith: .failure) {
            var machine = JobRunMachine(initContainers: [], containers: ["m"])
            _ = machine.prepared()
        }
        await #expect(processExitsWith: .failure) {
            var machine = JobRunMachine(initContainers: [], containers: ["m"])
            _ = machine.start()
            _ = machine.prepared()
            let report = StepReport(exitCode: 0, reason: nil, milliseconds: 0)
            _ = machine.ended(JobStep(.main, "other", index: 1), report)
        }
    }

    // MARK: Names and variables

    @Test func namesOfSteps() {
        let step = JobStep(.initial, "Fetch_all", index: 0, attempt: 2)
        #expect(step.title == "init/Fetch_all#2")
        #expect(step.slug == "init-fetch-all-2")
        #expect(JobStep(.main, "../x", index: 0).slug == "main----x")
    }

    @Test(arguments: [
        ("$(A)", "1"), ("x$(A)y$(B)", "x1y2"), ("$(C)", "$(C)"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$A", "$A"),
        ("${A}", "${A}"), ("$(A", "$(A"), ("$", "$"), ("$$", "$"), ("$()", "$()"), ("a$(A)$(", "a1$("), ("", ""),
    ])
    func variableReferences(text: String, expanded: String) {
        #expect(JobVariables.expand(text, ["A": "1", "B": "2"]) == expanded)
    }

    @Test func theContainersVariablesComeLastAndSeeWhatWasBefore() {
        let container = JobSpec.Container(
            name: "c", image: "i",
            env: [EnvironmentEntry("UUID", "own-$(UUID)"), EnvironmentEntry("X", "$(UUID)/$(LATER)")])
        let entries = JobVariables.make(
            [EnvironmentEntry("UUID", "u"), EnvironmentEntry("HOME", "/w")], container)
        #expect(
            entries == [
                EnvironmentEntry("HOME", "/w"), EnvironmentEntry("UUID", "own-u"),
                EnvironmentEntry("X", "own-u/$(LATER)"),
            ])
    }
}
