import ActorCore
import Testing

@Suite struct InboxMachineTests {
    let start = Timestamp(milliseconds: 100_000)

    func entry(_ name: String, bytes: Int64, done: Bool = false, missing: Int? = nil) -> InboxEntry {
        InboxEntry(
            name: name, bytes: bytes, files: 1, modified: start, isMarkedDone: done,
            manifest: missing.map {
                InboxManifest(listed: 3, missing: $0, firstMissing: $0 > 0 ? "raw/b.dat" : nil)
            })
    }

    @Test func anUploadIsCompleteWhenItHasBeenStable() {
        var machine = InboxMachine(settleMilliseconds: 5000)
        expect(machine.seen([entry("u", bytes: 10)], now: start).isEmpty, true)
        expect(machine.nextLook(now: start), start.adding(milliseconds: 5000))
        // It grew: the time starts again.
        expect(machine.seen([entry("u", bytes: 20)], now: start.adding(milliseconds: 4000)).isEmpty, true)
        expect(machine.seen([entry("u", bytes: 20)], now: start.adding(milliseconds: 8999)).isEmpty, true)
        let grown = entry("u", bytes: 20)
        expect(machine.seen([grown], now: start.adding(milliseconds: 9000)), [.announce(grown)])
        expect(machine.seen([grown], now: start.adding(milliseconds: 99000)).isEmpty, true)
        expect(machine.nextLook(now: start), nil)
    }

    @Test func aMarkerCompletesItAtOnce() {
        var machine = InboxMachine(settleMilliseconds: 5000)
        let marked = entry("u", bytes: 10, done: true)
        expect(machine.seen([marked], now: start), [.announce(marked)])
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
