import ActorCore
import Testing

@Suite struct InboxMachineTests {
    let start = Timestamp(milliseconds: 100_000)

    func entry(_ name: String, bytes: Int64, done: Bool = false) -> InboxEntry {
        InboxEntry(name: name, bytes: bytes, files: 1, modified: start, isMarkedDone: done)
    }

    @Test func anUploadIsCompleteWhenItHasBeenStable() {
        var machine = InboxMachine(settleMilliseconds: 5000)
        expect(machine.seen([entry("u", bytes: 10)], now: start).isEmpty, true)
        expect(machine.nextLook(now: start), start.adding(milliseconds: 5000))
        // It grew: the time starts again.
        expect(machine.seen([entry("u", bytes: 20)], now: start.adding(milliseconds: 4000)).isEmpty, true)
        expect(machine.seen([entry("u", bytes: 20)], now: start.adding(milliseconds: 8999)).isEmpty, true)
        expect(machine.seen([entry("u", bytes: 20)], now: start.adding(milliseconds: 9000)).map(\.name), ["u"])
        expect(machine.seen([entry("u", bytes: 20)], now: start.adding(milliseconds: 99000)).isEmpty, true)
    }

    @Test func aMarkerCompletesItAtOnce() {
        var machine = InboxMachine(settleMilliseconds: 5000)
        expect(machine.seen([entry("u", bytes: 10, done: true)], now: start).map(\.name), ["u"])
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
}
