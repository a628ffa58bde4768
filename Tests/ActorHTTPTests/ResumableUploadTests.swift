import ActorCore
import ActorTesting
import Crypto
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ActorHTTP

@Suite("uploads in pieces")
struct ResumableUploadTests {
    private static let digest = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="  // of abc
    private static let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    private func put(
        _ path: String, _ body: String? = nil, range: String? = nil, headers: [String: String] = [:], status: Int,
        has: [String] = [], offset: String? = nil
    ) -> Row {
        var all = headers
        if let range { all["Content-Range"] = "bytes \(range)" }
        return Row(
            name: "\(path) \(range ?? "whole")", method: .put, path: "/api/v1/uploads/\(path)", token: House.bobToken,
            headers: all, body: body, status: status, has: has,
            answers: offset.map { ["Upload-Offset": $0] } ?? [:])
    }

    private func content(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a single file is one upload, marked done when its last byte is here")
    func whole() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            try await house.expect(put("exp-1.zip", "abc", status: 201, has: [#""path":"exp-1.zip""#, Self.hex]))
            #expect(content("\(inbox)/exp-1.zip") == "abc" && content("\(inbox)/exp-1.zip.done") == "")
            try await house.expect(put("exp-2?force=true", "abc", status: 201))
            #expect(content("\(inbox)/exp-2.done") == "force\n")
            // Not taken yet: the second would be lost.
            try await house.expect(put("exp-1.zip", "abd", status: 409))
            for name in ["x.part", "x.tmp", "x.done", ".x"] { try await house.expect(put(name, "a", status: 400)) }
        }
    }

    @Test("pieces go one behind the other, and what is there can be asked")
    func pieces() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            try await house.expect(put("exp", range: "*/9", status: 202, has: [#""offset":0"#], offset: "0"))
            try await house.expect(put("exp", "abc", range: "0-2/9", status: 202, offset: "3"))
            #expect(content("\(inbox)/exp") == nil)
            try await house.expect(put("exp", range: "*/9", status: 202, offset: "3"))
            try await house.expect(
                Row(
                    name: "standing", path: "/api/v1/uploads/exp", token: House.bobToken, status: 200,
                    has: [#""state":"receiving""#], answers: ["Upload-Offset": "3"]))
            // Too far on, again, and with a length that is not the body's.
            try await house.expect(put("exp", "ghi", range: "6-8/9", status: 409, offset: "3"))
            try await house.expect(put("exp", "bcd", range: "1-3/9", status: 409, has: ["3 bytes are there"]))
            try await house.expect(put("exp", "de", range: "3-5/9", status: 409, has: ["the body has 2"], offset: "3"))
            try await house.expect(put("exp", "def", range: "3-5/9", status: 202, offset: "6"))
            // A daemon that starts again finds what is there.
            let again = House(inbox: inbox)
            try await again.expect(put("exp", "ghi", range: "6-8/9", status: 201, has: [#""bytes":9"#]))
            #expect(content("\(inbox)/exp") == "abcdefghi")
            // From the first byte it begins anew.
            try await again.expect(put("set/raw/a", "xxxx", range: "0-3/9", status: 202))
            try await again.expect(put("set/raw/a", "abc", range: "0-2/*", status: 202, offset: "3"))
            try await again.expect(put("set/raw/a", "def", range: "3-5/6", status: 201))
            #expect(content("\(inbox)/set/raw/a") == "abcdef" && content("\(inbox)/set.done") == nil)
        }
    }

    @Test("checksums are believed, not the body")
    func checksums() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            let right = "sha-256=:\(Self.digest):"
            let wrong = "sha-256=:\(Base64.encode([UInt8](repeating: 0, count: 32))):"
            for header in ["Content-Digest", "Repr-Digest"] {
                try await house.expect(put("a", "abc", headers: [header: wrong], status: 400, has: [Self.hex]))
                #expect(content("\(inbox)/a") == nil)
            }
            try await house.expect(put("a", "abc", headers: ["Digest": "sha-256=AAAA"], status: 400))
            try await house.expect(put("a", "abc", headers: ["Content-Digest": "sha-256=abc"], status: 400))
            // A piece that came wrong is not kept; the one before is.
            try await house.expect(put("b", "ab", range: "0-1/3", status: 202, offset: "2"))
            try await house.expect(
                put("b", "x", range: "2-2/3", headers: ["Content-Digest": wrong], status: 400))
            try await house.expect(put("b", range: "*/3", status: 202, offset: "2"))
            try await house.expect(put("b", "c", range: "2-2/3", headers: ["Repr-Digest": right], status: 201))
            #expect(content("\(inbox)/b") == "abc")
            // The whole is wrong: nothing of it can be trusted.
            try await house.expect(put("c", "ab", range: "0-1/3", status: 202))
            try await house.expect(put("c", "x", range: "2-2/3", headers: ["Repr-Digest": right], status: 400))
            try await house.expect(put("c", range: "*/3", status: 202, offset: "0"))
            try await house.expect(
                put("d", "abc", headers: ["Content-Digest": "md5=:AA==:, \(right)", "Digest": "md5=x"], status: 201))
        }
    }

    @Test(
        "headers that are none",
        arguments: ["0-2", "0-2/2", "2-0/3", "a-b/3", "-1/3", "0-/3", "0-2/x", "*/x", "0-99999999999999999999/*"])
    func malformed(range: String) async throws {
        try await withTemporaryFolder { inbox in
            try await House(inbox: inbox).expect(put("a", "abc", range: range, status: 400, has: ["Content-Range"]))
        }
    }

    @Test("the inbox has a quota")
    func quota() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox) { $0.maxInboxBytes = 5 }
            try await house.expect(put("a", "abc", status: 201))
            try await house.expect(put("b", "abc", status: 507, has: ["max_inbox_bytes"]))
            try await house.expect(put("b", "ab", status: 201))
            try await house.expect(put("c", "c", range: "0-0/1000000000000000", status: 413))
        }
    }

    /// As after a daemon that was killed when the last byte had come.
    @Test("a file that is all there is finished when its digest is given")
    func allThere() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            try await house.expect(put("exp", "abc", range: "0-2/9", status: 202, offset: "3"))
            let digest = ["Repr-Digest": "sha-256=:\(Self.digest):"]
            try await house.expect(put("exp", range: "*/3", status: 202, offset: "3"))
            try await house.expect(put("exp", range: "*/9", headers: digest, status: 202, offset: "3"))
            #expect(content("\(inbox)/exp") == nil)
            try await house.expect(put("exp", range: "*/3", headers: digest, status: 201, has: [Self.hex]))
            #expect(content("\(inbox)/exp") == "abc")
        }
    }

    @Test("a nonce of the ingest lets files in, each once, and nothing else")
    func nonces() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            for (id, alias) in [("one", "ingest"), ("two", "ingest"), ("foreign", nil)] {
                try await house.nonce(id, alias: alias, maxUses: 1)
            }
            func row(_ path: String, _ nonce: String, range: String? = nil, _ body: String, status: Int) -> Row {
                var row = put("\(path)?x-nonce=\(nonce)", body, range: range, status: status)
                row.token = nil
                return row
            }
            try await house.expect(row("a", "foreign", "abc", status: 401))
            try await house.expect(row("a", "one", range: "0-1/3", "ab", status: 202))
            try await house.expect(row("a", "one", range: "2-2/3", "c", status: 201))
            try await house.expect(row("b", "one", "abc", status: 401))
            try await house.expect(
                Row(name: "list", path: "/api/v1/uploads?x-nonce=two", status: 401))
            try await house.expect(
                Row(name: "read", path: "/api/v1/uploads/a?x-nonce=two", status: 401))
            #expect(content("\(inbox)/a") == "abc" && content("\(inbox)/b") == nil)
        }
    }

    @Test("what becomes of a request, by what is there")
    func steps() {
        func decide(_ range: UploadRange, there: Int64?, body: Int64? = nil) -> UploadStep {
            UploadStep.decide(range, there: there, known: nil, body: body)
        }
        #expect(decide(.whole, there: 5, body: 3) == .restart(length: 3))
        #expect(decide(.question(length: 9), there: nil) == .tell(offset: 0, length: 9))
        #expect(decide(.question(length: nil), there: 4) == .tell(offset: 4, length: nil))
        #expect(decide(.part(first: 0, last: 2, length: 9), there: 5) == .restart(length: 9))
        #expect(decide(.part(first: 3, last: 5, length: 9), there: 3, body: 3) == .append(at: 3, length: 9))
        guard case .refuse(let offset, _) = decide(.part(first: 3, last: 5, length: 9), there: nil) else {
            Issue.record("a piece without the one before was taken")
            return
        }
        #expect(offset == 0)
    }
}
