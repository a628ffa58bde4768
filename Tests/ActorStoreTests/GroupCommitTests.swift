import ActorCore
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ActorStore

/// What the shared commit promises: few syncs, one order, failures that stay with their owners.
struct GroupCommitTests {
    /// Commits that sync themselves, and such as are written while others are synced.
    static let slowSyncs: [Int64] = [.max, 0]

    @Test(arguments: slowSyncs)
    func concurrentAppendsShareCommits(slowSync: Int64) async throws {
        try await withStore(slowSync: slowSync) { store, _ in
            let before = store.statistics
            try await append(1000, to: store)
            let commits = store.statistics.commits - before.commits
            #expect(store.statistics.changes - before.changes == 1000)
            #expect(commits < 500, "\(commits) commits for 1000 appends")
        }
    }

    @Test(arguments: slowSyncs)
    func theSinkHearsInOrderOfSequence(slowSync: Int64) async throws {
        try await withStore(slowSync: slowSync) { store, _ in
            let heard = Mutex<[Int64]>([])
            store.onCommit { envelopes, _ in heard.withLock { $0 += envelopes.map(\.sequence) } }
            try await append(1000, to: store)
            #expect(heard.withLock { $0 } == Array(1...1000))
        }
    }

    @Test(arguments: slowSyncs)
    func aFailingChangeLeavesItsNeighboursAlone(slowSync: Int64) async throws {
        try await withStore(slowSync: slowSync) { store, _ in
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
                                try await store.complete(idleCompletion(stranger))
                                Issue.record("completed what does not run")
                            } else {
                                _ = try await store.append([message("e\(number)")])
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
            let waiting = try await store.ready()
            #expect(waiting.count == 40)
            // Numbers that went into the commit that failed are not given again: which those are, their order decides.
            let sequences = waiting.map(\.sequence)
            #expect(sequences == Array(Set(sequences)).sorted())
        }
    }

    @Test(arguments: slowSyncs)
    func cancellationDoesNotTakeAChangeBack(slowSync: Int64) async throws {
        try await withStore(slowSync: slowSync) { store, _ in
            let accepted = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let results = try? await store.append([message("e\(number)")])
                        return results != nil
                    }
                }
                group.cancelAll()
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(accepted == 50)
            let ready = try await store.ready()
            #expect(ready.count == 50)
            #expect(store.held(by: actorA) == 50)
        }
    }

    @Test func completingWhatDoesNotRunIsAConflict() async throws {
        try await withStore { store, _ in
            guard case .accepted(let envelope) = try await store.append([message("e1")])[0] else {
                Issue.record("not accepted")
                return
            }
            for disposition in [
                Completion.Disposition.acknowledge, .park(reason: "r"), .retry(at: noon), .release,
            ] {
                let completion = idleCompletion(envelope, disposition)
                let error = await #expect(throws: ActorError.self) { try await store.complete(completion) }
                #expect(error?.code == .conflict)
            }
            try await store.begin(envelope, attempt: 1, at: noon)
            let twice = await #expect(throws: ActorError.self) {
                try await store.begin(envelope, attempt: 2, at: noon)
            }
            #expect(twice?.code == .conflict)
            #expect(try await store.deadLetters(limit: 10).isEmpty)
        }
    }

    private func append(_ count: Int, to store: SQLiteStore) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask { _ = try await store.append([message("e\(number)")]) }
            }
            try await group.waitForAll()
        }
    }
}

/// No store knows it.
private let stranger = Envelope(sequence: 4711, execution: ExecutionID("none"), message: message("none"))

/// The end of an execution that never began.
private func idleCompletion(
    _ envelope: Envelope, _ disposition: Completion.Disposition = .acknowledge
) -> Completion {
    let attempt = AttemptRecord(
        execution: envelope.execution, number: 1, started: noon, finished: noon, outcome: .succeeded)
    return Completion(envelope, attempt: attempt, disposition: disposition, status: .complete)
}
