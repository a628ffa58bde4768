import ActorCore
import ActorTesting
import Glibc
import HTTPTransport
import Logging
import Testing

@Suite(.timeLimit(.minutes(3)))
struct CurlClientTests {
    @Test func everyClientKeepsThePromises() async throws {
        try await withServer { client, server in
            #expect(await HTTPClientSuite(client, base: server.base).problems() == [])
        }
        let scripted = ScriptedHTTP(fallback: HTTPClientSuite.answer)
        #expect(await HTTPClientSuite(scripted, base: "http://127.0.0.1:8000").problems() == [])
    }

    @Test func theRequestArrivesAsItWasGiven() async throws {
        try await withServer { client, server in
            let headers = [("X-One", "1"), ("X-Empty", ""), ("Content-Type", "application/json"), ("x-one", "2")]
            let body = Array("{\"a\":\"\0\"}".utf8)
            _ = try await client.send(
                OutgoingRequest(method: "POST", url: "\(server.base)/echo?a=%2F&b", headers: headers, body: body),
                policy: .anywhere)
            let request = try #require(server.requests.first)
            #expect(request.body == body)
            #expect(
                Set(request.lines) == [
                    "POST /echo?a=%2F&b HTTP/1.1", "Host: 127.0.0.1:\(server.port)", "Accept: */*", "X-One: 1",
                    "X-Empty:", "Content-Type: application/json", "x-one: 2", "Content-Length: \(body.count)",
                ])
            _ = try await client.send(OutgoingRequest(method: "POST", url: "\(server.base)/echo"), policy: .anywhere)
            #expect(server.requests[1].lines.contains("Content-Length: 0"))
            #expect(!server.requests[1].head.lowercased().contains("content-type"))
            _ = try await client.send(OutgoingRequest(method: "HEAD", url: "\(server.base)/bytes/5"), policy: .anywhere)
            #expect(server.requests[2].method == "HEAD")
        }
    }

    @Test func twoHundredRequestsAtOnce() async throws {
        try await withServer { client, server in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let body = [UInt8](repeating: UInt8(number), count: number * 100)
                        let request = OutgoingRequest(method: "POST", url: "\(server.base)/echo", body: body)
                        let response = try await client.send(request, policy: .anywhere)
                        return response.status == 200 && response.body == body
                    }
                }
                var good = 0
                for try await answer in group where answer { good += 1 }
                #expect(good == 200)
            }
        }
    }

    @Test func aLongBodyIsSentAtOnce() async throws {
        try await withServer { client, server in
            let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let request = OutgoingRequest(
                method: "PUT", url: "\(server.base)/echo", body: body, maxResponseBytes: 5_000_000)
            let response = try await client.send(request, policy: .anywhere)
            #expect(response.body == body)
            #expect(server.requests[0].lines.allSatisfy { !$0.hasPrefix("Expect") })
        }
    }

    /// What would be refused after gigabytes is refused before them.
    @Test func aLongSourceAsksForLeave() async throws {
        try await withServer { client, server in
            for (path, status, body) in [("refuse", 403, "not here"), ("echo", 200, nil)] {
                var request = OutgoingRequest(method: "PUT", url: "\(server.base)/\(path)", maxResponseBytes: 4_000_000)
                request.source = MemorySource([UInt8](repeating: 7, count: 3_000_000))
                let response = try await client.send(request, policy: .anywhere)
                #expect(response.status == status)
                if let body { #expect(response.body == Array(body.utf8)) }
                let head = try #require(server.requests.last)
                #expect(head.lines.contains("Expect: 100-continue") && head.lines.contains("Content-Length: 3000000"))
                #expect(head.body.count == (status == 200 ? 3_000_000 : 0))
            }
        }
    }

    @Test func aSlowReaderHoldsTheSenderBackAndNobodyElse() async throws {
        try await withServer { client, server in
            let all = 64_000
            var request = OutgoingRequest(method: "GET", url: "\(server.base)/pieces/\(all)")
            // Time does not run while the reader is the slow one.
            request.idleMilliseconds = 30000
            let stream = try await client.stream(request, policy: .anywhere)
            var count = try #require(try await stream.next()).count
            for _ in 0..<50 {
                let other = OutgoingRequest(method: "GET", url: "\(server.base)/bytes/100000")
                let answer = try await client.send(other, policy: .anywhere)
                #expect(answer.body.count == 100_000)
            }
            #expect(server.piecesSent < all / 2)
            while let piece = try await stream.next() { count += piece.count }
            #expect(count == all * 1000)
        }
    }

    @Test func whoLeavesAStreamClosesItsConnection() async throws {
        try await withServer { client, server in
            let request = OutgoingRequest(method: "GET", url: "\(server.base)/trickle")
            var stream: ResponseStream? = try await client.stream(request, policy: .anywhere)
            let first = try await stream?.next()
            #expect(first == Array("first".utf8))
            stream = nil
            for await _ in server.ends { break }
            let flood = OutgoingRequest(method: "GET", url: "\(server.base)/pieces/1000000")
            stream = try await client.stream(flood, policy: .anywhere)
            stream?.close()
            for await _ in server.ends { break }
            #expect(server.piecesSent < 1_000_000)
        }
    }

    @Test func aRequestUnderWayCanBeCancelled() async throws {
        try await withServer { client, server in
            let code = await withTaskGroup(of: ActorError.Code?.self) { group in
                let request = OutgoingRequest(method: "GET", url: "\(server.base)/silent", timeoutMilliseconds: 60000)
                group.addTask { await Self.code(client, request) }
                for await arrival in server.arrivals where arrival.path == "/silent" { break }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(code == .cancelled)
            // The client goes on.
            let request = OutgoingRequest(method: "GET", url: "\(server.base)/status/200")
            let response = try await client.send(request, policy: .anywhere)
            #expect(response.status == 200)
        }
    }

    @Test func shutdownFailsWhatIsPending() async throws {
        try await withServer { client, server in
            let request = OutgoingRequest(method: "GET", url: "\(server.base)/silent", timeoutMilliseconds: 60000)
            await withTaskGroup(of: ActorError.Code?.self) { group in
                for _ in 0..<5 { group.addTask { await Self.code(client, request) } }
                var seen = 0
                for await _ in server.arrivals {
                    seen += 1
                    if seen == 5 { break }
                }
                await client.shutdown()
                for await code in group { #expect(code == .cancelled) }
            }
            #expect(await Self.code(client, request) == .cancelled)
            await client.shutdown()
        }
    }

    @Test func nobodyListens() async throws {
        try await withServer { client, server in
            server.stop()
            // Wait until the port is closed for certain: the accepting thread closes it.
            var code: ActorError.Code?
            repeat {
                let url = "\(server.base)/silent?token=hush"
                code = await Self.code(client, OutgoingRequest(method: "GET", url: url, timeoutMilliseconds: 100))
            } while code == .timedOut
            #expect(code == .unavailable)
        }
    }

    @Test func aUnixSocketIsTalkedTo() async throws {
        let path = "/tmp/echo-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        let server = EchoServer(path: path)
        defer {
            server.stop()
            unlink(path)
        }
        let client = try CurlClient(logger: Self.logger)
        let request = OutgoingRequest(
            method: "POST", url: "http://engine/echo/v1", body: [1, 0, 2], unixSocket: path)
        let response = try await client.send(request, policy: .publicOr(allowed: []))
        #expect(response.status == 200 && response.body == [1, 0, 2])
        #expect(server.requests[0].lines.contains("Host: engine"))
        var other = request
        for path in ["relative", "", "/" + String(repeating: "x", count: 200)] {
            other.unixSocket = path
            #expect(await Self.code(client, other) == .invalidInput)
        }
        other.unixSocket = path + "-missing"
        #expect(await Self.code(client, other) == .unavailable)
        await client.shutdown()
    }

    @Test func endlessHeadersEndTheRequest() async throws {
        try await withServer { client, server in
            let few = try await client.send(
                OutgoingRequest(method: "GET", url: "\(server.base)/headers/20"), policy: .anywhere)
            #expect(few.headers.count == 21 && few.header("x-19")?.utf8.count == 999)
            let many = OutgoingRequest(method: "GET", url: "\(server.base)/headers/2000")
            #expect(await Self.code(client, many) == .unavailable)
        }
    }

    @Test func errorsKeepSecretsToThemselves() async throws {
        try await withServer { client, server in
            let requests: [(String, Int64, AddressPolicy)] = [
                ("\(server.base)/silent?token=hush", 100, .anywhere),
                ("\(server.base)/echo/hush?token=hush", 1000, .publicOr(allowed: [])),
                ("http://me:hush@127.0.0.1/", 1000, .anywhere), ("http://127.0.0.1:1/?x=hush", 1000, .anywhere),
                ("http://no-such-host.invalid/?x=hush", 5000, .anywhere), ("gopher://x/?hush", 1000, .anywhere),
                ("http://exa mple/?hush", 1000, .anywhere), ("http://[::1/?hush", 1000, .anywhere),
            ]
            for (url, timeout, policy) in requests {
                let request = OutgoingRequest(method: "GET", url: url, timeoutMilliseconds: timeout)
                let error = await #expect(throws: ActorError.self) { try await client.send(request, policy: policy) }
                #expect(error.map { !"\($0)".contains("hush") && !$0.message.isEmpty } == true, "\(url)")
            }
        }
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func code(
        _ client: CurlClient, _ request: OutgoingRequest, _ policy: AddressPolicy = .anywhere
    ) async -> ActorError.Code? {
        do throws(ActorError) {
            _ = try await client.send(request, policy: policy)
            return nil
        } catch {
            return error.code
        }
    }

    private func withServer(_ body: (CurlClient, EchoServer) async throws -> Void) async throws {
        let server = EchoServer()
        defer { server.stop() }
        let client = try CurlClient(logger: Self.logger)
        do {
            try await body(client, server)
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw error
        }
    }
}
