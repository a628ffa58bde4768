package import ActorCore
import Synchronization

/// An HTTP client that reaches nobody: it answers by script, keeps what was sent, and refuses what every client must.
package final class ScriptedHTTP: HTTPClient {
    /// What comes back for one request.
    package enum Answer: Sendable {
        case response(IncomingResponse)
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
        if Task.isCancelled { throw ActorError(.cancelled, "the request was cancelled") }
        try Self.check(request, policy)
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
        switch scripted ?? fallback(request) {
        case .failure(let error): throw error
        case .silence:
            await silence(milliseconds: request.timeoutMilliseconds)
            if Task.isCancelled { throw ActorError(.cancelled, "the request was cancelled") }
            throw ActorError(.timedOut, "no answer within \(request.timeoutMilliseconds) ms")
        case .response(let response):
            let body = Array(response.body.prefix(request.maxResponseBytes))
            return IncomingResponse(status: response.status, headers: response.headers, body: body)
        }
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
