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

    @Test("an upload is its sender's until it is taken")
    func owners() async throws {
        func by(_ token: String, _ row: Row) -> Row {
            var row = row
            row.token = token
            return row
        }
        func piece(_ body: String, _ range: String, status: Int) -> Row {
            var row = put("exp/a", body: body, status: status)
            row.headers = ["Content-Range": "bytes \(range)"]
            return row
        }
        let mark = Row(
            name: "done", method: .post, path: "/api/v1/uploads/exp/done", token: House.bobToken, status: 202)
        var foreign = by(House.annToken, mark)
        foreign.status = 403
        foreign.has = ["somebody else's upload"]
        let refused = foreign
        try await withTemporaryFolder { inbox in
            try await House(inbox: inbox).expect(piece("ab", "0-1/4", status: 202))
            // A daemon that starts again knows whose it is.
            let house = House(inbox: inbox)
            func others() async throws {
                for name in ["exp/a", "exp/b"] {
                    try await house.expect(by(House.annToken, put(name, status: 403, has: ["somebody else's upload"])))
                }
                try await house.expect(refused)
            }
            try await others()
            try await house.expect(piece("cd", "2-3/4", status: 201))
            try await others()
            #expect(FileManager.default.contents(atPath: inbox + "/exp/a") == Data("abcd".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: inbox + "/exp") == ["a"])
            try await house.expect(by(House.adminToken, put("exp/c", status: 201)))
            try await house.expect(mark)
            try await house.expect(refused)
            // Taken: the name is free.
            try FileManager.default.removeItem(atPath: inbox + "/exp")
            try FileManager.default.removeItem(atPath: inbox + "/exp.done")
            try await house.expect(by(House.annToken, put("exp/a", status: 201)))
            try await house.expect(put("exp/a", status: 403))
        }
    }

    @Test("what came into the inbox by another way is everybody's")
    func nobodys() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            try FileManager.default.createDirectory(atPath: inbox + "/exp", withIntermediateDirectories: true)
            for token in [House.bobToken, House.annToken, House.bobToken] {
                var row = put("exp/a", status: 201)
                row.token = token
                try await house.expect(row)
            }
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
