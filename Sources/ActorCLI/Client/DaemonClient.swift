package import ActorAPI
package import ActorCore

/// Talks to a running daemon over its HTTP API and turns refusals into ``Failure``.
package struct DaemonClient: Sendable {
    /// Largest answer that a command takes.
    private static let maxAnswerBytes = 64 << 20
    /// Longer than the daemon itself waits for an actor (30 s): its own words are to arrive.
    private static let patienceMilliseconds: Int64 = 40_000

    package let url: String
    private let token: String?
    private let http: any HTTPClient

    package init(url: String, token: String?, http: any HTTPClient) {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        self.url = url
        self.token = token
        self.http = http
    }

    package func get(_ path: String) async throws(Failure) -> JSONValue {
        try Self.json(of: try await send("GET", path))
    }

    /// One page of a list.
    package func page<Item: Payload>(
        _ path: String, _ plural: String, of: Item.Type = Item.self
    ) async throws(Failure) -> (page: Page<Item>, json: JSONValue) {
        let json = try await get(path)
        guard let page = Page<Item>(json: json, plural: plural) else { throw Self.unexpected }
        return (page, json)
    }

    package func read<Item: Payload>(_ path: String, as: Item.Type = Item.self) async throws(Failure) -> Item {
        guard let item = Item(json: try await get(path)) else { throw Self.unexpected }
        return item
    }

    package func post(_ path: String, _ body: JSONValue = .object([])) async throws(Failure) -> JSONValue {
        try Self.json(of: try await send("POST", path, body: JSONWriter.bytes(body), type: "application/json"))
    }

    package func put(_ path: String, _ body: JSONValue) async throws(Failure) -> JSONValue {
        try Self.json(of: try await send("PUT", path, body: JSONWriter.bytes(body), type: "application/json"))
    }

    /// The answer of any request that the daemon did not refuse.
    @discardableResult
    package func send(
        _ method: String, _ path: String, body: [UInt8] = [], type: String? = nil,
        headers: [(name: String, value: String)] = [], timeoutMilliseconds: Int64? = nil
    ) async throws(Failure) -> IncomingResponse {
        var all = headers
        if let type { all.append(("Content-Type", type)) }
        if let token { all.append(("Authorization", "Bearer \(token)")) }
        let request = OutgoingRequest(
            method: method, url: url + path, headers: all, body: body,
            timeoutMilliseconds: timeoutMilliseconds ?? Self.patienceMilliseconds,
            maxResponseBytes: Self.maxAnswerBytes)
        let response: IncomingResponse
        do {
            response = try await http.send(request, policy: .anywhere)
        } catch {
            switch error.code {
            case .unavailable, .timedOut:
                throw Failure(
                    .unreachable,
                    "\(error.message); start a daemon with reactord serve, or name another with --url")
            case .invalidInput: throw Failure(.usage, error.message)
            default: throw Failure(.failed, error.description)
            }
        }
        guard response.status >= 400 else { return response }
        throw refusal(response)
    }

    private func refusal(_ response: IncomingResponse) -> Failure {
        let json = (try? JSONReader.read(response.body)) ?? .null
        var message = "the daemon answered \(response.status)"
        if let problem = ProblemPayload(json: json) {
            message = problem.detail.isEmpty ? problem.title : problem.detail
            for place in problem.errors { message += "; \(place.place): \(place.problem)" }
            let legal = (json["legal_events"]?.array ?? []).compactMap(\.string)
            if !legal.isEmpty { message += " It takes \(legal.joined(separator: ", "))." }
        } else if let text = json["message"]?.string {
            message = text
        }
        let isRefusedCaller =
            [401, 403].contains(response.status) || (response.status == 400 && message.hasPrefix("Not authorized"))
        guard isRefusedCaller else { return Failure(.failed, Safe.line(message)) }
        let hint =
            token == nil
            ? " No token was found: pass --token, set REACTORD_TOKEN, or name the daemon's folder, whose admin.token "
                + "you can read, with --data-dir." : ""
        return Failure(.unauthorized, "not authorized at \(url): \(Safe.line(message))\(hint)")
    }

    private static func json(of response: IncomingResponse) throws(Failure) -> JSONValue {
        do {
            return try JSONReader.read(response.body, maxDepth: 128)
        } catch {
            throw unexpected
        }
    }

    static let unexpected = Failure(
        .failed, "the answer is not one of a reactord of this version; is --url right?")
}
