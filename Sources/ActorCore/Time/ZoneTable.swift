/// A time zone as a table: which offset from UTC holds from which moment on.
///
/// It is made outside of the core, which reads no zone files; after the last change in it that offset stays.
package struct ZoneTable: Sendable, Equatable {
    /// A stretch of time with one offset. `before` is the offset of the one before it, nil in the first.
    struct Period: Sendable, Equatable {
        let start: Timestamp
        let end: Timestamp
        let offset: Int64
        let before: Int64?
    }

    /// Its IANA name: `Europe/Berlin`.
    package let name: String
    private let periods: [Period]

    /// - Parameters:
    ///   - offsetSeconds: what is added to UTC before the first change.
    ///   - changes: from when on, how many seconds; in order of time.
    package init(name: String, offsetSeconds: Int, changes: [(at: Timestamp, offsetSeconds: Int)] = []) {
        self.name = name
        var periods: [Period] = []
        var start = Timestamp(milliseconds: .min)
        var offset = Int64(offsetSeconds) * 1000
        var before: Int64?
        for change in changes where change.at > start && Int64(change.offsetSeconds) * 1000 != offset {
            periods.append(Period(start: start, end: change.at, offset: offset, before: before))
            (start, before, offset) = (change.at, offset, Int64(change.offsetSeconds) * 1000)
        }
        periods.append(Period(start: start, end: Timestamp(milliseconds: .max), offset: offset, before: before))
        self.periods = periods
    }

    /// The stretch that holds at `moment` and all that follow it.
    func periods(from moment: Timestamp) -> ArraySlice<Period> {
        var low = 0
        var high = periods.count - 1
        while low < high {
            let middle = (low + high) / 2
            if periods[middle].end <= moment { low = middle + 1 } else { high = middle }
        }
        return periods[low...]
    }
}
