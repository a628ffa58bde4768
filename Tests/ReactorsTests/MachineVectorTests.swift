import ActorCore
import Reactors
import Testing

/// The state machines of all three editions, cell by cell and life by life (PipelineJobs, sections 1.2 to 1.6).
@Suite struct MachineVectorTests {
    @Test(arguments: Fixture.rows("job-identity", "fsm_matrix"))
    func everyCell(row: JSONValue) throws {
        let edition = try #require(row.at("version").string.flatMap(PipelineJobMachine.Edition.init(rawValue:)))
        let states = row.at("states").array ?? []
        #expect(states.map { $0.at("state").string } == PipelineJobMachine.states(of: edition).map(\.rawValue))
        for line in states {
            let state = try #require(line.at("state").string.flatMap(PipelineJobState.init(rawValue:)))
            let cells = line.at("cells").array ?? []
            #expect(cells.map { $0.at("event").string } == PipelineJobMachine.events(of: edition).map(\.rawValue))
            for cell in cells {
                let event = try #require(cell.at("event").string.flatMap(PipelineJobEvent.init(rawValue:)))
                let found = PipelineJobMachine.destination(of: event, from: state, edition)
                #expect(found?.rawValue == cell.at("to").string, "\(edition) \(state) \(event)")
            }
        }
    }

    /// Through the desk, which takes names in any case and knows what is no event.
    @Test(arguments: Fixture.rows("job-identity", "fsm_sequences"))
    func recordedLife(row: JSONValue) throws {
        let edition = try #require(row.at("version").string.flatMap(PipelineJobMachine.Edition.init(rawValue:)))
        let start = try #require(row.at("start").string.flatMap(PipelineJobState.init(rawValue:)))
        var record = sampleJob(edition: edition)
        record.status = start
        let expected = row.at("states_after").texts
        let fails = row.at("fails_at_index").int
        for (index, name) in row.at("events").texts.enumerated() {
            let desk = JobDesk(record: record, now: record.created, adminTokens: nil, execution: nil)
            let event = PipelineJobMessage.Event(uuid: record.uuid, name: name, token: nil, data: .null)
            switch desk.verdict(on: event, by: .admin) {
            case .move(let status, let known, _):
                #expect(fails != index)
                #expect(status.rawValue == expected[index])
                record.move(to: status, by: known, at: record.created)
            case .refuse(let refusal, _):
                #expect(fails == index)
                #expect(refusal.state == record.status)
                let message = row.at("error", "message").string ?? ""
                if row.at("error", "error") == "MachineError" {
                    #expect(refusal.message == message && refusal.code == .refusedTransition)
                } else {
                    #expect(refusal.message.hasPrefix("Unknown event \(name)") && refusal.code == .invalidInput)
                }
            case .change: Issue.record("an event is no change of the record")
            }
        }
        #expect(record.status.rawValue == row.at("final_state").string)
    }

    @Test(arguments: [
        ("v1", PipelineJobMachine.Edition.seedEra), ("V2", .current), ("v2.0.0", .april2019), ("1", .seedEra),
        ("v1_seed_era", .seedEra), ("current", .current),
    ])
    func editionsByName(name: String, edition: PipelineJobMachine.Edition) {
        #expect(PipelineJobMachine.Edition(named: name) == edition)
        #expect(PipelineJobMachine.Edition(named: "v3") == nil)
    }
}

/// A job that was just made, for who wants one.
func sampleJob(
    edition: PipelineJobMachine.Edition = .current, key: JobKey = JobKey(token: "0123456789abcdef", salt: "salt")
) -> JobRecord {
    let now = Timestamp(milliseconds: 1_600_000_000_000)
    return JobRecord(
        uuid: JobID("a7833f39-b676-54c4-8347-be141a5ba105"),
        pipeline: PipelineID("f0f417f2-ba8b-5ac4-b421-255b69553391"), machine: edition, path: "/products/v1/x",
        data: ["param1": "value1"], actor: ActorID("e5QKEW8L0BeZ4"), execution: nil, session: "solid-snake",
        owner: "alice", key: key, created: now, updated: now)
}
