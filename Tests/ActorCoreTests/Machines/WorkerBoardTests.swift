import ActorCore
import Testing

@Suite("workers")
struct WorkerBoardTests {
    private static let noon = Timestamp(milliseconds: 1_800_000_000_000)
    private static func after(_ seconds: Int64) -> Timestamp { noon.adding(milliseconds: seconds * 1000) }

    private final class Names {
        var count = 0
        func next() -> String {
            count += 1
            return "w\(count)"
        }
    }

    private func execution(_ name: String) -> ExecutionID { ExecutionID(name) }

    @Test("so many are ensured, and no more are made")
    func ensure() {
        let names = Names()
        var board = WorkerBoard()
        let made = [
            board.ensure(1, ids: names.next, now: Self.noon), board.ensure(3, ids: names.next, now: Self.noon),
            board.ensure(2, ids: names.next, now: Self.noon),
        ]
        #expect(made == [1, 2, 0])
        #expect(board.workers.map(\.id) == ["w1", "w2", "w3"])
        let capped = board.ensure(.max, ids: names.next, now: Self.noon)
        #expect(capped == WorkerBoard.most - 3)
    }

    @Test("a message takes an idle worker before a new one is made, and gives it back")
    func take() {
        let names = Names()
        var board = WorkerBoard()
        let first = board.take(execution("a"), id: names.next, now: Self.noon)
        let second = board.take(execution("b"), id: names.next, now: Self.noon)
        board.release(execution("a"), now: Self.after(1))
        let third = board.take(execution("c"), id: names.next, now: Self.after(2))
        #expect([first, second, third] == ["w1", "w2", "w1"])
        board.release(execution("nobody"), now: Self.after(3))
        #expect(board.workers.map(\.isBusy) == [true, true])
    }

    @Test("an idle worker stops at once, a busy one when it is done, and neither takes more")
    func stop() {
        let names = Names()
        var board = WorkerBoard()
        _ = board.take(execution("a"), id: names.next, now: Self.noon)
        _ = board.ensure(2, ids: names.next, now: Self.noon)
        let stopped = [board.stop("w2"), board.stop("w1"), board.stop("w1"), board.stop("w9")]
        #expect(stopped == [true, true, false, false])
        #expect(board.workers.map(\.id) == ["w1"])
        let next = board.take(execution("b"), id: names.next, now: Self.noon)
        #expect(next == "w3")
        board.release(execution("a"), now: Self.after(1))
        #expect(board.workers.map(\.id) == ["w3"])
    }

    @Test("what is idle for long goes, unless it stays")
    func settle() {
        let names = Names()
        var board = WorkerBoard()
        _ = board.ensure(2, ids: names.next, now: Self.noon)
        _ = board.take(execution("a"), id: names.next, now: Self.after(1))
        board.settle(.stays, now: Self.after(100))
        #expect(board.workers.count == 2)
        board.settle(.goes(afterMilliseconds: 10_000), now: Self.after(9))
        #expect(board.workers.count == 2)
        board.settle(.goes(afterMilliseconds: 10_000), now: Self.after(10))
        #expect(board.workers.map(\.id) == ["w1"], "the busy one stays")
        board.release(execution("a"), now: Self.after(20))
        board.settle(.goes(afterMilliseconds: 10_000), now: Self.after(29))
        #expect(board.workers.count == 1)
        board.settle(.goes(afterMilliseconds: 10_000), now: Self.after(30))
        #expect(board.workers.isEmpty)
    }
}

@Suite("links between actors")
struct LinkGraphTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let links: [String: String]
        let from: String
        let to: String
        let closes: Bool
        var testDescription: String { "\(links) \(from) to \(to)" }
    }

    static let cases = [
        Case(links: [:], from: "a", to: "b", closes: false),
        Case(links: [:], from: "a", to: "a", closes: true),
        Case(links: ["b": "a"], from: "a", to: "b", closes: true),
        Case(links: ["b": "c", "c": "d"], from: "a", to: "b", closes: false),
        Case(links: ["b": "c", "c": "a"], from: "a", to: "b", closes: true),
        // A circle of others, which came about by aliases that were moved: it is theirs.
        Case(links: ["b": "c", "c": "b"], from: "a", to: "b", closes: false),
        // The old link of the actor itself does not count.
        Case(links: ["a": "x", "b": "c"], from: "a", to: "b", closes: false),
    ]

    @Test(arguments: cases)
    func circle(_ row: Case) {
        let closes = LinkGraph.closesCircle(from: ActorID(row.from), to: ActorID(row.to)) { id in
            row.links[id.rawValue].map { ActorID($0) }
        }
        #expect(closes == row.closes)
    }
}
