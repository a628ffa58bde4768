package import ActorCore
import Synchronization

/// An HTTP client that reaches nobody: it answers by script, keeps what was sent, and refuses what every client must.
package final class ScriptedHTTP: HTTPClient {
    /// What comes back for one request.
    package enum Answer: Sendable {
        case response(IncomingResponse)
        /// A body in pieces; a streamed request gets them one by one, and an open one is never ended by the server.
        case pieces([[UInt8]], isOpen: Bool)
        case failure(ActorError)
        /// No answer ever: ends when the task is cancelled or the request's time is up.
        case silence

        package static func status(
            _ status: Int, _ body: String = "", headers: [(name: String, value: String)] = []
        ) -> Answer {
            .response(IncomingResponse(status: status, headers: headers, body: Array(body.utf8)))
        }
    }

    private struct Rule {
        let method: String?
        let prefix: String
        /// The last one repeats.
        var answers: [Answer]
    }

    private struct State {
        var rules: [Rule] = []
        var requests: [OutgoingRequest] = []
        var policies: [AddressPolicy] = []
        var nextWait = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())
    private let fallback: @Sendable (OutgoingRequest) -> Answer

    /// - Parameter fallback: answers what no rule matches.
    package init(fallback: @escaping @Sendable (OutgoingRequest) -> Answer = { _ in .status(404) }) {
        self.fallback = fallback
    }

    /// Answers requests whose URL begins with `prefix`, one after another; the last answer repeats. Earlier rules win.
    package func on(_ method: String? = nil, _ prefix: String, _ answers: Answer...) {
        state.withLock { $0.rules.append(Rule(method: method, prefix: prefix, answers: answers)) }
    }

    /// What was let through, in order.
    package var requests: [OutgoingRequest] { state.withLock { $0.requests } }
    package var policies: [AddressPolicy] { state.withLock { $0.policies } }

    package func send(
        _ request: OutgoingRequest, policy: AddressPolicy
    ) async throws(ActorError) -> IncomingResponse {
        switch try answer(to: request, policy) {
        case .failure(let error): throw error
        case .silence:
            try await neverAnswer(request.idleMilliseconds ?? request.timeoutMilliseconds)
        case .pieces(let pieces, let isOpen):
            let head = IncomingResponse(status: 200, headers: [], body: [])
            let answer = try Self.handOver(head, pieces, request)
            if isOpen { try await neverAnswer(request.idleMilliseconds ?? request.timeoutMilliseconds) }
            return answer
        case .response(let response):
            let head = IncomingResponse(status: response.status, headers: response.headers, body: [])
            return try Self.handOver(head, [response.body], request)
        }
    }

    package func stream(
        _ request: OutgoingRequest, policy: AddressPolicy
    ) async throws(ActorError) -> ResponseStream {
        var head = IncomingResponse(status: 200, headers: [], body: [])
        var script: (pieces: [[UInt8]], isOpen: Bool) = ([], false)
        switch try answer(to: request, policy) {
        case .failure(let error): throw error
        case .silence: try await neverAnswer(request.timeoutMilliseconds)
        case .pieces(let pieces, let isOpen): script = (pieces, isOpen)
        case .response(let response):
            head = response
            script.pieces = response.body.isEmpty ? [] : [response.body]
        }
        // Bytes that were sent by then wait in front of the reader; what is nil is closed.
        let left = Mutex<ArraySlice<[UInt8]>?>(script.pieces[...])
        let isOpen = script.isOpen
        return ResponseStream(
            status: head.status, headers: head.headers,
            take: { [self] () async throws(ActorError) -> [UInt8]? in
                if Task.isCancelled { left.withLock { $0 = nil } }
                let (piece, isClosed) = left.withLock { left in (left?.popFirst(), left == nil) }
                if isClosed { throw ActorError(.cancelled, "the request was cancelled") }
                if let piece { return piece }
                if isOpen { try await neverAnswer(request.idleMilliseconds ?? Int64.max) }
                return nil
            }, leave: { left.withLock { $0 = nil } })
    }

    private func answer(
        to request: OutgoingRequest, _ policy: AddressPolicy
    ) throws(ActorError) -> Answer {
        if Task.isCancelled { throw ActorError(.cancelled, "the request was cancelled") }
        try Self.check(request, policy)
        let request = try Self.withBody(request)
        let scripted = state.withLock { state -> Answer? in
            state.requests.append(request)
            state.policies.append(policy)
            let match = state.rules.firstIndex { rule in
                (rule.method ?? request.method) == request.method && request.url.hasPrefix(rule.prefix)
            }
            guard let match, let answer = state.rules[match].answers.first else { return nil }
            if state.rules[match].answers.count > 1 { state.rules[match].answers.removeFirst() }
            return answer
        }
        return scripted ?? fallback(request)
    }

    /// What a source holds becomes the body that is kept, as a server would see it.
    private static func withBody(_ request: OutgoingRequest) throws(ActorError) -> OutgoingRequest {
        guard let source = request.source else { return request }
        var sent = request
        var buffer = [UInt8](repeating: 0, count: 65536)
        while Int64(sent.body.count) < source.count {
            var count = 0
            var failure: ActorError?
            buffer.withUnsafeMutableBytes { bytes in
                do throws(ActorError) {
                    count = try source.read(at: Int64(sent.body.count), into: bytes)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            guard count > 0 else { throw ActorError(.conflict, "the body ended before its count") }
            sent.body += buffer.prefix(min(count, Int(source.count) - sent.body.count))
        }
        sent.source = nil
        return sent
    }

    private static func handOver(
        _ head: IncomingResponse, _ pieces: [[UInt8]], _ request: OutgoingRequest
    ) throws(ActorError) -> IncomingResponse {
        guard let sink = request.sink, (200..<300).contains(head.status) else {
            let body = Array(pieces.joined().prefix(request.maxResponseBytes))
            return IncomingResponse(status: head.status, headers: head.headers, body: body)
        }
        try sink.begin(head)
        for piece in pieces {
            var failure: ActorError?
            piece.withUnsafeBytes { bytes in
                do throws(ActorError) {
                    try sink.write(bytes)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
        return head
    }

    private func neverAnswer(_ milliseconds: Int64) async throws(ActorError) -> Never {
        await silence(milliseconds: milliseconds)
        if Task.isCancelled { throw ActorError(.cancelled, "the request was cancelled") }
        throw ActorError(.timedOut, "no answer within \(milliseconds) ms")
    }

    /// A short limit passes at once, so that no test waits; a long one lasts until the task is cancelled.
    private func silence(milliseconds: Int64) async {
        guard milliseconds > 5000 else { return }
        let number = state.withLock { state in
            state.nextWait += 1
            return state.nextWait
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let kept = state.withLock { state -> Bool in
                    if Task.isCancelled { return false }
                    state.waiting[number] = continuation
                    return true
                }
                if !kept { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
        }
    }

    /// The rules that hold for every client, in their simplest form.
    private static func check(_ request: OutgoingRequest, _ policy: AddressPolicy) throws(ActorError) {
        if let source = request.source, source.count < 0 || !request.body.isEmpty {
            throw ActorError(.invalidInput, "a request has a body or a source of one, not both")
        }
        let line = request.headers.contains { header in
            header.name.isEmpty || (header.name + header.value).utf8.contains { $0 == 0 || $0 == 10 || $0 == 13 }
        }
        if line { throw ActorError(.invalidInput, "a header holds a line break") }
        guard !request.method.isEmpty, request.method.utf8.allSatisfy({ (0x41...0x5a).contains($0) }) else {
            throw ActorError(.invalidInput, "\"\(request.method)\" is no method")
        }
        let parts = request.url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0] == "http:" || parts[0] == "https:", parts[1].isEmpty, !parts[2].isEmpty else {
            throw ActorError(.invalidInput, "the URL is not one of http or https")
        }
        let authority = String(parts[2].prefix { $0 != "?" && $0 != "#" })
        guard !authority.contains("@") else { throw ActorError(.invalidInput, "the URL carries credentials") }
        guard case .publicOr(let allowed) = policy else { return }
        let host =
            authority.hasPrefix("[")
            ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        let privatePrefixes = ["127.", "10.", "192.168.", "169.254.", "[", "localhost", "0."]
        if privatePrefixes.contains(where: host.hasPrefix), !allowed.contains(authority),
            !allowed.contains(String(host))
        {
            throw ActorError(.forbidden, "\(host) is not a public address and is not listed")
        }
    }
}
