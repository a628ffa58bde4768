import ActorCore
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import ActorHTTP

@Suite("forms in parts")
struct MultipartTests {
    private static func part(_ name: String, _ value: String, after boundary: String) -> String {
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
    }

    private static func request(_ body: [UInt8], boundary: String, path: String = "/actors/v2") -> Request {
        Request(
            head: HTTPRequest(
                method: .post, scheme: "http", authority: "localhost", path: path,
                headerFields: [.contentType: "multipart/form-data; boundary=\(boundary)"]),
            body: RequestBody(buffer: ByteBuffer(bytes: body)))
    }

    /// Compared at every byte, and once more for every field, these take hours.
    @Test("a boundary that nearly matches everywhere costs nothing", arguments: ["", "\r\n"])
    func linear(ending: String) async throws {
        let boundary = String(repeating: "-", count: 69) + "x"
        let line = Array((String(repeating: "-", count: 70) + ending).utf8)
        let body = Array(repeatElement(line, count: 15_000).joined())
        let fields = try await RequestFields.read(Self.request(body, boundary: boundary), limits: Limits())
        for number in 0..<2000 { #expect(fields["field_\(number)"] == nil) }
    }

    @Test("a delimiter is a line of its own")
    func lines() throws {
        let value = "a --xx\r\n--xxy\r\nb --xx--\n--xx"
        let body =
            "before --xx\r\n" + Self.part("one", value, after: "xx") + Self.part("two", "", after: "xx")
            + Self.part("one", "second", after: "xx") + "--xx-- \r\n" + Self.part("three", "late", after: "xx")
        let form = try MultipartForm(Array(body.utf8), boundary: "xx")
        #expect(form.first("one") == value)
        #expect(form.first("two") == "")
        #expect(form.first("three") == nil, "nothing counts behind the last delimiter")
    }

    @Test("a form that is cut off counts up to where it ends")
    func cut() throws {
        let body = Self.part("one", "first", after: "xx") + Self.part("two", "second", after: "xx")
        #expect(try MultipartForm(Array(body.utf8), boundary: "xx").first("two") == "second")
        let shorter = Array(body.utf8.dropLast(4))
        #expect(try MultipartForm(shorter, boundary: "xx").first("two") == "seco")
    }

    @Test("parts have a bound")
    func parts() throws {
        func form(_ count: Int) -> [UInt8] {
            Array(((0..<count).map { Self.part("f\($0)", "v", after: "xx") }.joined() + "--xx--\r\n").utf8)
        }
        #expect(try MultipartForm(form(MultipartForm.mostParts), boundary: "xx").first("f255") == "v")
        #expect(throws: ActorError.self) { try MultipartForm(form(MultipartForm.mostParts + 1), boundary: "xx") }
    }

    @Test("forms of the other kind have a bound, too")
    func items() async throws {
        try await House().expect(
            Row(
                name: "many", method: .post, path: "/actors/v2", token: House.adminToken,
                type: "application/x-www-form-urlencoded", body: String(repeating: "a&", count: 5000), status: 400,
                has: ["at most 1000 fields"]))
    }

    @Test(
        "a boundary that is too long is refused, whoever sends it",
        arguments: [("/token", nil), ("/actors/v2", House.adminToken), ("/actors/v2/hello/messages", House.adminToken)]
            as [(String, String?)])
    func boundary(path: String, token: String?) async throws {
        let boundary = String(repeating: "b", count: 71)
        let body = Self.part("message", "m", after: boundary) + "--\(boundary)--\r\n"
        try await House(passwords: ["bob": "correct horse"]).expect(
            Row(
                name: path, method: .post, path: path, token: token, type: "multipart/form-data; boundary=\(boundary)",
                body: body, status: 400, has: ["70 characters"]))
    }
}
