/// What a container asks for or may use at most; nil where nothing is said.
package struct JobResources: Sendable, Equatable {
    /// Thousandths of a processor.
    package var cpuMillis: Int64?
    package var memoryBytes: Int64?
    package var gpus: Int64?
    /// The same where it is a bound that must not be crossed.
    package var cpuLimitMillis: Int64?
    package var memoryLimitBytes: Int64?

    package init(cpuMillis: Int64? = nil, memoryBytes: Int64? = nil, gpus: Int64? = nil) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.gpus = gpus
    }

    package var isEmpty: Bool { self == JobResources() }
}

/// Amounts as Kubernetes writes them: `100m`, `0.5`, `10Mi`, `1e3`.
package enum ResourceQuantity {
    private static let factors: [String: (numerator: Int128, denominator: Int128)] = [
        "n": (1, 1_000_000_000), "u": (1, 1_000_000), "m": (1, 1000), "": (1, 1), "k": (1000, 1),
        "M": (1_000_000, 1), "G": (1_000_000_000, 1), "T": (1_000_000_000_000, 1), "P": (1_000_000_000_000_000, 1),
        "E": (1_000_000_000_000_000_000, 1), "Ki": (1 << 10, 1), "Mi": (1 << 20, 1), "Gi": (1 << 30, 1),
        "Ti": (1 << 40, 1), "Pi": (1 << 50, 1), "Ei": (1 << 60, 1),
    ]

    /// Rounded up; nil when it is no quantity, negative, or beyond 64 bits.
    package static func thousandths(_ text: String) -> Int64? { scaled(text, by: 1000) }
    package static func whole(_ text: String) -> Int64? { scaled(text, by: 1) }

    private static func scaled(_ text: String, by scale: Int128) -> Int64? {
        var rest = Substring(text)
        if rest.first == "+" { rest.removeFirst() }
        var mantissa: Int128 = 0
        var decimals = 0
        var digits = 0
        var isFraction = false
        while let character = rest.first {
            if character == ".", !isFraction {
                isFraction = true
            } else if character.isASCII, let digit = character.wholeNumberValue {
                mantissa = mantissa * 10 + Int128(digit)
                digits += 1
                if isFraction { decimals += 1 }
                guard digits <= 18 else { return nil }
            } else {
                break
            }
            rest.removeFirst()
        }
        guard digits > 0 else { return nil }
        var (numerator, denominator): (Int128, Int128) = (1, power(of: decimals))
        if let factor = factors[String(rest)] {
            numerator = factor.numerator
            denominator *= factor.denominator
        } else {
            guard let letter = rest.first, letter == "e" || letter == "E", let exponent = Int(rest.dropFirst()),
                (-18...18).contains(exponent)
            else { return nil }
            if exponent >= 0 { numerator = power(of: exponent) } else { denominator *= power(of: -exponent) }
        }
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: numerator * scale)
        guard !overflow else { return nil }
        return Int64(exactly: (product + denominator - 1) / denominator)
    }

    private static func power(of exponent: Int) -> Int128 {
        (0..<exponent).reduce(Int128(1)) { power, _ in power * 10 }
    }
}
