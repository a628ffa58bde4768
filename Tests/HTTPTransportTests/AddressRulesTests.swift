import Glibc
import HTTPTransport
import Testing

struct AddressRulesTests {
    static let closed = [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
        "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.1.2.3",
        "::ffff:0:0", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
        "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2001:1ff::1",
        "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1",
        "fd12:3456::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1",
    ]
    static let open = [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::808:808",
        "2001:200::1", "2001:4860:4860::8888", "2002:808:808::1", "2606:4700::1111", "2a00::1", "3ffe::1",
        "3fff:1000::1",
    ]

    @Test(arguments: closed) func isNotPublic(_ text: String) throws {
        #expect(!AddressRules.isPublic(address: text))
        #expect(!AddressRules.isPublic(sockaddr: try Self.sockaddr(text)))
    }

    @Test(arguments: open) func isPublic(_ text: String) throws {
        #expect(AddressRules.isPublic(address: text))
        #expect(AddressRules.isPublic(sockaddr: try Self.sockaddr(text)))
    }

    @Test func whatIsNotUnderstoodIsNotPublic() {
        for text in ["", "localhost", "8.8.8", "134744072", "0x8080808", "[2a00::1]", "2a00::1%eth0", "8.8.8.8 "] {
            #expect(!AddressRules.isPublic(address: text))
        }
        for bytes in [[], [2], [2, 0, 0, 80, 8, 8, 8], [10, 0, 0, 80, 8, 8, 8, 8], [1, 0] + Array("/run/x".utf8)] {
            #expect(!AddressRules.isPublic(sockaddr: bytes.map { UInt8($0) }))
        }
    }

    private static func sockaddr(_ text: String) throws -> [UInt8] {
        let isV6 = text.contains(":")
        var address = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
        try #require(inet_pton(isV6 ? AF_INET6 : AF_INET, text, &address) == 1)
        let family = withUnsafeBytes(of: sa_family_t(isV6 ? AF_INET6 : AF_INET)) { Array($0) }
        return family + [0, 80] + (isV6 ? [0, 0, 0, 0] : []) + address + (isV6 ? [0, 0, 0, 0] : [])
    }
}
