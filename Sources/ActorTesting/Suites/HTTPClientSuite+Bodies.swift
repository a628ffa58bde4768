package import ActorCore
import Synchronization

/// A body in memory, given out in pieces; for tests.
package final class MemorySource: BodySource {
    package let count: Int64
    private let bytes: [UInt8]
    private let failure: ActorError?

    /// - Parameter count: what is promised; by default what there is.
    package init(_ bytes: [UInt8], count: Int64? = nil, failure: ActorError? = nil) {
        self.bytes = bytes
        self.count = count ?? Int64(bytes.count)
        self.failure = failure
    }

    package func read(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(ActorError) -> Int {
        if let failure, offset > 0 { throw failure }
        let piece = bytes.dropFirst(Int(offset)).prefix(min(buffer.count, 9999))
        buffer.copyBytes(from: piece)
        return piece.count
    }
}

/// Keeps what an answer's body was; for tests.
package final class MemorySink: BodySink {
    private let state = Mutex<(head: IncomingResponse?, bytes: [UInt8])>((nil, []))
    private let limit: Int

    package init(limit: Int = .max) { self.limit = limit }

    package var head: IncomingResponse? { state.withLock { $0.head } }
    package var bytes: [UInt8] { state.withLock { $0.bytes } }

    package func begin(_ head: IncomingResponse) throws(ActorError) { state.withLock { $0.head = head } }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ActorError) {
        let count = state.withLock { state in
            state.bytes.append(contentsOf: bytes)
            return state.bytes.count
        }
        if count > limit { throw ActorError(.tooLarge, "more than \(limit) bytes came") }
    }
}

/// Bodies that are not held in memory: sources, sinks and streams.
extension HTTPClientSuite {
    func sources() async -> [String] {
        var found: [String] = []
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for (method, body) in [("PUT", body), ("POST", Array(body.prefix(10))), ("PATCH", []), ("PUT", [])] {
            var request = OutgoingRequest(method: method, url: "\(base)/echo", maxResponseBytes: 4_000_000)
            request.source = MemorySource(body)
            request.idleMilliseconds = 60000
            let result = await outcome(request)
            guard case .success(let response) = result, response.status == 200, response.body == body,
                response.header("x-method") == method
            else {
                found.append("\(method) of a source with \(body.count) bytes: \(result)")
                continue
            }
        }
        let full = ActorError(.storageFull, "the source broke")
        let cases: [(MemorySource, [UInt8], ActorError.Code)] = [
            (MemorySource(body, count: 3_000_001), [], .conflict),
            (MemorySource(body, failure: full), [], .storageFull),
            (MemorySource([1]), [1], .invalidInput), (MemorySource([], count: -1), [], .invalidInput),
        ]
        for (source, body, code) in cases {
            var request = OutgoingRequest(method: "PUT", url: "\(base)/echo", body: body)
            request.source = source
            let result = await outcome(request)
            guard case .failure(let error) = result, error.code == code else {
                found.append("a bad source: \(result), not \(code)")
                continue
            }
        }
        return found
    }

    func sinks() async -> [String] {
        var found: [String] = []
        func get(_ path: String, _ sink: MemorySink) async -> Result<IncomingResponse, ActorError> {
            var request = OutgoingRequest(method: "GET", url: "\(base)\(path)", maxResponseBytes: 10)
            request.sink = sink
            return await outcome(request)
        }
        let sink = MemorySink()
        let result = await get("/pieces/300", sink)
        if case .success(let response) = result, response.status == 200, response.body.isEmpty,
            sink.head?.status == 200, sink.bytes == (0..<300).flatMap(Self.piece)
        {
        } else {
            found.append("a sink for /pieces/300 got \(sink.bytes.count) bytes: \(result)")
        }
        let other = MemorySink()
        if case .success(let response) = await get("/status/404", other), response.status == 404, other.head == nil {
        } else {
            found.append("the sink of a refused request was begun")
        }
        let limited = await get("/bytes/3000000", MemorySink(limit: 1000))
        if case .failure(let error) = limited, error.code == .tooLarge {
        } else {
            found.append("a sink that refused: \(limited), not tooLarge")
        }
        return found
    }

    func streams() async -> [String] {
        var found: [String] = []
        for (path, status, expected) in [
            ("/pieces/3000", 200, (0..<3000).flatMap(Self.piece)), ("/bytes/5", 200, Array("xxxxx".utf8)),
            ("/status/404", 404, []), ("/status/204", 204, []),
        ] {
            let result = await read(path, idle: 60000)
            guard result.status == status, result.bytes == expected, result.error == nil else {
                found.append("stream of \(path): \(result.status), \(result.bytes.count) bytes, \(result.error as Any)")
                continue
            }
        }
        let first = Array("first".utf8)
        let idle = await read("/trickle", idle: 200)
        if idle.bytes != first || idle.error?.code != .timedOut { found.append("an idle stream: \(idle)") }
        let silent = await read("/silent", idle: nil, timeout: 200)
        if silent.error?.code != .timedOut { found.append("a stream without a head: \(silent)") }
        let cancelled = await withTaskGroup(of: ActorError.Code?.self) { group in
            let (started, sink) = AsyncStream.makeStream(of: Void.self)
            group.addTask { await read("/trickle", idle: nil, onPiece: { sink.yield() }).error?.code }
            for await _ in started { break }
            group.cancelAll()
            return await group.next() ?? nil
        }
        if cancelled != .cancelled { found.append("a cancelled stream: \(String(describing: cancelled))") }
        do throws(ActorError) {
            let request = OutgoingRequest(method: "GET", url: "\(base)/trickle")
            let stream = try await client.stream(request, policy: .anywhere)
            stream.close()
            while try await stream.next() != nil {}
            found.append("a closed stream ended as if it were whole")
        } catch {
            if error.code != .cancelled { found.append("a closed stream: \(error), not cancelled") }
        }
        return found
    }

    private func read(
        _ path: String, idle: Int64?, timeout: Int64 = 60000, onPiece: () -> Void = {}
    ) async -> (status: Int, bytes: [UInt8], error: ActorError?) {
        var request = OutgoingRequest(method: "GET", url: "\(base)\(path)", timeoutMilliseconds: timeout)
        request.idleMilliseconds = idle
        var status = 0
        var bytes: [UInt8] = []
        do throws(ActorError) {
            let stream = try await client.stream(request, policy: .anywhere)
            status = stream.status
            while let piece = try await stream.next() {
                if piece.isEmpty { return (status, bytes, ActorError(.internalFailure, "an empty piece")) }
                bytes += piece
                onPiece()
            }
            return (status, bytes, nil)
        } catch {
            return (status, bytes, error)
        }
    }
}
