import ActorCore
import Testing

/// Which uploads a listing of a bucket makes, and when they are complete.
@Suite struct BucketInboxMachineTests {
    private func object(_ key: String, _ etag: String = "1") -> StoredObject {
        StoredObject(key: key, bytes: 3, etag: etag)
    }

    private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    /// `system0_braingeneers_ingest`, cases bg.inbox.01 to .04 (the recommended answer of the last).
    @Test(arguments: [
        (["2020-04-28-e-silicon.zip"], ["2020-04-28-e-silicon"]),
        (["2020-05-01-i-b.zip", "2020-04-28-e-a.zip"], ["2020-04-28-e-a", "2020-05-01-i-b"]),
        (["user@x/2020-04-28-e-a/f1", "user@x/2020-04-28-e-a/f2"], ["user@x"]),
        (["files_in_dir.txt", "2020-04-28-e-a.zip"], ["2020-04-28-e-a"]),
        (["a.zip.zip", "a.zip/x", "b b/c", "-no", ".hidden", "d/"], ["a", "a.zip", "b b"]), ([], []),
    ])
    func names(keys: [String], names: [String]) {
        #expect(BucketInboxMachine.names(of: keys) == names)
    }

    @Test func objectsAtTheTopAreCompleteAtOnce() {
        var machine = BucketInboxMachine(prefix: "in/", settleMilliseconds: 1000)
        let objects = [object("in/a.zip"), object("other/b.zip"), object("in/c/1")]
        let first = machine.seen(objects, now: at(0)).map(\.name)
        #expect(first == ["a.zip"])
        let later = machine.seen(objects, now: at(999)).map(\.name)
        #expect(later == [])
        let settled = machine.seen(objects, now: at(1000))
        #expect(settled == [BucketUpload(name: "c", isFolder: true, objects: [object("in/c/1")])])
        let again = machine.seen(objects, now: at(5000))
        #expect(again == [])
        machine.retract("c")
        let retried = machine.seen(objects, now: at(5001)).map(\.name)
        #expect(retried == ["c"])
        // Another content of that name, and one that was gone in between.
        let changed = machine.seen([object("in/a.zip", "2")], now: at(6000)).map(\.name)
        #expect(changed == ["a.zip"])
        #expect(machine.current("c") == nil)
        let back = machine.seen(objects, now: at(7000)).map(\.name)
        #expect(back == ["a.zip"])
    }

    @Test(arguments: ["u.done", "u/.done"]) func aMarkerEndsTheWaiting(marker: String) {
        var machine = BucketInboxMachine(prefix: "", settleMilliseconds: 1000)
        let files = [object("u/a"), object("u/d/b"), object("u/d/")]
        let before = machine.seen(files, now: at(0))
        #expect(before == [])
        let after = machine.seen(files + [object(marker)], now: at(1))
        #expect(after.first?.objects.map(\.key) == ["u/a", "u/d/b"] && after.count == 1)
    }

    @Test func whatGrowsWaits() {
        var machine = BucketInboxMachine(prefix: "", settleMilliseconds: 1000)
        var objects: [StoredObject] = []
        for step in 0..<5 {
            objects.append(object("u/\(step)"))
            let seen = machine.seen(objects, now: at(Int64(step) * 900))
            #expect(seen == [])
        }
        // A clock that is set back delays it, and no more than that.
        let early = machine.seen(objects, now: at(100))
        #expect(early == [])
        let done = machine.seen(objects, now: at(1100))
        #expect(done.count == 1)
    }
}
