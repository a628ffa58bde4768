import ActorCore
import Testing

@Suite struct CutOffAttemptsTests {
    private enum Answer {
        case goOn, startAnew, park
    }

    private struct Row: Sendable {
        let attempts: Int
        let most: Int
        var isCommand = true
        let trace: CutOffAttempts.Trace
        let answer: Answer
    }

    private static let rows: [Row] = [
        // Nothing has been done of what nobody knows: its start may be cut off twice, however few attempts there are.
        Row(attempts: 0, most: 1, trace: .none, answer: .goOn), Row(attempts: 2, most: 1, trace: .none, answer: .goOn),
        Row(attempts: 3, most: 1, trace: .none, answer: .park), Row(attempts: 4, most: 5, trace: .none, answer: .goOn),
        Row(attempts: 5, most: 5, trace: .none, answer: .park),
        // What outlived the daemon goes on.
        Row(attempts: 9, most: 1, trace: .kept, answer: .goOn),
        // What has half run has the attempts that its actor gives it, and no more.
        Row(attempts: 1, most: 1, trace: .lost, answer: .park),
        Row(attempts: 1, most: 2, trace: .lost, answer: .startAnew),
        Row(attempts: 2, most: 2, trace: .lost, answer: .park),
        Row(attempts: 1, most: 1, isCommand: false, trace: .none, answer: .park),
        Row(attempts: 1, most: 1, isCommand: false, trace: .kept, answer: .goOn),
        Row(attempts: 1, most: 2, isCommand: false, trace: .none, answer: .goOn),
    ]

    @Test(arguments: rows) private func whatComesNext(row: Row) {
        let attempts = CutOffAttempts(
            row.attempts, retry: RetryPolicy(attempts: row.most), isCommand: row.isCommand)
        let found: Answer =
            switch attempts.next(row.trace) {
            case .goOn: .goOn
            case .startAnew: .startAnew
            case .park: .park
            }
        #expect(found == row.answer)
        #expect(attempts.mayBeLost == (row.isCommand && row.attempts > 0))
    }
}
