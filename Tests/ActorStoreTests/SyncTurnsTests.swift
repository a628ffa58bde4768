import ActorTesting
import Testing

@testable import ActorStore

/// Which commits sync themselves, and which share a sync that runs beside the writing.
struct SyncTurnsTests {
    private let slow: Int64 = 1000

    private enum Commit: Equatable { case syncsItself, startsSync, waitsForSync, pauses(SyncTurns.Pause) }

    private func commit(_ turns: inout SyncTurns, at now: Int64 = 1_000_000_000, taking: Int64 = 0) -> Commit {
        let pause = turns.pause(at: now)
        guard pause == .none else { return .pauses(pause) }
        guard turns.beginCommit() else { return .syncsItself }
        return turns.commitIsWritten(nanoseconds: taking) ? .startsSync : .waitsForSync
    }

    private func begin(_ turns: inout SyncTurns, at now: Int64 = 0) -> Bool { turns.beginSync(at: now) }

    @Test func onAQuickDiskEveryCommitSyncsItself() {
        var turns = SyncTurns(slow: slow)
        for _ in 0..<20 {
            #expect(commit(&turns) == .syncsItself)
            turns.note(slow - 1)
        }
        #expect(turns.written == 0)
    }

    @Test func onASlowDiskCommitsAreWrittenDuringASync() {
        var turns = slowDisk()
        #expect(commit(&turns) == .startsSync)
        #expect(begin(&turns))
        // The sync under way is not theirs, and no other is started.
        for _ in 0..<3 { #expect(commit(&turns) == .waitsForSync) }
        turns.endSync(nanoseconds: slow)
        #expect((turns.written, turns.synced) == (4, 1))
        #expect(begin(&turns))
        turns.endSync(nanoseconds: slow)
        #expect((turns.written, turns.synced) == (4, 4))
        #expect(!begin(&turns))
        // The next one has to be started again.
        #expect(commit(&turns) == .startsSync)
    }

    @Test func noMoreAreUnsyncedThanAPowerCutMayTake() {
        var turns = slowDisk()
        #expect(commit(&turns) == .startsSync)
        #expect(begin(&turns))
        for _ in 1..<SyncTurns.mostUnsynced { #expect(commit(&turns) == .waitsForSync) }
        #expect(commit(&turns) == .pauses(.untilRoom), "a sync that has begun has not ended")
        turns.endSync(nanoseconds: slow)
        #expect(commit(&turns) == .waitsForSync)
        #expect(commit(&turns) == .pauses(.untilRoom))
    }

    /// What comes during a sync has to wait for its end, so all of it becomes one commit.
    @Test func theFirstCommitDuringASyncIsWrittenLate() {
        var turns = SyncTurns(slow: slow)
        turns.note(2_600_000)
        #expect(commit(&turns, taking: 800_000) == .startsSync)
        #expect(begin(&turns, at: 5_000_000))
        // A commit takes 0.1 ms, about, and waking up 0.2 ms.
        let late: Int64 = 5_000_000 + 2_600_000 - 2 * 100_000 - 200_000
        #expect(commit(&turns, at: 5_000_000) == .pauses(.until(late)))
        #expect(commit(&turns, at: late) == .waitsForSync)
        #expect(commit(&turns, at: late) == .waitsForSync, "the next one need not wait")
        // A sync that ends early is not slept over.
        turns.endSync(nanoseconds: 1_000_000)
        #expect(commit(&turns, at: 5_000_001) == .waitsForSync)
    }

    @Test func aCommitThatIsBeingWrittenSharesTheNextSync() {
        var turns = slowDisk()
        #expect(commit(&turns) == .startsSync)
        let isLeft = turns.beginCommit()
        #expect(isLeft && !begin(&turns))
        let startsSync = turns.commitIsWritten(nanoseconds: 1)
        #expect(startsSync && begin(&turns))
        turns.endSync(nanoseconds: slow)
        #expect((turns.written, turns.synced) == (2, 2))
    }

    @Test func whatWasWrittenBeforeOneThatIsRolledBackIsSynced() {
        var turns = slowDisk()
        #expect(commit(&turns) == .startsSync)
        let isLeft = turns.beginCommit()
        #expect(isLeft && !begin(&turns))
        let startsSync = turns.rollBack()
        #expect(startsSync && begin(&turns))
    }

    @Test func whatWasRolledBackIsNotWaitedFor() {
        var turns = slowDisk()
        let isLeft = turns.beginCommit()
        let startsSync = turns.rollBack()
        #expect(isLeft && !startsSync)
        #expect((turns.written, turns.synced) == (0, 0))
        #expect(commit(&turns) == .startsSync)
    }

    /// The order of what is told: a commit syncs itself only when those before it have been told.
    @Test func whenTheDiskIsQuickAgainTheSyncsUnderWayAreWaitedFor() {
        var turns = slowDisk()
        #expect(commit(&turns) == .startsSync)
        #expect(begin(&turns))
        for _ in 0..<30 { turns.note(slow / 10) }
        #expect(commit(&turns) == .pauses(.untilRoom))
        turns.endSync(nanoseconds: slow / 10)
        #expect(!begin(&turns))
        #expect(commit(&turns) == .pauses(.untilRoom), "it is synced, not told")
        turns.tell(commits: 1)
        #expect(commit(&turns) == .syncsItself)
    }

    @Test func aDiskBetweenQuickAndSlowStaysWhatItWas() {
        var (quick, slow) = (SyncTurns(slow: slow), slowDisk())
        quick.note(700)
        _ = slow.beginCommit()
        _ = slow.rollBack()
        for _ in 0..<40 { slow.note(700) }
        #expect(commit(&quick) == .syncsItself)
        #expect(commit(&slow) == .startsSync)
    }

    @Test func oneSlowSyncDoesNotMakeASlowDisk() {
        var turns = SyncTurns(slow: slow)
        for _ in 0..<10 { turns.note(200) }
        turns.note(6000)
        #expect(commit(&turns) == .syncsItself)
    }

    /// A writer, a lane and whoever is told, in any order: none waits for ever, no more commits than may be are without
    /// a sync, and a commit syncs itself only when nothing is left to be told.
    @Test(arguments: 0..<200)
    func inAnyOrderOfThreadsAllIsTold(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var turns = SyncTurns(slow: slow)
        var (now, toWrite, untold): (Int64, Int, [Int]) = (0, 60, [])
        // Whether a commit is being written, and whether it leaves its sync; whether the lane runs and syncs.
        var (writing, laneRuns, syncs): (Bool?, Bool, Bool) = (nil, false, false)
        var idleSteps = 0
        while idleSteps < 10_000, toWrite > 0 || writing != nil || laneRuns || !untold.isEmpty {
            now += Int64.random(in: 0...300, using: &random)
            idleSteps += 1
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where writing == nil && toWrite > 0 && turns.pause(at: now) == .none:
                let isLeft = turns.beginCommit()
                if !isLeft { #expect(turns.told == turns.written && !laneRuns) }
                writing = isLeft
            case 1 where writing != nil:
                if writing == false {
                    turns.note(Int64.random(in: 0...3000, using: &random))
                } else if Int.random(in: 0..<5, using: &random) == 0 ? turns.rollBack() : turns.commitIsWritten() {
                    #expect(!laneRuns)
                    laneRuns = true
                }
                (writing, toWrite) = (nil, toWrite - 1)
            case 2 where laneRuns:
                if syncs {
                    let synced = turns.synced
                    turns.endSync(nanoseconds: Int64.random(in: 0...3000, using: &random))
                    untold.append(turns.synced - synced)
                    syncs = false
                } else {
                    syncs = turns.beginSync(at: now)
                    laneRuns = syncs
                }
            case 3 where !untold.isEmpty: turns.tell(commits: untold.removeFirst())
            default: continue
            }
            idleSteps = 0
            #expect(turns.written - turns.synced <= SyncTurns.mostUnsynced)
            #expect(turns.told <= turns.synced && turns.synced <= turns.begun && turns.begun <= turns.written)
        }
        #expect(idleSteps < 10_000, "\(turns)")
        #expect((turns.written, turns.synced) == (turns.told, turns.told))
    }

    private func slowDisk() -> SyncTurns {
        var turns = SyncTurns(slow: slow)
        turns.note(slow)
        return turns
    }
}
