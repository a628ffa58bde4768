import ActorCore
import ActorTesting
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ActorHTTP

@Suite("uploads over HTTP")
struct UploadTests {
    private func put(_ path: String, body: String = "abc", status: Int, has: [String] = []) -> Row {
        Row(
            name: path, method: .put, path: "/api/v1/uploads/\(path)", token: House.bobToken, body: body,
            status: status,
            has: has)
    }

    @Test("a file arrives whole, with its hash, and nothing else stays behind")
    func file() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            try await house.expect(
                put(
                    "exp-1/raw/a.dat", status: 201,
                    has: [
                        #""path":"exp-1/raw/a.dat","bytes":3"#,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                    ]))
            let content = FileManager.default.contents(atPath: inbox + "/exp-1/raw/a.dat")
            #expect(content == Data("abc".utf8))
            try await house.expect(put("exp-1/raw/a.dat", body: "replaced", status: 201))
            #expect(FileManager.default.contents(atPath: inbox + "/exp-1/raw/a.dat") == Data("replaced".utf8))
            try await house.expect(put("exp-1/done", body: "a file called done", status: 201))
            try await house.expect(put("exp-1/raw", body: "a folder is there", status: 409))
            try await house.expect(put("exp-1/raw/a.dat/b", body: "a file is there", status: 409))
            #expect(try FileManager.default.contentsOfDirectory(atPath: inbox + "/exp-1").sorted() == ["done", "raw"])
            #expect(try await house.store.audits(limit: 9).contains { $0.action == "upload.put" && $0.outcome == "ok" })
        }
    }

    @Test(
        "names that would lead out are refused",
        arguments: [
            "..%2Fout/a", "exp/..%2Fa", "exp/%2e%2e/a", "exp/../a", ".hidden/a", "exp/.a", "exp/a%00b", "exp/a%0Ab",
            "exp.done/a", "exp/-rf", "%2Fetc/passwd", "exp/a%5Cb", "exp/caf%C3%A9",
            "exp/" + String(repeating: "a/", count: 16) + "b",
        ])
    func names(path: String) async throws {
        try await withTemporaryFolder { inbox in
            let answer = try await House(inbox: inbox).test { try await put(path, status: 400).send($0) }
            #expect((400...405).contains(answer.status.code), "\(path): \(answer.text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: inbox).filter { $0 != ".parts" } == [])
        }
    }

    @Test("links in the inbox are not followed")
    func links() async throws {
        try await withTemporaryFolder { outside in
            try await withTemporaryFolder { inbox in
                try FileManager.default.createSymbolicLink(atPath: inbox + "/exp", withDestinationPath: outside)
                try await House(inbox: inbox).expect(put("exp/a", status: 409))
                #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
            }
        }
    }

    @Test("what is marked done takes nothing more")
    func done() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            let mark = Row(
                name: "done", method: .post, path: "/api/v1/uploads/exp-1/done", token: House.bobToken, status: 202)
            var early = mark
            early.status = 404
            try await house.expect(early)
            try await house.expect(put("exp-1/a", status: 201))
            try await house.expect(mark)
            try await house.expect(mark)
            #expect(FileManager.default.fileExists(atPath: inbox + "/exp-1.done"))
            try await house.expect(put("exp-1/b", status: 409, has: ["marked done"]))
        }
    }

    @Test("too large a file is refused, and leaves nothing")
    func large() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox) { $0.maxUploadBytes = 2 }
            try await house.expect(put("exp-1/a", status: 413))
            #expect(!FileManager.default.fileExists(atPath: inbox + "/exp-1"))
        }
    }

    @Test("limited users and strangers may not")
    func refused() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            var row = put("exp-1/a", status: 403)
            row.token = "lim-token"
            try await house.expect(row)
            row.token = nil
            row.status = 401
            try await house.expect(row)
            #expect(try FileManager.default.contentsOfDirectory(atPath: inbox) == [])
        }
    }
}
