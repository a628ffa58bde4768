import ActorCore
import Testing

/// Who is flagged for standing still.
@Suite struct StallMachineTests {
    private let machine = StallMachine(
        standard: 1000, limits: [PipelineID("slow"): 5000, PipelineID("never"): nil])
    private let now = Timestamp(milliseconds: 10_000)

    private func job(_ pipeline: String, _ status: PipelineJobState, since: Int64) -> StallMachine.Standing {
        StallMachine.Standing(
            job: JobID("j"), pipeline: PipelineID(pipeline), status: status, revision: 1,
            since: Timestamp(milliseconds: since))
    }

    @Test(
        arguments: [
            ("any", PipelineJobState.running, 9000, true), ("any", .running, 9001, false), ("any", .created, 0, true),
            ("slow", .running, 5000, true), ("slow", .running, 5001, false), ("never", .running, 0, false),
            ("any", .finished, 0, false), ("any", .failed, 0, false), ("any", .indexing, 0, true),
            ("any", .validated, 0, false), ("any", .reset, 0, true),
        ] as [(String, PipelineJobState, Int64, Bool)])
    func table(pipeline: String, status: PipelineJobState, since: Int64, isStalled: Bool) {
        #expect(machine.stalled([job(pipeline, status, since: since)], now: now).isEmpty != isStalled)
    }

    @Test func theHorizonIsTheShortestLimit() {
        #expect(machine.horizon(now: now) == Timestamp(milliseconds: 9000))
        #expect(StallMachine(standard: nil).horizon(now: now) == nil)
        #expect(StallMachine(standard: nil, limits: [PipelineID("a"): 4000]).horizon(now: now)?.milliseconds == 6000)
    }
}
