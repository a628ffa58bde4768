import ActorCore
import Testing

/// Cron lines in a zone whose clocks change: Berlin in 2026, forward on 29 March at 01:00 UTC, back on 25 October.
@Suite struct ZonedScheduleTests {
    static let berlin = ZoneTable(
        name: "Europe/Berlin", offsetSeconds: 3600,
        changes: [(at: utc(2026, 3, 29, 1), offsetSeconds: 7200), (at: utc(2026, 10, 25, 1), offsetSeconds: 3600)])

    static func utc(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0) -> Timestamp {
        Timestamp.utc(year: year, month: month, day: day, hour: hour) ?? Timestamp(milliseconds: 0)
    }

    static let table: [(line: String, after: Timestamp, next: [String])] = [
        // The same local time, whatever the offset.
        ("0 12 * * *", utc(2026, 3, 28), ["03-28T11:00", "03-29T10:00", "03-30T10:00"]),
        ("0 12 * * *", utc(2026, 10, 24), ["10-24T10:00", "10-25T11:00", "10-26T11:00"]),
        // The day of the zone, not of UTC: 00:30 in Berlin is the evening before.
        ("30 0 1 4 *", utc(2026, 3, 1), ["03-31T22:30"]),
        // 02:30 does not exist on 29 March: it counts at the change, and 03:00 with it only once.
        ("30 2 * * *", utc(2026, 3, 28), ["03-28T01:30", "03-29T01:00", "03-30T00:30"]),
        ("30 2,3 * * *", utc(2026, 3, 29), ["03-29T01:00", "03-29T01:30", "03-30T00:30"]),
        ("0 3 * * *", utc(2026, 3, 28, 12), ["03-29T01:00", "03-30T01:00"]),
        // 02:30 comes twice on 25 October and counts once.
        ("30 2 * * *", utc(2026, 10, 24), ["10-24T00:30", "10-25T00:30", "10-26T01:30"]),
        ("30 2 * * *", utc(2026, 10, 25, 1), ["10-26T01:30"]),
        // A line for every hour follows elapsed time: no hour is left out, none is waited for.
        ("30 * * * *", utc(2026, 3, 29), ["03-29T00:30", "03-29T01:30", "03-29T02:30"]),
        ("30 * * * *", utc(2026, 10, 24, 23), ["10-24T23:30", "10-25T00:30", "10-25T01:30", "10-25T02:30"]),
        ("0 */2 * * *", utc(2026, 10, 24, 23), ["10-25T00:00", "10-25T01:00", "10-25T03:00"]),
    ]

    @Test(arguments: table.indices) func followsTheClocksOfItsZone(row: Int) throws {
        let (line, after, wanted) = Self.table[row]
        let schedule = try CronSchedule(line, zone: Self.berlin)
        var moment = after
        for next in wanted {
            moment = try #require(schedule.next(after: moment))
            #expect(moment.iso8601 == "2026-\(next):00.000Z", "\(line)")
        }
    }

    @Test func anOffsetWithoutChangesIsAShift() throws {
        let kathmandu = ZoneTable(name: "Asia/Kathmandu", offsetSeconds: 20700)
        let schedule = try CronSchedule("0 6 * * *", zone: kathmandu)
        #expect(schedule.next(after: Self.utc(2026, 1, 1))?.iso8601 == "2026-01-01T00:15:00.000Z")
    }

    /// For any line: what comes next lies after, matches the clock of the zone, and nothing between was left out.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func agreesWithLookingAtEveryMinute(seed: UInt64) throws {
        var random = SeededNumbers(state: seed)
        for _ in 0..<40 {
            let line = "\(random.below(60)) * * * *"
            let schedule = try CronSchedule(line, zone: Self.berlin)
            let start = Self.utc(2026, random.below(2) == 0 ? 3 : 10, 24 + random.below(5), random.below(24))
            let found = try #require(schedule.next(after: start))
            var moment = start.adding(milliseconds: 60000)
            let minute = Int(line.prefix { $0 != " " })
            while moment.calendar.time.minute != minute { moment = moment.adding(milliseconds: 60000) }
            #expect(found == moment, "seed \(seed): \(line) after \(start.iso8601)")
        }
    }
}

/// A few numbers from a seed.
struct SeededNumbers {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
