import Glibc

/// Tells public addresses from those that lead into this machine or its networks (IANA special-purpose registries).
package enum AddressRules {
    /// Whether the bytes of a `sockaddr` name a public IPv4 or IPv6 address; anything that is not understood is not.
    package static func isPublic(sockaddr bytes: [UInt8]) -> Bool {
        guard bytes.count >= 2 else { return false }
        // The family is stored in the machine's byte order, Linux on little-endian machines and big-endian ones alike.
        let family = bytes.withUnsafeBytes { Int32($0.loadUnaligned(as: sa_family_t.self)) }
        switch family {
        case AF_INET where bytes.count >= 8: return isPublic(v4: Array(bytes[4..<8]))
        case AF_INET6 where bytes.count >= 24: return isPublic(v6: Array(bytes[8..<24]))
        default: return false
        }
    }

    /// Whether the text of an address (as `inet_ntop` writes it) is public.
    package static func isPublic(address text: String) -> Bool {
        var v4 = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &v4) == 1 { return isPublic(v4: v4) }
        var v6 = [UInt8](repeating: 0, count: 16)
        // A zone (`%eth0`) belongs to link-local addresses only.
        if inet_pton(AF_INET6, text, &v6) == 1 { return isPublic(v6: v6) }
        return false
    }

    /// Address and prefix length of the IPv4 blocks that are not public.
    private static let closedV4: [(UInt32, Int)] = [
        (0x0000_0000, 8),  // this network
        (0x0a00_0000, 8),  // private
        (0x6440_0000, 10),  // shared between a carrier and its customers
        (0x7f00_0000, 8),  // loopback
        (0xa9fe_0000, 16),  // link-local, with the metadata services of clouds
        (0xac10_0000, 12),  // private
        (0xc000_0000, 24),  // protocol assignments
        (0xc000_0200, 24),  // documentation
        (0xc058_6300, 24),  // 6to4 relays
        (0xc0a8_0000, 16),  // private
        (0xc612_0000, 15),  // benchmarks
        (0xc633_6400, 24),  // documentation
        (0xcb00_7100, 24),  // documentation
        (0xe000_0000, 4),  // multicast
        (0xf000_0000, 4),  // reserved, broadcast
    ]

    private static func isPublic(v4 bytes: [UInt8]) -> Bool {
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !closedV4.contains { block, length in (address ^ block) >> UInt32(32 - length) == 0 }
    }

    private static func isPublic(v6 bytes: [UInt8]) -> Bool {
        let words = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        // v4-mapped ::ffff:0:0/96, and NAT64's 64:ff9b::/96: as public as the IPv4 address within.
        if words[0..<5].allSatisfy({ $0 == 0 }), words[5] == 0xffff { return isPublic(v4: Array(bytes[12..<16])) }
        if words[0] == 0x64, words[1] == 0xff9b, words[2..<6].allSatisfy({ $0 == 0 }) {
            return isPublic(v4: Array(bytes[12..<16]))
        }
        // Global unicast is 2000::/3; ::, ::1, v4-compatible, fc00::/7, fe80::/10, fec0::/10, ff00::/8 are outside.
        guard words[0] & 0xe000 == 0x2000 else { return false }
        // 6to4 carries an IPv4 address.
        if words[0] == 0x2002 { return isPublic(v4: Array(bytes[2..<6])) }
        // 2001::/23 protocol assignments (Teredo, benchmarks, ORCHID) and 2001:db8::/32 documentation.
        if words[0] == 0x2001, words[1] < 0x200 || words[1] == 0x0db8 { return false }
        // 3fff::/20 documentation.
        return !(words[0] == 0x3fff && words[1] & 0xf000 == 0)
    }
}
