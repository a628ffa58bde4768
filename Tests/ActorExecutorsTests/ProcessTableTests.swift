import Glibc
import Testing

@testable import ActorExecutors

struct ProcessTableTests {
    @Test func thisProcessIsListed() throws {
        let entry = try #require(ProcessTable.entry(getpid()))
        #expect(entry.pid == getpid() && entry.session == getsid(0) && entry.group == getpgrp() && !entry.isDead)
        #expect(entry.startTime > 0)
        #expect(ProcessTable.members(of: getpgrp()).contains(entry))
        #expect(ProcessTable.bootID.utf8.count == 36)
    }

    @Test func aNameMayHoldBracketsAndBlanks() throws {
        let tail = "S 1 77 88 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9"
        for name in ["sleep", "a b", ") R 1 2 3 (", "((", "))", "x\n"] {
            let entry = try #require(ProcessEntry(stat: Array("42 (\(name)) \(tail)\n".utf8)))
            #expect(entry.pid == 42 && entry.group == 77 && entry.session == 88 && entry.startTime == 4711)
        }
        for line in ["", "42", "42 (x", "42 (x)", "42 (x) S 1 2", "x (y) \(tail)", ")(", "42 (x) S 1 a b \(tail)"] {
            #expect(ProcessEntry(stat: Array(line.utf8)) == nil)
        }
    }

    @Test(arguments: [
        ("abc", true), ("A-1_b.c", true), ("eJa5wZlEX4eWU-step2", true), ("", false), (".", false), ("..", false),
        ("a/b", false), ("a b", false), ("a\0", false), ("ä", false), (String(repeating: "a", count: 201), false),
    ])
    func idsBecomeFileNames(_ id: String, _ isID: Bool) { #expect(ProcessName.isID(id) == isID) }
}

struct RunSlotsTests {
    /// Whoever waits longest is next, and a cancelled wait takes no slot with it.
    @Test func slotsAreGivenInOrder() async {
        let slots = RunSlots(1)
        #expect(await slots.take())
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    guard await slots.take() else { return }
                    slots.give()
                }
            }
            group.cancelAll()
        }
        slots.give()
        #expect(await slots.take())
        slots.give()
    }

    @Test func aCancelledTaskGetsNone() async {
        let slots = RunSlots(1)
        let taken = await withTaskGroup(of: Bool.self) { group in
            group.cancelAll()
            group.addTask { await slots.take() }
            return await group.next()
        }
        #expect(taken == false)
        #expect(await slots.take())
    }
}
