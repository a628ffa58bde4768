import ActorCore
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ActorStore

/// What the shared commit promises: few syncs, one order, failures that stay with their owners.
struct GroupCommitTests {
    @Test func concurrentAppendsShareCommits() async throws {
        try await withStore { store, _ in
            let before = store.statistics
            try await append(1000, to: store)
            let commits = store.statistics.commits - before.commits
            #expect(store.statistics.changes - before.changes == 1000)
            #expect(commits < 500, "\(commits) commits for 1000 appends")
        }
    }

    @Test func theSinkHearsInOrderOfSequence() async throws {
        try await withStore { store, _ in
            let heard = Mutex<[Int64]>([])
            store.onCommit { envelopes, _ in heard.withLock { $0 += envelopes.map(\.sequence) } }
            try await append(1000, to: store)
            #expect(heard.withLock { $0 } == Array(1...1000))
        }
    }

    @Test func aFailingChangeLeavesItsNeighboursAlone() async throws {
        try await withStore { store, _ in
            // A change that holds the writer while the others gather behind it, so that they share one commit.
            let gate = DispatchSemaphore(value: 0)
            let (holds, signal) = AsyncStream.makeStream(of: Void.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await store.writer.submit { _, _ in
                        signal.yield()
                        gate.wait()
                    }
                }
                for await _ in holds { break }
                for number in 0..<60 {
                    group.addTask {
                        do throws(ActorError) {
                            if number % 3 == 0 {
                                try await store.complete(idleCompletion(Int64(number)))
                                Issue.record("completed what does not run")
                            } else {
                                _ = try await store.append([message("e\(number)")], maxMailbox: 100)
                            }
                        } catch {
                            #expect(number % 3 == 0 && error.code == .conflict, "\(error)")
                        }
                    }
                }
                group.addTask {
                    while store.writer.waiting < 60 { await Task.yield() }
                    gate.signal()
                }
                try await group.waitForAll()
            }
            #expect(store.statistics.commits == 2)
            let head = try await store.head(of: actorA, after: 0, limit: 100)
            #expect(head.count == 40)
            #expect(head.map(\.sequence) == Array(1...40))
        }
    }

    @Test func cancellationDoesNotTakeAChangeBack() async throws {
        try await withStore { store, _ in
            let accepted = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let results = try? await store.append([message("e\(number)")], maxMailbox: 100)
                        return results != nil
                    }
                }
                group.cancelAll()
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(accepted == 50)
            let backlogs = try await store.backlogs()
            #expect(backlogs == [Backlog(actor: actorA, count: 50)])
        }
    }

    @Test func completingWhatDoesNotRunIsAConflict() async throws {
        try await withStore { store, _ in
            _ = try await store.append([message("e1")], maxMailbox: 10)
            for disposition in [
                Completion.Disposition.acknowledge, .park(reason: "r"), .retry(at: noon), .release,
            ] {
                var completion = idleCompletion(1)
                completion.disposition = disposition
                let error = await #expect(throws: ActorError.self) { try await store.complete(completion) }
                #expect(error?.code == .conflict)
            }
            try await store.begin(1, attempt: 1, at: noon)
            let twice = await #expect(throws: ActorError.self) { try await store.begin(1, attempt: 2, at: noon) }
            #expect(twice?.code == .conflict)
            #expect(try await store.deadLetters(limit: 10).isEmpty)
        }
    }

    private func append(_ count: Int, to store: SQLiteStore) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask { _ = try await store.append([message("e\(number)")], maxMailbox: count) }
            }
            try await group.waitForAll()
        }
    }
}

/// The end of an execution that never began.
private func idleCompletion(_ sequence: Int64) -> Completion {
    let attempt = AttemptRecord(
        execution: ExecutionID("e1"), number: 1, started: noon, finished: noon, outcome: .succeeded)
    return Completion(
        sequence: sequence, actor: actorA, attempt: attempt, disposition: .acknowledge, status: .complete)
}
