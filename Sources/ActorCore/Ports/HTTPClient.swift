/// One outgoing request.
package struct OutgoingRequest: Sendable, Equatable {
    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var timeoutMilliseconds: Int64
    /// Bytes of the answer's body that are kept; a longer answer is cut there and the request ends.
    package var maxResponseBytes: Int
    /// Talk to this Unix socket instead of the URL's host.
    package var unixSocket: String?
    /// Whom to believe and who to be over https; nil is what the machine trusts, and no certificate of our own.
    package var tls: TLSSettings?
    /// Without it the whole request has `timeoutMilliseconds`. With it only a time in which no byte moves ends the
    /// request, however long it takes; a streamed answer has `timeoutMilliseconds` until its head is there.
    package var idleMilliseconds: Int64?
    /// The body, read while it is sent; `body` is empty then.
    package var source: (any BodySource)?
    /// Takes the body of a 2xx answer, which is not kept in memory then; not for streamed answers.
    package var sink: (any BodySink)?

    package init(
        method: String, url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeoutMilliseconds: Int64 = 20000, maxResponseBytes: Int = 1_048_576, unixSocket: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.maxResponseBytes = maxResponseBytes
        self.unixSocket = unixSocket
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.method == right.method && left.url == right.url && left.body == right.body
            && left.headers.elementsEqual(right.headers, by: ==)
            && left.timeoutMilliseconds == right.timeoutMilliseconds
            && left.maxResponseBytes == right.maxResponseBytes && left.unixSocket == right.unixSocket
            && left.tls == right.tls && left.idleMilliseconds == right.idleMilliseconds
            && left.source === right.source && left.sink === right.sink
    }
}

/// The answer to one, whatever its status.
package struct IncomingResponse: Sendable {
    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// Whom the daemon may call: callback targets are refused when they lead into private networks.
package enum AddressPolicy: Sendable, Equatable {
    /// Connect anywhere, private networks too: for targets that config.yml names, never for one out of a message.
    case anywhere
    /// Public addresses only, apart from these `host:port` or `host` entries.
    case publicOr(allowed: [String])
}

/// Calls other services over HTTP.
package protocol HTTPClient: Sendable {
    /// Throws `unavailable` when there is no answer, `forbidden` when the policy refuses the address,
    /// `timedOut`, `cancelled`.
    func send(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> IncomingResponse

    /// Returns when the head of the answer is there; its body is then taken piece by piece. Throws like `send`.
    func stream(_ request: OutgoingRequest, policy: AddressPolicy) async throws(ActorError) -> ResponseStream
}
