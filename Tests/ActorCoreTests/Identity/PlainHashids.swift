/// The Hashids algorithm step by step, as its description reads: the oracle for the fast one.
struct PlainHashids {
    private let salt: [UInt8]
    private let alphabet: [UInt8]
    private let separators: [UInt8]
    private let guards: [UInt8]

    init(salt: String) {
        self.salt = Array(salt.utf8)
        let all = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890".utf8)
        let wanted = Array("cfhistuCFHISTU".utf8)
        var separators = wanted.filter(all.contains)
        var alphabet = all.filter { !wanted.contains($0) }
        Self.shuffle(&separators, with: self.salt)
        // ceil(len / 3.5) separators at least.
        let least = (alphabet.count * 2 + 6) / 7
        if separators.isEmpty || alphabet.count * 2 > separators.count * 7 {
            let missing = least - separators.count
            if missing > 0 {
                separators += alphabet.prefix(missing)
                alphabet.removeFirst(missing)
            }
        }
        Self.shuffle(&alphabet, with: self.salt)
        let guardCount = (alphabet.count + 11) / 12
        self.guards = Array(alphabet.prefix(guardCount))
        alphabet.removeFirst(guardCount)
        self.alphabet = alphabet
        self.separators = separators
    }

    func encode(_ number: UInt128) -> String {
        var letters = alphabet
        let lottery = letters[Int(number % 100) % letters.count]
        Self.shuffle(&letters, with: Array(([lottery] + salt + letters).prefix(letters.count)))
        var digits: [UInt8] = []
        var rest = number
        repeat {
            digits.append(letters[Int(rest % UInt128(letters.count))])
            rest /= UInt128(letters.count)
        } while rest > 0
        return String(decoding: [lottery] + digits.reversed(), as: UTF8.self)
    }

    func decode(_ text: String) -> UInt128? {
        let bytes = Array(text.utf8)
        guard let lottery = bytes.first, bytes.count > 1, bytes.allSatisfy(alphabet.contains) else { return nil }
        var letters = alphabet
        Self.shuffle(&letters, with: Array(([lottery] + salt + letters).prefix(letters.count)))
        var number: UInt128 = 0
        for byte in bytes.dropFirst() {
            guard let digit = letters.firstIndex(of: byte) else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: UInt128(letters.count))
            let (sum, carry) = product.addingReportingOverflow(UInt128(digit))
            guard !overflow, !carry else { return nil }
            number = sum
        }
        return encode(number) == text ? number : nil
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
