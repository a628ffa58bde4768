/// Where the body of a request comes from while it is sent.
///
/// It is asked on the client's own thread, which everything else that this client sends waits for: answer from memory
/// or a local file. Bytes may be asked for more than once, when a request has to be sent again.
package protocol BodySource: AnyObject, Sendable {
    var count: Int64 { get }

    /// Copies bytes from `offset` of the body to the front of `buffer`; how many. Zero before `count` ends the request.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ActorError) -> Int
}

/// Where the body of an answer goes as it arrives; called on the client's own thread, in order.
package protocol BodySink: AnyObject, Sendable {
    /// The head of a 2xx answer, before its body; what is thrown ends the request with that error.
    func begin(_ head: IncomingResponse) throws(ActorError)
    func write(_ bytes: UnsafeRawBufferPointer) throws(ActorError)
}

/// How an https server is recognised and how we show who we are. The server's certificate is always checked.
package struct TLSSettings: Sendable, Equatable {
    /// PEM text, from a file or at hand.
    package enum PEM: Sendable, Equatable {
        case file(String)
        case bytes([UInt8])
    }

    /// Only certificates that these authorities have signed are believed; nil: those that the machine trusts.
    package var authorities: PEM?
    /// The certificate shown to the server, with its chain.
    package var certificate: PEM?
    package var key: PEM?
    /// The name that the server's certificate has to carry when it is not the URL's host.
    package var serverName: String?
    /// Whoever answers is believed: only where the administrator has said so in as many words.
    package var isUnverified = false

    package init(
        authorities: PEM? = nil, certificate: PEM? = nil, key: PEM? = nil, serverName: String? = nil
    ) {
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
        self.serverName = serverName
    }
}

/// An answer whose body is taken piece by piece by one reader. While nobody takes any the sender is held back; the
/// connection is closed when the reader's task is cancelled, and when the last reference is gone.
package final class ResponseStream: Sendable {
    package typealias Take = @Sendable () async throws(ActorError) -> [UInt8]?

    package let status: Int
    package let headers: [(name: String, value: String)]
    private let take: Take
    private let leave: @Sendable () -> Void

    package init(
        status: Int, headers: [(name: String, value: String)], take: @escaping Take,
        leave: @escaping @Sendable () -> Void
    ) {
        self.status = status
        self.headers = headers
        self.take = take
        self.leave = leave
    }

    deinit { leave() }

    /// The next bytes, never none; nil at the end. Throws `unavailable` when the answer breaks off, `timedOut` when
    /// nothing came for the request's `idleMilliseconds`, `cancelled`.
    package func next() async throws(ActorError) -> [UInt8]? { try await take() }

    /// What is left, at most `limit` bytes of it: for the text of an error.
    package func rest(upTo limit: Int) async throws(ActorError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit, let more = try await next() { bytes += more.prefix(limit - bytes.count) }
        return bytes
    }

    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Ends the answer now; later calls of `next` throw `cancelled`.
    package func close() { leave() }
}
