package import ActorCore

/// What every HTTP client must do, checked against any of them; each check answers with what it found wrong.
///
/// The server behind `base` (a loopback address) answers `/echo` with the request's body and its method in the header
/// `X-Method`, `/status/N` with that status, `/bytes/N` with N bytes, `/pieces/N` with N pieces of 1000 bytes, each of
/// its number's last byte, `/trickle` with the word "first" and then nothing more, and `/silent` never.
package struct HTTPClientSuite: Sendable {
    let client: any HTTPClient
    let base: String

    package init(_ client: any HTTPClient, base: String) {
        self.client = client
        self.base = base
    }

    /// The server's part of the agreement, for a scripted client.
    package static func answer(_ request: OutgoingRequest) -> ScriptedHTTP.Answer {
        let words = request.url.split(separator: "/").map(String.init)
        let last = words.last.flatMap { Int($0) }
        if words.contains("echo") {
            return .response(
                IncomingResponse(status: 200, headers: [("x-method", request.method)], body: request.body))
        }
        if words.contains("status"), let last { return .status(last) }
        if words.contains("bytes"), let last { return .status(200, String(repeating: "x", count: last)) }
        if words.contains("pieces"), let last { return .pieces((0..<last).map(piece), isOpen: false) }
        if words.last == "trickle" { return .pieces([Array("first".utf8)], isOpen: true) }
        return words.last == "silent" ? .silence : .status(404)
    }

    package static func piece(_ number: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1000)
    }

    /// All checks; empty when the client keeps the port's promises.
    package func problems() async -> [String] {
        await answers() + refusals() + silences() + sources() + sinks() + streams()
    }

    private func answers() async -> [String] {
        var found: [String] = []
        let body = Array(UInt8.min...UInt8.max)
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let sent = method == "GET" ? [] : body
            let result = await outcome(OutgoingRequest(method: method, url: "\(base)/echo", body: sent))
            guard case .success(let response) = result, response.status == 200, response.body == sent,
                response.header("X-METHOD") == method
            else {
                found.append("\(method) /echo: \(result)")
                continue
            }
        }
        for status in [200, 204, 302, 404, 410, 500, 503] {
            let result = await outcome(OutgoingRequest(method: "GET", url: "\(base)/status/\(status)"))
            guard case .success(let response) = result, response.status == status else {
                found.append("/status/\(status): \(result)")
                continue
            }
        }
        for (length, kept) in [(0, 0), (999, 999), (1000, 1000), (1001, 1000), (3_000_000, 1000)] {
            let result = await outcome(
                OutgoingRequest(method: "GET", url: "\(base)/bytes/\(length)", maxResponseBytes: 1000))
            guard case .success(let response) = result, response.status == 200, response.body.count == kept else {
                found.append("/bytes/\(length): \(result)")
                continue
            }
        }
        return found
    }

    private func refusals() async -> [String] {
        let host = base.split(separator: "/").last.map(String.init) ?? ""
        let cases: [(OutgoingRequest, AddressPolicy, ActorError.Code)] = [
            (OutgoingRequest(method: "GET", url: "ftp://\(host)/echo"), .anywhere, .invalidInput),
            (OutgoingRequest(method: "GET", url: "file:///etc/passwd"), .anywhere, .invalidInput),
            (OutgoingRequest(method: "GET", url: "/echo"), .anywhere, .invalidInput),
            (OutgoingRequest(method: "GET", url: "http://me:word@\(host)/echo"), .anywhere, .invalidInput),
            (OutgoingRequest(method: "GE T", url: "\(base)/echo"), .anywhere, .invalidInput),
            (
                OutgoingRequest(method: "GET", url: "\(base)/echo", headers: [("A", "b\r\nC: d")]), .anywhere,
                .invalidInput
            ),
            (OutgoingRequest(method: "GET", url: "\(base)/echo", headers: [("A\n", "b")]), .anywhere, .invalidInput),
            (OutgoingRequest(method: "GET", url: "\(base)/echo"), .publicOr(allowed: []), .forbidden),
            (OutgoingRequest(method: "GET", url: "\(base)/echo"), .publicOr(allowed: ["other:80"]), .forbidden),
        ]
        var found: [String] = []
        for (request, policy, code) in cases {
            let result = await outcome(request, policy)
            guard case .failure(let error) = result, error.code == code else {
                found.append("\(request.method) \(request.url) with \(policy): \(result), not \(code)")
                continue
            }
        }
        let name = host.split(separator: ":").first.map(String.init) ?? ""
        for entry in [host, name] {
            let request = OutgoingRequest(method: "GET", url: "\(base)/status/200")
            guard case .success = await outcome(request, .publicOr(allowed: [entry])) else {
                found.append("\(entry) was listed and yet refused")
                continue
            }
        }
        return found
    }

    private func silences() async -> [String] {
        var found: [String] = []
        let short = await outcome(OutgoingRequest(method: "GET", url: "\(base)/silent", timeoutMilliseconds: 200))
        if case .failure(let error) = short, error.code == .timedOut {
        } else {
            found.append("/silent: \(short), not timedOut")
        }
        let long = OutgoingRequest(method: "GET", url: "\(base)/silent", timeoutMilliseconds: 60000)
        let cancelled = await withTaskGroup(of: Result<IncomingResponse, ActorError>.self) { group in
            group.addTask { await outcome(long) }
            group.cancelAll()
            return await group.next()
        }
        if case .failure(let error) = cancelled, error.code == .cancelled {
        } else {
            found.append("a cancelled request: \(String(describing: cancelled)), not cancelled")
        }
        return found
    }

    func outcome(
        _ request: OutgoingRequest, _ policy: AddressPolicy = .anywhere
    ) async -> Result<IncomingResponse, ActorError> {
        do throws(ActorError) {
            return .success(try await client.send(request, policy: policy))
        } catch {
            return .failure(error)
        }
    }
}
