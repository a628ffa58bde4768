import ActorCore
import CCurl

/// An easy handle of libcurl while one transfer has it, and what libcurl reads and writes meanwhile; its thread's own.
final class LentHandle {
    let easy: UnsafeMutableRawPointer
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private let message: UnsafeMutablePointer<CChar>

    init(_ easy: UnsafeMutableRawPointer) {
        self.easy = easy
        message = .allocate(capacity: Int(CURL_ERROR_SIZE))
        message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    /// What went wrong while TLS was set up, in libcurl's words; nil for other failures, whose words may hold a URL.
    func tlsMessage(_ code: CURLcode) -> String? {
        let codes = [
            CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR,
        ]
        guard codes.contains(code), message.pointee != 0 else { return nil }
        return String(cString: message)
    }

    func giveBack() -> UnsafeMutableRawPointer {
        for list in lists { curl_slist_free_all(list) }
        lists = []
        ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, nil)
        message.deallocate()
        return easy
    }

    /// - Parameter context: what the callbacks get to find the transfer.
    func prepare(_ transfer: Transfer, _ context: UnsafeMutableRawPointer) throws(ActorError) {
        let request = transfer.request
        var lines = RequestLines.lines(request)
        var url = transfer.target.url
        var codes: [CURLcode] = []
        if let name = request.tls?.serverName, transfer.target.scheme == "https" {
            url = try transfer.target.url(named: name)
            let target = transfer.target
            let route = "\(name):\(target.port):\(target.host):\(target.port)"
            codes.append(ccurl_set_list(easy, CURLOPT_CONNECT_TO, try list([route])))
            if !request.headers.contains(where: { $0.name.lowercased() == "host" }) {
                lines.append("Host: \(target.host):\(target.port)")
            }
        }
        let total = transfer.totalMilliseconds
        let connect = Int(max(1, min(request.timeoutMilliseconds, 10000)))
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_TIMEOUT_MS, total),
            (CURLOPT_CONNECTTIMEOUT_MS, connect), (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
            (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
        ]
        codes += numbers.map { ccurl_set_long(easy, $0.0, $0.1) }
        // A connection that has to last is asked whether it lives, and what is much comes in larger pieces.
        if total == 0 {
            let keepAlive = [(CURLOPT_TCP_KEEPALIVE, 1), (CURLOPT_TCP_KEEPIDLE, 30), (CURLOPT_TCP_KEEPINTVL, 30)]
            codes += keepAlive.map { ccurl_set_long(easy, $0.0, $0.1) }
        }
        if request.sink != nil { codes.append(ccurl_set_long(easy, CURLOPT_BUFFERSIZE, 262_144)) }
        codes.append(ccurl_allow_http_only(easy))
        // An empty proxy switches off those of the environment too.
        codes.append(ccurl_set_string(easy, CURLOPT_PROXY, ""))
        codes.append(ccurl_set_string(easy, CURLOPT_URL, url))
        codes.append(ccurl_set_list(easy, CURLOPT_HTTPHEADER, try list(lines)))
        codes.append(ccurl_set_pointer(easy, CURLOPT_PRIVATE, context))
        codes.append(ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, message))
        codes.append(ccurl_set_receivers(easy, receiveHeader, receiveBody, context))
        if let path = request.unixSocket { codes.append(ccurl_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, path)) }
        if transfer.isGuarded { codes.append(ccurl_set_gate(easy, openSocket, confirmPeer, context)) }
        guard (codes + method(request, context)).allSatisfy({ $0 == CURLE_OK }) else {
            throw ActorError(.invalidInput, "libcurl does not take a request for \(transfer.target.origin)")
        }
        guard secure(request.tls).allSatisfy({ $0 == CURLE_OK }) else {
            throw ActorError(.invalidInput, "libcurl does not take the TLS settings for \(transfer.target.origin)")
        }
    }

    private func list(_ lines: [String]) throws(ActorError) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                throw ActorError(.unavailable, "no memory for a request")
            }
            list = longer
        }
        if let list { lists.append(list) }
        return list
    }

    private func method(_ request: OutgoingRequest, _ context: UnsafeMutableRawPointer) -> [CURLcode] {
        if request.method == "HEAD" { return [ccurl_set_long(easy, CURLOPT_NOBODY, 1)] }
        let named = ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
        if let source = request.source {
            return [ccurl_set_source(easy, sendBody, seekBody, source.count, context), named]
        }
        if request.body.isEmpty, !["POST", "PUT", "PATCH"].contains(request.method) { return [named] }
        let copied =
            request.body.isEmpty
            ? ccurl_set_body(easy, "", 0)
            : request.body.withUnsafeBytes { ccurl_set_body(easy, $0.baseAddress, $0.count) }
        // Again, because a body makes it a POST.
        return [copied, ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)]
    }

    private func secure(_ tls: TLSSettings?) -> [CURLcode] {
        guard let tls else { return [] }
        var codes: [CURLcode] = []
        switch tls.authorities {
        case .file(let path):
            codes.append(ccurl_set_string(easy, CURLOPT_CAINFO, path))
        case .bytes(let bytes):
            codes.append(bytes.withUnsafeBytes { ccurl_set_authorities(easy, $0.baseAddress, $0.count) })
        case nil: break
        }
        // Without this the authorities of the machine would be believed beside those that were given.
        if tls.authorities != nil { codes.append(ccurl_set_string(easy, CURLOPT_CAPATH, nil)) }
        if tls.isUnverified {
            codes += [CURLOPT_SSL_VERIFYPEER, CURLOPT_SSL_VERIFYHOST].map { ccurl_set_long(easy, $0, 0) }
        }
        codes += pem(tls.certificate, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB)
        codes += pem(tls.key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB)
        return codes
    }

    private func pem(_ pem: TLSSettings.PEM?, _ file: CURLoption, _ blob: CURLoption) -> [CURLcode] {
        switch pem {
        case .file(let path): [ccurl_set_string(easy, file, path)]
        case .bytes(let bytes): [bytes.withUnsafeBytes { ccurl_set_blob(easy, blob, $0.baseAddress, $0.count) }]
        case nil: []
        }
    }
}

// MARK: - libcurl's callbacks

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

private func sendBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    Transfer.at(context)?.give(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        ?? ccurl_stop_sending()
}

private func seekBody(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    // Zero is SEEK_SET, the only one that libcurl asks for.
    guard let transfer = Transfer.at(context), origin == 0, transfer.seek(Int64(offset)) else { return 1 }
    return 0
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
