package import ActorCore

/// Speaks to an API server: finds out how to reach it, shows who we are, and says what its refusals mean.
package final class KubeClient: Sendable {
    /// Where the way to the server is written down.
    package struct Source: Sendable, Equatable {
        /// A kubeconfig file; nil: $KUBECONFIG, the account of the pod that we run in, ~/.kube/config.
        package var kubeconfig: String?
        package var context: String?
        /// `insecure-skip-tls-verify` of a kubeconfig is done as it says.
        package var isUnverifiedAllowed: Bool

        package init(kubeconfig: String? = nil, context: String? = nil, isUnverifiedAllowed: Bool = false) {
            self.kubeconfig = kubeconfig
            self.context = context
            self.isUnverifiedAllowed = isUnverifiedAllowed
        }
    }

    package struct Answer: Sendable {
        package let status: Int
        package let body: JSONValue
        package let text: [UInt8]
        package let retryAfter: Int?

        package init(status: Int, body: JSONValue, text: [UInt8], retryAfter: Int?) {
            self.status = status
            self.body = body
            self.text = text
            self.retryAfter = retryAfter
        }

        /// What a Status says, or the beginning of what else was answered.
        package var message: String {
            body["message"]?.string ?? String(decoding: text.prefix(300), as: UTF8.self)
        }
        package var reason: String { body["reason"]?.string ?? "" }
    }

    private static let maxAnswer = 64 << 20
    private static let maxLine = 4 << 20
    /// A long log takes its time.
    private static let timeout: Int64 = 60_000

    private let http: any HTTPClient
    private let credentials: KubeCredentials
    let now: @Sendable () -> Timestamp
    private let sleep: @Sendable (Int64) async throws -> Void

    /// - Parameters:
    ///   - access: known already; nil reads `source` when it is first needed.
    ///   - sleep: waits so many milliseconds, when a server asks for that.
    package init(
        http: any HTTPClient, documents: any DocumentReader, source: Source, access: KubeAccess? = nil,
        now: @escaping @Sendable () -> Timestamp,
        sleep: @escaping @Sendable (Int64) async throws -> Void = { try await Task.sleep(for: .milliseconds($0)) }
    ) {
        self.http = http
        self.credentials = KubeCredentials(documents: documents, source: source, access: access, now: now)
        self.now = now
        self.sleep = sleep
    }

    // MARK: Requests

    package func send(
        _ method: String, _ path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        type: String = "application/json", accept: String = "application/json"
    ) async throws(EngineFailure) -> Answer {
        var retry = KubeRetry()
        while true {
            let answer = try await once(method, path, query: query, body: body, type: type, accept: accept)
            let canRenew = credentials.canRenew
            if answer.status == 401 { credentials.drop() }
            switch retry.next(status: answer.status, retryAfter: answer.retryAfter, canRenew: canRenew) {
            case .take: return answer
            case .renew: continue
            case .again(let milliseconds):
                do {
                    try await sleep(milliseconds)
                } catch {
                    return answer
                }
            }
        }
    }

    private func once(
        _ method: String, _ path: String, query: [(String, String)], body: JSONValue?, type: String, accept: String
    ) async throws(EngineFailure) -> Answer {
        var request = try await request(method, path, query, accept: accept)
        if let body {
            request.body = JSONWriter.bytes(body)
            request.headers.append(("Content-Type", type))
        }
        request.maxResponseBytes = Self.maxAnswer
        let response: IncomingResponse
        do {
            response = try await http.send(request, policy: .anywhere)
        } catch {
            throw EngineFailure(.unreachable, "the API server did not answer: \(error.message)")
        }
        let isJSON = response.header("content-type")?.contains("json") == true
        return Answer(
            status: response.status,
            body: isJSON ? (try? JSONReader.read(response.body, maxDepth: 128)) ?? .null : .null,
            text: response.body, retryAfter: response.header("retry-after").flatMap { Int($0) })
    }

    /// A watch: its events as they come, until the server ends it.
    package func watch(
        _ path: String, query: [(String, String)], idleMilliseconds: Int64, began: () -> Void,
        event: (JSONValue) -> Void
    ) async throws(EngineFailure) {
        var request = try await request("GET", path, query, accept: "application/json")
        request.idleMilliseconds = idleMilliseconds
        do throws(ActorError) {
            let stream = try await http.stream(request, policy: .anywhere)
            if stream.status == 401 { credentials.drop() }
            // Some servers say in the head what others say in an event.
            if stream.status == 410 { return event(["type": "ERROR", "object": ["code": 410]]) }
            guard stream.status == 200 else {
                throw ActorError(.unavailable, "the watch was answered with \(stream.status)")
            }
            began()
            var rest: [UInt8] = []
            while let bytes = try await stream.next() {
                rest += bytes
                while let end = rest.firstIndex(of: 0x0a) {
                    guard let change = try? JSONReader.read(Array(rest[..<end]), maxDepth: 128) else {
                        throw ActorError(.unavailable, "a line of the watch is no JSON")
                    }
                    rest.removeSubrange(...end)
                    event(change)
                }
                guard rest.count <= Self.maxLine else {
                    throw ActorError(.unavailable, "a line of the watch has no end")
                }
            }
        } catch {
            throw EngineFailure(.unreachable, "the watch broke off: \(error.message)")
        }
    }

    private func request(
        _ method: String, _ path: String, _ query: [(String, String)], accept: String
    ) async throws(EngineFailure) -> OutgoingRequest {
        let pass = try await credentials.pass()
        let parameters = query.map { "\(PercentText.escaped($0.0))=\(PercentText.escaped($0.1))" }
        let tail = parameters.isEmpty ? "" : "?\(parameters.joined(separator: "&"))"
        var request = OutgoingRequest(
            method: method, url: "\(pass.server)\(path)\(tail)",
            headers: [("Accept", accept), ("User-Agent", "reactord")] + pass.headers,
            timeoutMilliseconds: Self.timeout)
        if pass.tls != TLSSettings() { request.tls = pass.tls }
        return request
    }
}

extension KubeClient.Answer {
    /// What a refusal means for the job; nil when it is none.
    package func failure(_ what: String) -> EngineFailure? {
        if (200..<300).contains(status) { return nil }
        let text = "\(what): \(status)\(reason.isEmpty ? "" : " \(reason)"): \(message.prefix(1000))"
        switch status {
        case 403 where message.contains("exceeded quota") || message.contains("must specify"):
            return EngineFailure(.quota, text)
        case 400, 413, 422: return EngineFailure(.unacceptable, text)
        case 401, 403, 404, 405, 409: return EngineFailure(.refused, text)
        // 408, 429, 5xx: later.
        default: return EngineFailure(.unreachable, text)
        }
    }
}
