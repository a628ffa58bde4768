import ActorCore
import Testing

@Suite struct InboxMachineTests {
    let start = Timestamp(milliseconds: 100_000)

    func entry(
        _ name: String, bytes: Int64, done: Bool = false, missing: Int? = nil, receiving: InboxReceiving? = nil
    ) -> InboxEntry {
        InboxEntry(
            name: name, bytes: bytes, files: 1, modified: start, isMarkedDone: done,
            manifest: missing.map {
                InboxManifest(listed: 3, missing: $0, firstMissing: $0 > 0 ? "raw/b.dat" : nil)
            }, receiving: receiving)
    }

    @Test func anUploadIsCompleteWhenItHasBeenStable() {
        var machine = InboxMachine(settleMilliseconds: 5000)
        expect(machine.seen([entry("u", bytes: 10)], now: start).isEmpty, true)
        expect(machine.nextLook(now: start), start.adding(milliseconds: 5000))
        // It grew: the time starts again.
        expect(machine.seen([entry("u", bytes: 20)], now: start.adding(milliseconds: 4000)).isEmpty, true)
        expect(machine.seen([entry("u", bytes: 20)], now: start.adding(milliseconds: 8999)).isEmpty, true)
        let grown = entry("u", bytes: 20)
        expect(machine.seen([grown], now: start.adding(milliseconds: 9000)), [.check(grown)])
        expect(machine.checked(grown, problem: nil), grown)
        expect(machine.seen([grown], now: start.adding(milliseconds: 99000)).isEmpty, true)
        expect(machine.nextLook(now: start), nil)
    }

    @Test func whatCanBeNoUploadIsToldOfOnceAndNeverAnnounced() {
        var machine = InboxMachine(settleMilliseconds: 1000)
        func entry(bytes: Int64, obstacle: String?) -> InboxEntry {
            InboxEntry(
                name: "run (1)", bytes: bytes, files: 1, modified: start, isMarkedDone: true, obstacle: obstacle)
        }
        let bad = entry(bytes: 1, obstacle: "rename it")
        expect(machine.seen([bad], now: start), [.refuse(bad)])
        expect(machine.seen([bad], now: start.adding(milliseconds: 9000)), [])
        expect(machine.seen([entry(bytes: 2, obstacle: "rename it")], now: start.adding(milliseconds: 9000)), [])
        expect(machine.standing.map(\.state), [.failed])
        expect(machine.standing.map(\.note), ["rename it"])
        expect(machine.nextLook(now: start), nil)
        let mended = entry(bytes: 2, obstacle: nil)
        expect(machine.seen([mended], now: start.adding(milliseconds: 9000)), [.announce(mended)])
    }

    @Test func aMarkerCompletesItAtOnce() {
        var machine = InboxMachine(settleMilliseconds: 5000)
        let marked = entry("u", bytes: 10, done: true)
        expect(machine.seen([marked], now: start), [.announce(marked)])
    }

    /// One file takes longer to send than the settling time.
    @Test func whatIsBeingReceivedDoesNotSettle() {
        var machine = InboxMachine(settleMilliseconds: 5000)
        func part(_ after: Int64) -> InboxEntry {
            entry("u", bytes: 10, receiving: InboxReceiving(part: start.adding(milliseconds: after)))
        }
        for seconds: Int64 in 0..<100 {
            expect(machine.seen([part(seconds * 1000)], now: start.adding(milliseconds: seconds * 1000)), [])
        }
        expect(machine.standing.first?.state, .receiving)
        // It is whole: the time counts from then.
        let whole = entry("u", bytes: 30)
        expect(machine.seen([whole], now: start.adding(milliseconds: 100_000)), [])
        expect(machine.seen([whole], now: start.adding(milliseconds: 104_999)), [])
        expect(machine.seen([whole], now: start.adding(milliseconds: 105_000)), [.check(whole)])
    }

    @Test func aSenderThatWentAwayHoldsItUpForATimeOnly() {
        let hour: Int64 = 3_600_000
        for (receiving, limit) in [
            (InboxReceiving(part: start), hour), (InboxReceiving(open: start), 24 * hour),
            (InboxReceiving(part: start, open: start), 24 * hour),
        ] {
            var machine = InboxMachine(settleMilliseconds: 5000)
            let left = entry("u", bytes: 10, receiving: receiving)
            expect(machine.seen([left], now: start), [])
            expect(machine.nextLook(now: start), start.adding(milliseconds: 5000))
            expect(machine.seen([left], now: start.adding(milliseconds: limit - 1)), [])
            expect(machine.seen([left], now: start.adding(milliseconds: limit)), [.check(left)])
        }
    }

    @Test func aMarkerEndsTheWaitingForWhatIsReceived() {
        var machine = InboxMachine(settleMilliseconds: 5000)
        expect(machine.seen([entry("u", bytes: 10, receiving: InboxReceiving(open: start))], now: start), [])
        let marked = entry("u", bytes: 10, done: true, receiving: InboxReceiving(open: start))
        expect(machine.seen([marked], now: start), [.announce(marked)])
    }

    @Test func whatIsOpenForWritingWaitsUntilItIsClosed() {
        var machine = InboxMachine(settleMilliseconds: 0)
        let still = entry("u", bytes: 10)
        for _ in 0..<3 {
            expect(machine.seen([still], now: start), [.check(still)])
            expect(machine.seen([still], now: start), [])
            machine.isWritten(still, file: "raw/a.dat")
            expect(machine.standing.first?.note.contains("raw/a.dat is still open") == true, true)
            expect(machine.nextLook(now: start), start)
        }
        expect(machine.seen([still], now: start), [.check(still)])
        expect(machine.checked(still, problem: nil), still)
        // Its sender says that it is complete, whoever has it open.
        var other = InboxMachine(settleMilliseconds: 0)
        expect(other.seen([still], now: start), [.check(still)])
        other.isWritten(still, file: "raw/a.dat")
        let marked = entry("u", bytes: 10, done: true)
        expect(other.seen([marked], now: start), [.announce(marked)])
    }

    @Test func partsAreTheirUploads() {
        #expect(InboxParts.read(InboxParts.part(of: "2026-11-21-e-x", "0a1b"))?.upload == "2026-11-21-e-x")
        #expect(InboxParts.read(InboxParts.openNote(of: "a.open"))?.upload == "a.open")
        for name in ["0a1b.part", "0a1b.owner", "a~b.owner.new", "brought"] { #expect(InboxParts.read(name) == nil) }
    }

    @Test func anUploadThatCouldNotBeAnnouncedIsAnnouncedAgain() {
        var machine = InboxMachine(settleMilliseconds: 0)
        expect(machine.seen([entry("u", bytes: 1)], now: start).count, 1)
        machine.retract("u")
        expect(machine.seen([entry("u", bytes: 1)], now: start).count, 1)
    }

    @Test func theSameNameMayComeAgain() {
        var machine = InboxMachine(settleMilliseconds: 0)
        expect(machine.seen([entry("u", bytes: 1)], now: start).count, 1)
        expect(machine.seen([], now: start).isEmpty, true)
        expect(machine.seen([entry("u", bytes: 1)], now: start).count, 1)
    }

    @Test func whatListsItsFilesWaitsForAllOfThem() {
        var machine = InboxMachine(settleMilliseconds: 1000)
        let half = entry("u", bytes: 10, done: true, missing: 2)
        expect(machine.seen([half], now: start), [])
        expect(machine.seen([half], now: start.adding(milliseconds: 3_600_000)), [])
        expect(machine.nextLook(now: start), start)
        expect(machine.standing.first?.state, .receiving)
        expect(machine.standing.first?.note.contains("2 of 3") == true, true)
        expect(machine.standing.first?.note.contains("raw/b.dat") == true, true)
        let whole = entry("u", bytes: 30, done: true, missing: 0)
        expect(machine.seen([whole], now: start), [.check(whole)])
        expect(machine.seen([whole], now: start), [])
        expect(machine.checked(whole, problem: nil), whole)
        expect(machine.seen([whole], now: start), [])
    }

    @Test func aWrongHashWaitsForAChange() {
        var machine = InboxMachine(settleMilliseconds: 0)
        let whole = entry("u", bytes: 30, missing: 0)
        expect(machine.seen([whole], now: start), [.check(whole)])
        expect(machine.checked(whole, problem: "a.dat differs"), nil)
        expect(machine.seen([whole], now: start.adding(milliseconds: 99_000)), [])
        expect(machine.standing.map(\.state), [.receiving])
        expect(machine.standing.first?.note.contains("a.dat differs") == true, true)
        let mended = entry("u", bytes: 31, missing: 0)
        expect(machine.seen([mended], now: start), [.check(mended)])
        // What was compared is not what is there by now.
        let changed = entry("u", bytes: 32, missing: 0)
        expect(machine.seen([changed], now: start), [.check(changed)])
        expect(machine.checked(mended, problem: nil), nil)
        expect(machine.checked(changed, problem: nil), changed)
    }
}
