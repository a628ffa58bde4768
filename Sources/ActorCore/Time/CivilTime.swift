extension Timestamp {
    /// The beginning of an hour in UTC; nil when there is no such date (proleptic Gregorian calendar, years 1-9999).
    package static func utc(year: Int, month: Int, day: Int, hour: Int = 0) -> Timestamp? {
        guard (1...9999).contains(year), (1...12).contains(month), (0...23).contains(hour),
            (1...days(of: month, in: year)).contains(day)
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        return Timestamp(milliseconds: (Int64(days) * 24 + Int64(hour)) * 3_600_000)
    }

    /// Of the proleptic Gregorian calendar. A day beyond the end of its month counts on into the next.
    ///
    /// - Precondition: `month` is 1 to 12.
    package static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        // Years begin in March here, so that the leap day is the last one.
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    package static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
