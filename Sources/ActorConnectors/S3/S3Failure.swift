import ActorCore

/// What an S3 store said instead of doing it.
struct S3Failure: Error, Equatable {
    let status: Int
    /// `NoSuchKey`, `SlowDown` …; empty when the answer had no words.
    let code: String
    let message: String
    let requestID: String
    /// Seconds that the answer asks us to wait.
    let retryAfter: Int?

    init(_ response: IncomingResponse) {
        let root = response.body.isEmpty ? nil : try? XMLReader.read(response.body)
        let error = root?.name == "Error" ? root : root?["Errors"]?["Error"]
        status = response.status
        retryAfter = response.header("retry-after").flatMap { Int($0) }
        code = error?.text("Code") ?? ""
        message = error?.text("Message") ?? ""
        requestID = error?.text("RequestId") ?? response.header("x-amz-request-id") ?? ""
    }

    /// An answer that began well and told of a failure in its body, as the completion of parts may.
    init?(within body: [UInt8]) {
        guard let root = try? XMLReader.read(body), root.name == "Error" else { return nil }
        self.init(IncomingResponse(status: 500, headers: [], body: body))
    }

    /// Whether the same request may succeed a little later.
    var isPassing: Bool {
        let codes = [
            "SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalError",
            "ServiceUnavailable", "OperationAborted", "TooManyRequests",
        ]
        return [429, 500, 502, 503, 504].contains(status) || codes.contains(code)
    }

    /// - Parameter what: the request in words, without secrets.
    func error(_ what: String) -> ActorError {
        var text = "\(what): \(code.isEmpty ? "HTTP status \(status)" : code)"
        if !message.isEmpty { text += ", \(message.prefix(500))" }
        if code == "RequestTimeTooSkewed" { text += " (set this machine's clock)" }
        if code == "SignatureDoesNotMatch" { text += " (look at connectors.s3: secret_key, region, endpoint)" }
        if !requestID.isEmpty { text += " (request \(requestID.prefix(100)))" }
        return ActorError(kind, text)
    }

    private var kind: ActorError.Code {
        switch (status, code) {
        case (_, "QuotaExceeded"), (507, _): .storageFull
        case (_, "EntityTooLarge"), (413, _): .tooLarge
        case (_, "BadDigest"), (_, "XAmzContentSHA256Mismatch"), (_, "InvalidDigest"), (409, _), (412, _): .conflict
        case (429, _), (_, "SlowDown"): .tooManyRequests
        case (404, _): .notFound
        case (401, _), (403, _): .forbidden
        case (400..<500, _): .invalidInput
        default: .unavailable
        }
    }
}

/// When a request that failed is sent again: a few times, later each time, and not all clients at once.
struct S3Retry: Equatable {
    private static let most = 5
    private static let longest: Int64 = 20000
    private(set) var tries = 0

    /// Milliseconds to wait before the next try; nil when there is none.
    ///
    /// - Parameters:
    ///   - retryAfter: seconds that the answer asks for.
    ///   - draw: from 0 to 1.
    mutating func failed(isPassing: Bool, retryAfter: Int?, draw: Double) -> Int64? {
        tries += 1
        guard isPassing, tries < Self.most else { return nil }
        let full = min(Self.longest, 250 << Int64(tries))
        let drawn = full / 2 + Int64(Double(full / 2) * min(1, max(0, draw)))
        return max(drawn, min(Self.longest, Int64(max(0, min(retryAfter ?? 0, 3600))) * 1000))
    }
}
