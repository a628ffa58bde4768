import ActorConnectors
import ActorCore
import Foundation
import Synchronization
import Testing

/// What lies at an address becomes an upload, whole or not at all.
@Suite struct HTTPUploadsTests {
    /// Answers every request with one text, piece by piece.
    private final class Server: HTTPClient {
        let status: Int
        let text: String
        let policies = Mutex<[AddressPolicy]>([])

        init(status: Int = 200, _ text: String) {
            self.status = status
            self.text = text
        }

        func send(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> IncomingResponse {
            policies.withLock { $0.append(policy) }
            let response = IncomingResponse(
                status: status, headers: [("Content-Length", String(text.utf8.count))], body: [])
            guard status == 200, let sink = request.sink else { return response }
            try sink.begin(response)
            for byte in text.utf8 {
                var one = byte
                try withUnsafeBytes(of: &one) { (bytes) throws(ActorError) in try sink.write(bytes) }
            }
            return response
        }

        func stream(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> ResponseStream {
            throw ActorError(.unavailable, "nothing is streamed here")
        }
    }

    private let lab: TemporaryLab

    init() throws { lab = try TemporaryLab() }

    private func fetcher(_ server: Server, limit: Int64 = 100) -> HTTPUploads {
        HTTPUploads(inbox: lab.path("inbox"), client: server, maxBytes: limit)
    }

    @Test func itAppearsWholeAndMarked() async throws {
        let server = Server("abc")
        let upload = RemoteUpload(
            url: "https://data.example.org/x", name: "exp",
            sha256: "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", force: true)
        try await fetcher(server).fetch(upload, allowed: ["nas"], key: "k")
        try await fetcher(server).fetch(upload, allowed: ["nas"], key: "k")
        #expect(server.policies.withLock { $0 } == [.publicOr(allowed: ["nas"])])
        let entry = try #require(try await lab.inbox.scan().first)
        #expect(entry.name == "exp" && entry.bytes == 3 && entry.isMarkedDone && entry.isForced)
    }

    @Test(
        arguments: [
            (404, "x", nil, 100, ActorError.Code.invalidInput), (503, "x", nil, 100, .unavailable),
            (200, "abc", "00", 100, .invalidInput), (200, "abcdef", nil, 5, .tooLarge),
        ] as [(Int, String, String?, Int64, ActorError.Code)])
    func nothingOfWhatIsWrongStays(
        status: Int, text: String, digest: String?, limit: Int64, code: ActorError.Code
    ) async throws {
        let upload = RemoteUpload(url: "http://data.example.org/x", name: "exp", sha256: digest)
        let error = await #expect(throws: ActorError.self) {
            try await fetcher(Server(status: status, text), limit: limit).fetch(upload, allowed: [], key: "k")
        }
        #expect(error?.code == code)
        #expect(try await lab.inbox.scan().isEmpty)
    }

    /// Two messages with one name: the second waits until the first was taken.
    @Test func anotherOneOfThatNameIsNotTakenForIt() async throws {
        func fetch(_ text: String, _ key: String) async throws {
            let upload = RemoteUpload(url: "http://data.example.org/x", name: "exp")
            try await fetcher(Server(text)).fetch(upload, allowed: [], key: key)
        }
        try await fetch("1", "k1")
        let error = await #expect(throws: ActorError.self) { try await fetch("22", "k2") }
        #expect(error?.code == .unavailable && error?.message.contains("another upload exp") == true)
        #expect(try await lab.files.claim("exp", key: "c1").files.map(\.bytes) == [1])
        try await fetch("22", "k2")
        try await fetch("1", "k1")
        #expect(try await lab.inbox.scan().map(\.bytes) == [2])
    }

    @Test func otherSchemesAreRefused() async throws {
        for url in ["file:///etc/passwd", "ftp://x/y", "x"] {
            let error = await #expect(throws: ActorError.self) {
                try await fetcher(Server("x")).fetch(RemoteUpload(url: url, name: "exp"), allowed: [], key: "k")
            }
            #expect(error?.code == .invalidInput)
        }
    }
}
