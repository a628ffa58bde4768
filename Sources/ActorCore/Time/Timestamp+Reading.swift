extension Timestamp {
    /// `2027-01-31T12:00:00[.123](Z|+01:00)`; nil for anything else.
    package init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] == 0x54, bytes[13] == 0x3a,
            bytes[16] == 0x3a, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = 19
        var millisecond = 0
        if bytes[index] == 0x2e {
            let start = index + 1
            index = start
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
            guard index > start, let digits = number(start..<min(index, start + 3)) else { return nil }
            millisecond = [100, 10, 1][min(index - start, 3) - 1] * digits
        }
        var offset = 0
        if index + 1 == bytes.count, bytes[index] == 0x5a {
            offset = 0
        } else if index + 6 == bytes.count, bytes[index] == 0x2b || bytes[index] == 0x2d,
            bytes[index + 3] == 0x3a, let hours = number(index + 1..<index + 3),
            let minutes = number(index + 4..<index + 6)
        {
            offset = (hours * 60 + minutes) * (bytes[index] == 0x2d ? -1 : 1)
        } else {
            return nil
        }
        let days = Timestamp.daysSince1970(year: year, month: month, day: day)
        let seconds = days * 86400 + hour * 3600 + (minute - offset) * 60 + second
        self.init(milliseconds: Int64(seconds) * 1000 + Int64(millisecond))
    }
}
