import ActorCore
import Testing

/// The published state machine, cell by cell (PipelineJobs, section 1.2).
@Suite struct PipelineJobMachineTests {
    /// One row per state, one column per event in the order of `PipelineJobEvent`; `-` is refused.
    private static let matrix = """
        CREATED    CREATED RUNNING CREATED CREATED FAILED - - - - - - - - RESET -
        RUNNING    - RUNNING RUNNING RUNNING FAILED FINISHED - - - - - - - RESET -
        FAILED     - - - - - - - - - - - - RETIRED RESET -
        FINISHED   - - - - - FINISHED INDEXING FINISHED VALIDATING - - - RETIRED RESET -
        INDEXING   - - INDEXING - FAILED - INDEXING FINISHED - - - - - RESET -
        VALIDATING - - VALIDATING - FAILED - - - - VALIDATED REJECTED - RETIRED RESET -
        VALIDATED  - - - - - - - - VALIDATING VALIDATED - FINALIZED RETIRED RESET -
        REJECTED   - - - - - - - - - - - - RETIRED RESET -
        FINALIZED  - - - - - - - - - - - - RETIRED RESET -
        RETIRED    - - - - - - - - - - - - - RESET -
        RESET      - - - - - - - - - - - - - RESET CREATED
        """

    private static let rows = matrix.split(separator: "\n").map { line in
        line.split(separator: " ").map(String.init)
    }

    @Test(arguments: rows)
    func everyEventFromOneState(row: [String]) throws {
        let state = try #require(PipelineJobState(rawValue: row[0]))
        #expect(row.count == PipelineJobEvent.allCases.count + 1)
        for (event, cell) in zip(PipelineJobEvent.allCases, row.dropFirst()) {
            var machine = PipelineJobMachine(state: state)
            let action = machine.handle(event)
            if cell == "-" {
                #expect(action == .refuse("Can't trigger event \(event.rawValue) from state \(state.rawValue)!"))
                #expect(machine.state == state)
            } else {
                let next = try #require(PipelineJobState(rawValue: cell))
                #expect(action == .move(from: state, to: next))
                #expect(machine.state == next)
            }
        }
    }

    @Test func theMatrixIsComplete() {
        #expect(Self.rows.map { $0[0] }.sorted() == PipelineJobState.allCases.map(\.rawValue).sorted())
    }

    struct Life: Sendable, CustomTestStringConvertible {
        let id: String
        var start = "CREATED"
        let events: String
        let states: String
        var refusal: String?

        var testDescription: String { id }
    }

    /// Recorded lives of jobs: events, the states they led through, and the refusal that ended them.
    private static let lives = [
        Life(
            id: "fsm-01",
            events: "run update resource finish index indexed validate validated finalize retire",
            states: "RUNNING RUNNING RUNNING FINISHED INDEXING FINISHED VALIDATING VALIDATED FINALIZED RETIRED"),
        Life(
            id: "fsm-03", events: "resource run run finish finish",
            states: "CREATED RUNNING RUNNING FINISHED FINISHED"),
        Life(id: "fsm-05", events: "fail", states: "FAILED"),
        Life(
            id: "fsm-06", events: "run fail run", states: "RUNNING FAILED",
            refusal: "Can't trigger event run from state FAILED!"),
        Life(
            id: "fsm-08", events: "run fail retire reset ready run",
            states: "RUNNING FAILED RETIRED RESET CREATED RUNNING"),
        Life(
            id: "fsm-09", events: "run finish update", states: "RUNNING FINISHED",
            refusal: "Can't trigger event update from state FINISHED!"),
        Life(
            id: "fsm-10", events: "run finish index update index indexed indexed",
            states: "RUNNING FINISHED INDEXING INDEXING INDEXING FINISHED FINISHED"),
        Life(
            id: "fsm-12", events: "run finish validate reject retire",
            states: "RUNNING FINISHED VALIDATING REJECTED RETIRED"),
        Life(
            id: "fsm-13", events: "run finish validate validated validate validated finalize",
            states: "RUNNING FINISHED VALIDATING VALIDATED VALIDATING VALIDATED FINALIZED"),
        Life(
            id: "fsm-14", events: "run finish finalize", states: "RUNNING FINISHED",
            refusal: "Can't trigger event finalize from state FINISHED!"),
        Life(id: "fsm-15", events: "run finish retire", states: "RUNNING FINISHED RETIRED"),
        Life(id: "fsm-17", events: "ready", states: "", refusal: "Can't trigger event ready from state CREATED!"),
        Life(id: "fsm-20", start: "RETIRED", events: "reset ready run", states: "RESET CREATED RUNNING"),
        Life(
            id: "fsm-21", events: "create create run create", states: "CREATED CREATED RUNNING",
            refusal: "Can't trigger event create from state RUNNING!"),
        Life(id: "fsm-24", events: "run finish indexed", states: "RUNNING FINISHED FINISHED"),
    ]

    @Test(arguments: lives)
    func recordedLife(life: Life) throws {
        var machine = PipelineJobMachine(state: try #require(PipelineJobState(rawValue: life.start)))
        var states: [String] = []
        var refusal: String?
        for name in life.events.split(separator: " ") where refusal == nil {
            switch machine.handle(try #require(PipelineJobEvent(rawValue: String(name)))) {
            case .move(_, let next): states.append(next.rawValue)
            case .refuse(let reason): refusal = reason
            }
        }
        #expect(states.joined(separator: " ") == life.states)
        #expect(refusal == life.refusal)
        #expect(machine.state.rawValue == states.last ?? life.start)
    }

    @Test func theEventsOfAStateFollowTheTable() {
        #expect(PipelineJobMachine.events(from: .retired) == [.reset])
        #expect(PipelineJobMachine.events(from: .reset) == [.reset, .ready])
        #expect(PipelineJobMachine.events(from: .running) == [.run, .update, .resource, .fail, .finish, .reset])
    }

    @Test func namesThatAreNoEvent() {
        #expect(PipelineJobEvent(rawValue: "updated") == nil)
        #expect(PipelineJobEvent(rawValue: "RUN") == nil)
    }
}
