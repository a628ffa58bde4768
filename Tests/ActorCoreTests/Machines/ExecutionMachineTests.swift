import ActorCore
import Testing

@Suite struct ExecutionMachineTests {
    struct Row: Sendable {
        let attempt: Int
        let stop: ExecutionMachine.Stop?
        let end: ExecutionMachine.WorkEnd
        let outcome: Outcome
        let status: ExecutionStatus
        let disposition: Completion.Disposition
        let keeps: Bool
    }

    static let now = Timestamp(milliseconds: 5_000_000)
    static let failed = ExecutionMachine.WorkEnd.failed(exitCode: 2, reason: "exited with status 2")

    static let rows: [Row] = [
        Row(
            attempt: 1, stop: nil, end: .succeeded, outcome: .succeeded, status: .complete,
            disposition: .acknowledge, keeps: true),
        // Full jitter at chance 0.5 is half of the backoff: 2 s, 4 s, …
        Row(
            attempt: 1, stop: nil, end: failed, outcome: .failed, status: .submitted,
            disposition: .retry(at: now.adding(milliseconds: 1000)), keeps: false),
        Row(
            attempt: 2, stop: nil, end: failed, outcome: .failed, status: .submitted,
            disposition: .retry(at: now.adding(milliseconds: 2000)), keeps: false),
        Row(
            attempt: 3, stop: nil, end: failed, outcome: .failed, status: .complete,
            disposition: .park(reason: "exited with status 2 (attempt 3 of 3)"), keeps: false),
        Row(
            attempt: 1, stop: nil, end: .impossible(reason: "no such file"), outcome: .failed, status: .error,
            disposition: .park(reason: "no such file"), keeps: false),
        Row(
            attempt: 1, stop: nil, end: .refused(reason: "no"), outcome: .failed, status: .complete,
            disposition: .acknowledge, keeps: false),
        Row(
            attempt: 1, stop: .timeout, end: .stopped, outcome: .timedOut, status: .submitted,
            disposition: .retry(at: now.adding(milliseconds: 1000)), keeps: false),
        Row(
            attempt: 3, stop: .timeout, end: .stopped, outcome: .timedOut, status: .complete,
            disposition: .park(reason: "its time was up (attempt 3 of 3)"), keeps: false),
        Row(
            attempt: 1, stop: .cancel, end: .stopped, outcome: .cancelled, status: .complete,
            disposition: .acknowledge, keeps: false),
        Row(
            attempt: 1, stop: .drain, end: .stopped, outcome: .interrupted, status: .submitted,
            disposition: .release, keeps: false),
        // Nobody knows how far it came: its attempt counts, also when the daemon drains.
        Row(
            attempt: 1, stop: nil, end: .lost(reason: "it is gone"), outcome: .failed, status: .submitted,
            disposition: .retry(at: now.adding(milliseconds: 1000)), keeps: false),
        Row(
            attempt: 1, stop: .drain, end: .lost(reason: "it is gone"), outcome: .failed, status: .submitted,
            disposition: .retry(at: now.adding(milliseconds: 1000)), keeps: false),
        Row(
            attempt: 3, stop: nil, end: .lost(reason: "it is gone"), outcome: .failed, status: .complete,
            disposition: .park(reason: "it is gone (attempt 3 of 3)"), keeps: false),
        Row(
            attempt: 1, stop: .cancel, end: .lost(reason: "it is gone"), outcome: .cancelled, status: .complete,
            disposition: .acknowledge, keeps: false),
        // Work that was done before the stop reached it is done.
        Row(
            attempt: 1, stop: .drain, end: .succeeded, outcome: .succeeded, status: .complete,
            disposition: .acknowledge, keeps: true),
    ]

    @Test(arguments: rows) func verdicts(row: Row) {
        var machine = ExecutionMachine(attempt: row.attempt, retry: RetryPolicy(attempts: 3, backoffSeconds: 2))
        if let stop = row.stop { expect(machine.stop(stop), true) }
        let verdict = machine.ended(row.end, now: Self.now, chance: 0.5)
        #expect(verdict.outcome == row.outcome)
        #expect(verdict.status == row.status)
        #expect(verdict.disposition == row.disposition)
        #expect(verdict.keepsEffects == row.keeps)
    }

    /// What waits for an attempt holds its lane: not longer than it is wanted.
    @Test(arguments: [(nil, 2000), (1500, 1500), (60_000, 2000), (-5, 0)] as [(Int64?, Int64)])
    func nobodyWaitsForAnAttemptThatWouldComeTooLate(expires: Int64?, wait: Int64) {
        var machine = ExecutionMachine(
            attempt: 1, retry: RetryPolicy(attempts: 3, backoffSeconds: 2),
            expires: expires.map { Self.now.adding(milliseconds: $0) })
        let verdict = machine.ended(.failed(exitCode: 1, reason: "no"), now: Self.now, chance: 1)
        #expect(verdict.disposition == .retry(at: Self.now.adding(milliseconds: wait)))
    }

    /// Its failures are not tried again; what was cut off is.
    @Test func whatIsLostIsNoFailureOfTheWork() {
        let retry = RetryPolicy(attempts: 2, backoffSeconds: 2, retriesFailures: false)
        for (attempt, isAgain) in [(1, true), (2, false)] {
            var machine = ExecutionMachine(attempt: attempt, retry: retry)
            let verdict = machine.ended(.lost(reason: "it is gone"), now: Self.now, chance: 0.5)
            #expect(verdict.endsMessage == !isAgain)
        }
        var machine = ExecutionMachine(attempt: 1, retry: retry)
        let failure = machine.ended(Self.failed, now: Self.now, chance: 0.5)
        #expect(failure.endsMessage)
    }

    @Test func whatIsCutOffForGoodIsParked() {
        var machine = ExecutionMachine(attempt: 2, retry: RetryPolicy(attempts: 1))
        let verdict = machine.cutOff(reason: "gone")
        #expect(verdict.disposition == .park(reason: "gone") && verdict.endsMessage && verdict.isAbandoned)
        #expect(verdict.outcome == .interrupted && verdict.status == .error && !verdict.keepsEffects)
    }

    @Test func aSecondStopChangesNothing() {
        var machine = ExecutionMachine(attempt: 1, retry: RetryPolicy())
        expect(machine.stop(.cancel), true)
        expect(machine.stop(.timeout), false)
        expect(machine.ended(.stopped, now: Self.now, chance: 0).outcome, .cancelled)
    }

    @Test func anAttemptEndsOnce() async {
        await #expect(processExitsWith: .failure) {
            var machine = ExecutionMachine(attempt: 1, retry: RetryPolicy())
            let now = Timestamp(milliseconds: 0)
            _ = machine.ended(.succeeded, now: now, chance: 0)
            _ = machine.ended(.succeeded, now: now, chance: 0)
        }
    }
}
