/// Comparison of secrets.
package enum ConstantTime {
    /// Takes as long for the first difference as for the last; only a difference in length shows at once.
    package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
