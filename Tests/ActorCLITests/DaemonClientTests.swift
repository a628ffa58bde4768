import ActorCLI
import ActorCore
import Synchronization
import Testing

@Suite("client")
struct DaemonClientTests {
    /// Answers one thing and keeps what was asked.
    private final class OneAnswer: HTTPClient {
        let answer: Result<IncomingResponse, ActorError>
        let requests = Mutex<[OutgoingRequest]>([])

        init(_ answer: Result<IncomingResponse, ActorError>) { self.answer = answer }

        convenience init(_ status: Int, _ body: String) {
            self.init(.success(IncomingResponse(status: status, headers: [], body: Array(body.utf8))))
        }

        func send(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> IncomingResponse {
            requests.withLock { $0.append(request) }
            return try answer.get()
        }

        func stream(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> ResponseStream {
            throw ActorError(.unavailable, "the command line streams nothing")
        }
    }

    private func failure(_ http: OneAnswer, token: String? = "rx_canary") async throws -> Failure {
        let client = DaemonClient(url: "http://127.0.0.1:8000/", token: token, http: http)
        do {
            _ = try await client.get("/api/v1/actors")
        } catch {
            #expect(!error.message.contains("canary"))
            return error
        }
        throw CancellationError()
    }

    @Test("the token goes into its header and nowhere else")
    func token() async throws {
        let http = OneAnswer(200, "{\"a\": 1}")
        let client = DaemonClient(url: "http://127.0.0.1:8000/", token: "rx_canary", http: http)
        #expect(try await client.get("/x") == ["a": 1])
        let requests = http.requests.withLock { $0 }
        let request = try #require(requests.first)
        #expect(request.url == "http://127.0.0.1:8000/x")
        #expect(request.headers.contains { $0 == ("Authorization", "Bearer rx_canary") })
    }

    @Test(
        "refusals become exit statuses",
        arguments: [
            (
                404, #"{"type":"urn:reactord:problem:not_found","title":"t","status":404,"detail":"no actor x"}"#,
                Exit.failed, "no actor x"
            ),
            (
                422, #"{"type":"u","title":"t","status":422,"detail":"d","errors":[{"place":"/a","problem":"bad"}]}"#,
                .failed, "d; /a: bad"
            ),
            (401, #"{"type":"u","title":"Unauthorized","status":401,"detail":""}"#, .unauthorized, "Unauthorized"),
            (403, #"{"type":"u","title":"t","status":403,"detail":"needs admin"}"#, .unauthorized, "needs admin"),
            (
                400, #"{"status":"error","message":"Not authorized.","version":"1","result":null}"#, .unauthorized,
                "Not auth"
            ),
            (500, "<html>", .failed, "the daemon answered 500"),
            (200, "<html>", .failed, "is --url right?"),
        ])
    func refusals(status: Int, body: String, exit: Exit, words: String) async throws {
        let failure = try await failure(OneAnswer(status, body))
        #expect(failure.exit == exit)
        #expect(failure.message.contains(words), "\(failure.message)")
    }

    @Test("a daemon that is not there is status 3", arguments: [ActorError.Code.unavailable, .timedOut])
    func unreachable(code: ActorError.Code) async throws {
        let failure = try await failure(OneAnswer(.failure(ActorError(code, "x"))))
        #expect(failure.exit == .unreachable)
        #expect(failure.message.contains("reactord serve"))
    }

    @Test("without a token the message says how to get one")
    func hint() async throws {
        let failure = try await failure(OneAnswer(401, "{}"), token: nil)
        #expect(failure.message.contains("--token"))
    }
}
