import ActorCore
import CCurl

/// One request on its way: what libcurl's callbacks write into, and who waits for the answer.
///
/// Unchecked because it crosses from the sender to the thread once, through the inbox's lock; from then on only that
/// thread touches it, in the callbacks of libcurl too.
final class Transfer: @unchecked Sendable {
    /// Bytes of all header lines of an answer that are kept; more ends the request.
    private static let longestHead = 262_144

    let number: Int
    let request: OutgoingRequest
    let target: Target
    /// Whether only public addresses may be reached.
    let isGuarded: Bool
    private let continuation: CheckedContinuation<Result<IncomingResponse, ActorError>, Never>
    private(set) var easy: UnsafeMutableRawPointer?
    private var lines: UnsafeMutablePointer<curl_slist>?
    private var headers: [(name: String, value: String)] = []
    private var headBytes = 0
    private var body: [UInt8] = []
    private var isCut = false
    private var refusedAddress = false

    init(
        number: Int, request: OutgoingRequest, target: Target, isGuarded: Bool,
        continuation: CheckedContinuation<Result<IncomingResponse, ActorError>, Never>
    ) {
        self.number = number
        self.request = request
        self.target = target
        self.isGuarded = isGuarded
        self.continuation = continuation
    }

    /// Lends `easy` to this transfer and tells it everything about the request; false when libcurl refuses an option.
    func prepare(_ easy: UnsafeMutableRawPointer) -> Bool {
        self.easy = easy
        let me = Unmanaged.passUnretained(self).toOpaque()
        for line in RequestLines.lines(request) {
            guard let longer = curl_slist_append(lines, line) else { return false }
            lines = longer
        }
        let milliseconds = Int(max(1, min(request.timeoutMilliseconds, 86_400_000)))
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_TIMEOUT_MS, milliseconds),
            (CURLOPT_CONNECTTIMEOUT_MS, min(milliseconds, 10000)), (CURLOPT_SSL_VERIFYPEER, 1),
            (CURLOPT_SSL_VERIFYHOST, 2), (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
        ]
        var codes = numbers.map { ccurl_set_long(easy, $0.0, $0.1) }
        codes.append(ccurl_allow_http_only(easy))
        // An empty proxy switches off those of the environment too.
        codes.append(ccurl_set_string(easy, CURLOPT_PROXY, ""))
        codes.append(ccurl_set_string(easy, CURLOPT_URL, target.url))
        codes.append(ccurl_set_list(easy, CURLOPT_HTTPHEADER, lines))
        codes.append(ccurl_set_pointer(easy, CURLOPT_PRIVATE, me))
        codes.append(ccurl_set_receivers(easy, receiveHeader, receiveBody, me))
        if let path = request.unixSocket { codes.append(ccurl_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, path)) }
        if isGuarded { codes.append(ccurl_set_gate(easy, openSocket, confirmPeer, me)) }
        return (codes + method(easy)).allSatisfy { $0 == CURLE_OK }
    }

    private func method(_ easy: UnsafeMutableRawPointer) -> [CURLcode] {
        if request.method == "HEAD" { return [ccurl_set_long(easy, CURLOPT_NOBODY, 1)] }
        if request.body.isEmpty, !["POST", "PUT", "PATCH"].contains(request.method) {
            return [ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)]
        }
        let copied =
            request.body.isEmpty
            ? ccurl_set_body(easy, "", 0)
            : request.body.withUnsafeBytes { ccurl_set_body(easy, $0.baseAddress, $0.count) }
        return [copied, ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)]
    }

    /// Frees what was lent to libcurl; the handle is the caller's again.
    func giveBack() -> UnsafeMutableRawPointer? {
        curl_slist_free_all(lines)
        lines = nil
        defer { easy = nil }
        return easy
    }

    func resume(_ result: Result<IncomingResponse, ActorError>) { continuation.resume(returning: result) }

    func fail(_ code: ActorError.Code, _ what: String) { resume(.failure(ActorError(code, what))) }

    /// What `code` means for the caller. To be asked before the handle is given back.
    func result(_ code: CURLcode) -> Result<IncomingResponse, ActorError> {
        if refusedAddress, code != CURLE_OK {
            return .failure(
                ActorError(
                    .forbidden,
                    "\(target.origin) leads to an address that is not public: list it under callbacks.allow to call it")
            )
        }
        if code == CURLE_OK || (code == CURLE_WRITE_ERROR && isCut) {
            let status = ccurl_get_long(easy, CURLINFO_RESPONSE_CODE)
            return .success(IncomingResponse(status: status, headers: headers, body: body))
        }
        if code == CURLE_OPERATION_TIMEDOUT {
            return .failure(
                ActorError(.timedOut, "\(target.origin) did not answer within \(request.timeoutMilliseconds) ms"))
        }
        var why = String(cString: curl_easy_strerror(code))
        let number = Int32(ccurl_get_long(easy, CURLINFO_OS_ERRNO))
        if code == CURLE_COULDNT_CONNECT, let text = Self.text(of: number) { why += ": \(text)" }
        if headBytes > Self.longestHead { why = "the headers of its answer are too long" }
        return .failure(ActorError(.unavailable, "no answer from \(target.origin): \(why)"))
    }

    private static func text(of number: Int32) -> String? {
        switch number {
        case 111: "connection refused"
        case 113: "no route to the host"
        case 101: "the network is unreachable"
        case 2: "no such socket"
        case 13: "permission denied"
        default: nil
        }
    }

    /// How many bytes were taken; another number than `bytes.count` ends the transfer.
    fileprivate func take(header bytes: UnsafeRawBufferPointer) -> Int {
        headBytes += bytes.count
        guard headBytes <= Self.longestHead else { return 0 }
        let line = String(decoding: bytes, as: UTF8.self)
        // Each answer begins with its status line; one of the kind 1xx comes before the real one.
        if line.hasPrefix("HTTP/") {
            headers = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            headers.append((String(line[..<colon]), Self.trimmed(value)))
        }
        return bytes.count
    }

    fileprivate func take(body bytes: UnsafeRawBufferPointer) -> Int {
        let room = request.maxResponseBytes - body.count
        body.append(contentsOf: bytes.prefix(max(0, room)))
        guard bytes.count <= room else {
            isCut = true
            return 0
        }
        return bytes.count
    }

    fileprivate func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        let count = Int(address.pointee.addrlen)
        let bytes = ccurl_address_bytes(address).map { Array(UnsafeRawBufferPointer(start: $0, count: count)) } ?? []
        guard AddressRules.isPublic(sockaddr: bytes) else {
            refusedAddress = true
            return -1
        }
        return ccurl_open_socket(address)
    }

    fileprivate func confirm(_ peer: String) -> Int32 {
        guard AddressRules.isPublic(address: peer) else {
            refusedAddress = true
            return 1
        }
        return 0
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }

    static func at(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

private func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    Transfer.at(context)?.take(header: UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
}

private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    Transfer.at(context)?.take(body: UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
}

private func openSocket(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let transfer = Transfer.at(context), let address else { return -1 }
    return transfer.open(address)
}

private func confirmPeer(
    _ context: UnsafeMutableRawPointer?, _ remote: UnsafeMutablePointer<CChar>?,
    _ local: UnsafeMutablePointer<CChar>?, _ remotePort: Int32, _ localPort: Int32
) -> Int32 {
    guard let transfer = Transfer.at(context), let remote else { return 1 }
    return transfer.confirm(String(cString: remote))
}
