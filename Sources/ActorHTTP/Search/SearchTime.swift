import ActorCore

/// A moment as searches spell it: a year, a month, a day or more, with or without an offset from UTC.
enum SearchTime {
    /// `2000`, `2000-05:00` (a year with an offset), `2000-01`, `2000-01-01`, `2000-01-01T01:00`, with seconds,
    /// fractions and `Z` or `+01:00`. Nil for any other text.
    static func parse(_ text: String) -> Timestamp? {
        var rest = Substring(text)
        guard text.utf8.count <= 40, let year = number(&rest, 4) else { return nil }
        var (month, day, hour, minute) = (1, 1, 0, 0)
        var milliseconds: Int64 = 0
        if let value = part(&rest, "-", 2, isDate: true) {
            month = value
            if let value = part(&rest, "-", 2, isDate: true) { day = value }
        }
        if rest.first == "T" || rest.first == " " {
            rest.removeFirst()
            guard let value = number(&rest, 2) else { return nil }
            hour = value
            if let value = part(&rest, ":", 2) { minute = value }
            if let value = part(&rest, ":", 2) { milliseconds = Int64(value) * 1000 }
            if rest.first == "." {
                rest.removeFirst()
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                guard !digits.isEmpty else { return nil }
                rest.removeFirst(digits.count)
                milliseconds += Int64((digits + "000").prefix(3)) ?? 0
            }
        }
        guard let offset = offset(rest), hour < 24, minute < 60, milliseconds < 61_000,
            let start = Timestamp.utc(year: year, month: month, day: day, hour: hour)
        else { return nil }
        return start.adding(milliseconds: Int64(minute) * 60000 + milliseconds - offset)
    }

    private static func number(_ rest: inout Substring, _ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.utf8.count == count, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest.removeFirst(count)
        return Int(digits)
    }

    /// `-05` of a date, unless it is the `-05:00` of an offset. A part of one digit is taken as well.
    private static func part(
        _ rest: inout Substring, _ mark: Character, _ count: Int, isDate: Bool = false
    ) -> Int? {
        guard rest.first == mark else { return nil }
        var after = rest.dropFirst()
        if isDate, after.dropFirst(2).first == ":" { return nil }
        guard let value = number(&after, count) else { return nil }
        rest = after
        return value
    }

    /// Milliseconds east of UTC; nil when what is left is no offset.
    private static func offset(_ rest: Substring) -> Int64? {
        if rest.isEmpty || rest == "Z" || rest == "z" { return 0 }
        guard let sign = rest.first, sign == "+" || sign == "-" || sign == " " else { return nil }
        var after = rest.dropFirst()
        guard let hours = number(&after, 2) else { return nil }
        if after.first == ":" { after.removeFirst() }
        let minutes = after.isEmpty ? 0 : number(&after, 2)
        guard let minutes, after.isEmpty, hours < 24, minutes < 60 else { return nil }
        return (Int64(hours) * 60 + Int64(minutes)) * 60000 * (sign == "-" ? -1 : 1)
    }
}
