/// The public Hashids algorithm (default alphabet, one integer, no minimum length), up to 128 bits.
///
/// Actor, execution and nonce ids use ``abaco``; the same salt lets old clients tell an id from an alias.
package struct Hashids: Sendable {
    /// Ids of actors, executions, workers and nonces (actors API, section 2.3).
    package static let abaco = Hashids(salt: "eJa5wZlEX4eWU")
    /// Path elements and file ids of the job catalogue (PipelineJobs, section 4.5).
    package static let catalogue = Hashids(salt: "xCPJ7PKTdp8BYYb4twh9xNYD")

    /// The letters in use, without separators and guards.
    private let alphabet: [UInt8]
    /// For every first letter (the lottery), the order in which the letters are the digits 0, 1, 2, … after it.
    private let orders: [UInt8]
    /// For every first letter, the digit that each of the 256 bytes stands for; `none` for those that are no letter.
    private let digits: [UInt8]
    /// The index in the alphabet of each of the 256 bytes, or `none`.
    private let places: [UInt8]

    private static let none = UInt8.max
    /// A digit takes 5 bits or more, as no alphabet has fewer than 32 letters: 26 letters hold 128 bits.
    private static let longest = 32
    /// An id of so many letters is a number of at most 64 bits.
    private static let surelySmall = 11

    package init(salt text: String) {
        let salt = Array(text.utf8)
        let all = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890".utf8)
        let wanted = Array("cfhistuCFHISTU".utf8)
        var separators = wanted.filter(all.contains)
        var alphabet = all.filter { !wanted.contains($0) }
        Self.shuffle(&separators, with: salt)
        // ceil(len / 3.5) separators at least.
        let least = (alphabet.count * 2 + 6) / 7
        if separators.isEmpty || alphabet.count * 2 > separators.count * 7 {
            let missing = least - separators.count
            if missing > 0 {
                separators += alphabet.prefix(missing)
                alphabet.removeFirst(missing)
            }
        }
        Self.shuffle(&alphabet, with: salt)
        // The guards of the algorithm: ids of one number do not use them.
        alphabet.removeFirst((alphabet.count + 11) / 12)
        var orders: [UInt8] = []
        var digits: [UInt8] = []
        for lottery in alphabet {
            var letters = alphabet
            Self.shuffle(&letters, with: Array(([lottery] + salt + letters).prefix(letters.count)))
            orders += letters
            digits += Self.inverse(of: letters)
        }
        self.alphabet = alphabet
        self.orders = orders
        self.digits = digits
        self.places = Self.inverse(of: alphabet)
    }

    private static func inverse(of letters: [UInt8]) -> [UInt8] {
        var places = [UInt8](repeating: none, count: 256)
        for (place, letter) in letters.enumerated() { places[Int(letter)] = UInt8(place) }
        return places
    }

    package func encode(_ number: UInt128) -> String {
        if let small = UInt64(exactly: number) { return text(of: small) }
        return text(of: number)
    }

    @inline(__always)
    private func text<Number: FixedWidthInteger & UnsignedInteger>(of number: Number) -> String {
        let base = Number(truncatingIfNeeded: alphabet.count)
        let lottery = Int(truncatingIfNeeded: number % 100) % alphabet.count
        let start = lottery * alphabet.count
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.longest) { buffer in
            var index = Self.longest
            var rest = number
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: base)
                index -= 1
                buffer[index] = orders[start + Int(truncatingIfNeeded: digit)]
                rest = quotient
            } while rest > 0
            index -= 1
            buffer[index] = alphabet[lottery]
            return String(decoding: buffer[index...], as: UTF8.self)
        }
    }

    /// The number that `text` stands for, or nil when it is no hashid of this salt holding exactly one number.
    package func decode(_ text: String) -> UInt128? {
        var text = text
        // More letters than 128 bits have are no id, whatever they are.
        guard (2...Self.longest).contains(text.utf8.count) else { return nil }
        return text.withUTF8 { letters -> UInt128? in
            if let small = number(in: letters, as: UInt64.self) { return UInt128(small) }
            return letters.count > Self.surelySmall ? number(in: letters, as: UInt128.self) : nil
        }
    }

    /// Also refuses what ``encode(_:)`` would spell otherwise: a leading zero, another lottery.
    @inline(__always)
    private func number<Number: FixedWidthInteger & UnsignedInteger>(
        in letters: UnsafeBufferPointer<UInt8>, as type: Number.Type
    ) -> Number? {
        let lottery = places[Int(letters[0])]
        guard lottery != Self.none else { return nil }
        let base = Number(truncatingIfNeeded: alphabet.count)
        let start = Int(lottery) * 256
        var number: Number = 0
        for index in 1..<letters.count {
            let digit = digits[start + Int(letters[index])]
            guard digit != Self.none, index > 1 || digit > 0 || letters.count == 2 else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: base)
            let (sum, carry) = product.addingReportingOverflow(Number(digit))
            guard !overflow, !carry else { return nil }
            number = sum
        }
        return Int(truncatingIfNeeded: number % 100) % alphabet.count == Int(lottery) ? number : nil
    }

    private static func shuffle(_ letters: inout [UInt8], with salt: [UInt8]) {
        guard !salt.isEmpty, letters.count > 1 else { return }
        var saltIndex = 0
        var sum = 0
        for index in stride(from: letters.count - 1, to: 0, by: -1) {
            saltIndex %= salt.count
            let value = Int(salt[saltIndex])
            sum += value
            letters.swapAt(index, (value + saltIndex + sum) % index)
            saltIndex += 1
        }
    }
}
