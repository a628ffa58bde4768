import ActorCore
import ActorRuntime
import ActorTesting
import Crypto
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
        try await withTemporaryFolder { inbox in
            try await House(inbox: inbox).expect(piece("ab", "0-1/4", status: 202))
            // A daemon that starts again knows whose it is.
            let house = House(inbox: inbox)
            func others() async throws {
                for name in ["exp/a", "exp/b"] {
                    try await house.expect(by(House.annToken, put(name, status: 403, has: ["somebody else's upload"])))
                }
            }
            try await others()
            try await house.expect(piece("cd", "2-3/4", status: 201))
            try await others()
            #expect(FileManager.default.contents(atPath: inbox + "/exp/a") == Data("abcd".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: inbox + "/exp") == ["a"])
            try await house.expect(by(House.adminToken, put("exp/c", status: 201)))
            // That it is all there says everybody.
            try await house.expect(by(House.annToken, mark))
            try await house.expect(mark)
            // Taken: the name is free.
            try FileManager.default.removeItem(atPath: inbox + "/exp")
            try FileManager.default.removeItem(atPath: inbox + "/exp.done")
            try await house.expect(by(House.annToken, put("exp/a", status: 201)))
            try await house.expect(put("exp/a", status: 403))
        }
    }

    /// By whom, a file of an upload or its end, and what comes of it.
    private typealias Step = (String, String, Int)

    /// - Parameter who: a nonce, or a token of a user.
    private func expect(_ house: House, _ who: String, _ path: String, _ status: Int) async throws {
        let isEnd = path.hasSuffix("/done")
        let isToken = who.hasSuffix("-token")
        try await house.expect(
            Row(
                name: "\(path) by \(who)", method: isEnd ? .post : .put,
                path: "/api/v1/uploads/\(path)" + (isToken ? "" : "?x-nonce=\(who)"), token: isToken ? who : nil,
                body: isEnd ? nil : "by \(who)", status: status,
                has: status == 403 ? ["somebody else's upload"] : []))
    }

    @Test("a nonce is its own: instruments do not reach each other's uploads, and nobody is locked out")
    func instruments() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            for nonce in ["one", "two"] { try await house.nonce(nonce, alias: "ingest", owner: "ann") }
            let (ann, bob) = (House.annToken, House.bobToken)
            let steps: [Step] = [
                ("one", "plate/data", 201), ("two", "plate/data", 403), ("two", "plate/more", 403),
                ("two", "plate/done", 403), (bob, "plate/data", 403), ("one", "plate/data", 201),
                // Who made the nonce goes on; it does not reach what she began herself.
                (ann, "plate/note", 201), (ann, "own/data", 201), ("one", "own/data", 403), ("one", "own/done", 403),
            ]
            for (who, path, status) in steps { try await expect(house, who, path, status) }
            #expect(FileManager.default.contents(atPath: inbox + "/plate/data") == Data("by one".utf8))
            // A nonce that is made anew goes on, and what has come stays as it is.
            #expect(try await house.store.deleteNonce(NonceID("one")))
            let renewed: [Step] = [
                ("two", "plate/data", 403), ("two", "plate/more", 201), (bob, "plate/rest", 201),
                (bob, "plate/note", 403), ("two", "plate/done", 202), (bob, "own/done", 202),
            ]
            for (who, path, status) in renewed { try await expect(house, who, path, status) }
            #expect(FileManager.default.contents(atPath: inbox + "/plate/data") == Data("by one".utf8))
        }
    }

    @Test("a nonce that is used up, or that nobody stands behind any more, hands its upload on")
    func spent() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            var ingest = try #require(house.system.spec(House.helloID))
            ingest.name = "ingest"
            house.system.install([ingest], quarantined: [])
            for nonce in ["once", "then"] { try await house.nonce(nonce, maxUses: 1) }
            try await house.nonce("bobs", alias: "ingest", owner: "bob")
            try await house.nonce("last", alias: "ingest")
            for (who, path, status): Step in [
                ("once", "set/a", 201), ("then", "set/a", 403), ("then", "set/b", 201), ("last", "set/done", 202),
                ("bobs", "run/a", 201), ("last", "run/b", 403),
            ] { try await expect(house, who, path, status) }
            try await house.grant("bob", .none)
            for (who, path, status): Step in [("bobs", "run/b", 401), ("last", "run/b", 201), ("last", "run/a", 403)] {
                try await expect(house, who, path, status)
            }
        }
    }

    @Test("where the disk has no links, who began an upload is kept in a file", arguments: [true, false])
    func withoutLinks(isRemembered: Bool) async throws {
        try await withTemporaryFolder { inbox in
            var folder = InboxFolder(path: inbox)
            folder.makeLink = { _, _, _ in false }
            func claimant(_ user: String) -> InboxFolder.Claimant {
                .init(Caller(principal: Principal(username: user, tenant: House.tenant, roles: [.user])))
            }
            let place = InboxFolder.Place(upload: "exp", path: ["a"])
            if !isRemembered {
                // Nor does it take the file: the upload is everybody's, and comes all the same.
                let name = Hexadecimal.text(SHA256.hash(data: Array("exp".utf8))).prefix(40)
                try FileManager.default.createDirectory(
                    atPath: "\(inbox)/.parts/\(name).owner.new", withIntermediateDirectories: true)
            }
            try folder.claim(place, part: "x.part", by: claimant("bob"))
            let part = try folder.openPart("x.part")
            try folder.publish(part, at: place, marker: nil, by: claimant("bob"))
            folder.release(part)
            try folder.noteLanding(of: "exp")
            try folder.claim(place, part: "x.part", by: claimant("bob"))
            var refusal: ActorError?
            do throws(ActorError) {
                try folder.claim(place, part: "x.part", by: claimant("ann"))
            } catch {
                refusal = error
            }
            #expect((refusal?.code == .forbidden) == isRemembered)
            #expect(isRemembered == (refusal != nil))
        }
    }

    @Test("a single file replaces nothing that came by another way, and what its sender has put there it does")
    func present() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            func content(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(inbox)/\(name)") }
            try Data("A".utf8).write(to: URL(filePath: inbox + "/same.dat"))
            try await house.expect(put("same.dat", body: "B", status: 409, has: ["is not replaced", "another name"]))
            #expect(content("same.dat") == Data("A".utf8) && content("same.dat.done") == nil)
            // Killed before its marker was written: the same sender sends it again.
            try await house.expect(put("own.dat", body: "one", status: 201))
            try FileManager.default.removeItem(atPath: inbox + "/own.dat.done")
            try await house.expect(put("own.dat", body: "two", status: 201))
            #expect(content("own.dat") == Data("two".utf8) && content("own.dat.done") != nil)
            try FileManager.default.removeItem(atPath: inbox + "/own.dat.done")
            var others = put("own.dat", body: "three", status: 403)
            others.token = House.annToken
            try await house.expect(others)
            others.token = House.adminToken
            others.status = 201
            try await house.expect(others)
            #expect(content("own.dat") == Data("three".utf8))
        }
    }

    @Test("a marker that came too late says nothing of the next upload of that name")
    func lateMarker() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            for name in ["exp", "exp.dat"] { try Data("force".utf8).write(to: URL(filePath: "\(inbox)/\(name).done")) }
            try await house.expect(put("exp/a", status: 201))
            #expect(!FileManager.default.fileExists(atPath: inbox + "/exp.done"))
            try await house.expect(put("exp.dat", status: 201))
            #expect(FileManager.default.contents(atPath: inbox + "/exp.dat.done") == Data())
        }
    }

    @Test("the inbox is told what is still to come of a folder")
    func toCome() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            func parts() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: inbox + "/.parts").filter { $0.contains("~") }
            }
            var piece = put("exp/raw/a.dat?open=true", body: "ab", status: 202)
            piece.headers = ["Content-Range": "bytes 0-1/4"]
            try await house.expect(piece)
            #expect(try parts().compactMap { InboxParts.read($0)?.upload } == ["exp", "exp"])
            piece = put("exp/raw/a.dat?open=true", body: "cd", status: 201)
            piece.headers = ["Content-Range": "bytes 2-3/4"]
            try await house.expect(piece)
            #expect(try parts() == [InboxParts.openNote(of: "exp")])
            try await house.expect(
                Row(
                    name: "done", method: .post, path: "/api/v1/uploads/exp/done", token: House.bobToken, status: 202))
            #expect(try parts() == [])
            // Who does not say so is not waited for.
            try await house.expect(put("other/a.dat", status: 201))
            #expect(try parts() == [])
        }
    }

    /// As after a daemon that was killed between the two steps that put a file in its place.
    @Test("a part that lies in its place already is not written to")
    func landedPart() async throws {
        try await withTemporaryFolder { inbox in
            let house = House(inbox: inbox)
            var piece = put("exp", body: "ab", status: 202)
            piece.headers = ["Content-Range": "bytes 0-1/4"]
            try await house.expect(piece)
            let names = try FileManager.default.contentsOfDirectory(atPath: inbox + "/.parts")
            let part = try #require(names.first { $0.hasSuffix(".part") })
            try FileManager.default.linkItem(atPath: "\(inbox)/.parts/\(part)", toPath: inbox + "/taken")
            try await house.expect(put("exp", body: "wxyz", status: 409, has: ["just been received"]))
            #expect(FileManager.default.contents(atPath: inbox + "/taken") == Data("ab".utf8))
            try await house.expect(put("exp", body: "wxyz", status: 201))
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
