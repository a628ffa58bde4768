import ActorCore
import Foundation

/// Time zones by name, as tables that the core can read.
enum ZoneReader {
    /// The years for which changes are looked up; the offset of the last one stays.
    private static let years = 2020..<2100
    /// Far more changes than a zone has in that time.
    private static let maxChanges = 1000

    static func isUTC(_ name: String) -> Bool { ["UTC", "Etc/UTC", "Z", "GMT"].contains(name) }

    /// Nil when there is no such zone.
    static func table(_ name: String) -> ZoneTable? {
        guard let zone = TimeZone(identifier: name), let start = date(years.lowerBound),
            let end = date(years.upperBound)
        else { return nil }
        var changes: [(at: Timestamp, offsetSeconds: Int)] = []
        var moment = start
        while changes.count < maxChanges, let next = zone.nextDaylightSavingTimeTransition(after: moment),
            next > moment, next < end
        {
            // A second later: no rounding may fall before the change.
            let offset = zone.secondsFromGMT(for: next.addingTimeInterval(1))
            changes.append((Timestamp(milliseconds: Int64(next.timeIntervalSince1970.rounded()) * 1000), offset))
            moment = next
        }
        return ZoneTable(name: name, offsetSeconds: zone.secondsFromGMT(for: start), changes: changes)
    }

    private static func date(_ year: Int) -> Date? {
        Timestamp.utc(year: year, month: 1, day: 1)
            .map { Date(timeIntervalSince1970: Double($0.milliseconds) / 1000) }
    }
}
