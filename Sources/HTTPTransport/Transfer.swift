import ActorCore
import CCurl
import Glibc

/// Who waits for a transfer, and how the answer is handed over.
enum Delivery {
    case whole(CheckedContinuation<Result<IncomingResponse, ActorError>, Never>)
    /// The continuation gets the head, without a body.
    case streamed(CheckedContinuation<Result<IncomingResponse, ActorError>, Never>, StreamChannel)
}

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
    private let delivery: Delivery
    private var lent: LentHandle?
    private var status = 0
    private var headers: [(name: String, value: String)] = []
    private var headBytes = 0
    private var isHeadDone = false
    private var usesSink = false
    private var body: [UInt8] = []
    private var isCut = false
    private var refusedAddress = false
    /// What a source or a sink threw.
    private var failure: ActorError?
    /// Bytes of the source that were handed to libcurl.
    private var sent: Int64 = 0
    private var started: Int64 = 0
    /// When a byte moved last.
    private var moved: Int64 = 0
    private var isHeld = false

    init(number: Int, request: OutgoingRequest, target: Target, isGuarded: Bool, delivery: Delivery) {
        self.number = number
        self.request = request
        self.target = target
        self.isGuarded = isGuarded
        self.delivery = delivery
    }

    var easy: UnsafeMutableRawPointer? { lent?.easy }

    var isStreamed: Bool {
        if case .streamed = delivery { return true }
        return false
    }

    /// Lends `easy` to this transfer and tells it everything about the request; what libcurl refuses is an error.
    func prepare(_ easy: UnsafeMutableRawPointer, now: Int64) throws(ActorError) {
        started = now
        moved = now
        let lent = LentHandle(easy)
        self.lent = lent
        try lent.prepare(self, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Frees what was lent to libcurl; the handle is the caller's again.
    func giveBack() -> UnsafeMutableRawPointer? {
        defer { lent = nil }
        return lent?.giveBack()
    }

    /// Milliseconds that libcurl itself may give the whole request; zero when `deadline` is what counts.
    var totalMilliseconds: Int {
        isStreamed || request.idleMilliseconds != nil ? 0 : Int(max(1, min(request.timeoutMilliseconds, 86_400_000)))
    }

    /// When this transfer is out of time unless something moves; nil while libcurl counts, or the reader is slow.
    var deadline: Int64? {
        if isHeld { return nil }
        let idle = request.idleMilliseconds.map { moved + max(1, $0) }
        guard isStreamed, !isHeadDone else { return idle }
        let head = started + max(1, min(request.timeoutMilliseconds, 86_400_000))
        return min(head, idle ?? head)
    }

    /// The reader has taken what it held back.
    func goOn(now: Int64) {
        guard isHeld else { return }
        isHeld = false
        moved = now
        ccurl_go_on(easy)
    }

    func resume(_ result: Result<IncomingResponse, ActorError>) {
        switch delivery {
        case .whole(let continuation): continuation.resume(returning: result)
        case .streamed(let head, let channel):
            if !isHeadDone {
                isHeadDone = true
                head.resume(returning: result)
            }
            if case .failure(let error) = result { channel.finish(error) } else { channel.finish(nil) }
        }
    }

    func fail(_ code: ActorError.Code, _ what: String) { resume(.failure(ActorError(code, what))) }

    func failForTime() {
        let milliseconds = isHeadDone || !isStreamed ? request.idleMilliseconds : request.timeoutMilliseconds
        fail(.timedOut, "nothing came from \(target.origin) for \(milliseconds ?? request.timeoutMilliseconds) ms")
    }

    /// What `code` means for the caller. To be asked before the handle is given back.
    func result(_ code: CURLcode) -> Result<IncomingResponse, ActorError> {
        if let failure { return .failure(failure) }
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
        var why = lent?.tlsMessage(code) ?? String(cString: curl_easy_strerror(code))
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

    // MARK: - What libcurl's callbacks tell

    /// How many bytes were taken; another number than `bytes.count` ends the transfer.
    func take(header bytes: UnsafeRawBufferPointer) -> Int {
        moved = MonotonicClock.milliseconds()
        headBytes += bytes.count
        guard headBytes <= Self.longestHead else { return 0 }
        let line = String(decoding: bytes, as: UTF8.self)
        // Each answer begins with its status line; one of the kind 1xx comes before the real one.
        if line.hasPrefix("HTTP/") {
            headers = []
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0.prefix(3)) } ?? 0
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            headers.append((String(line[..<colon]), Self.trimmed(value)))
        } else if status >= 200, !isHeadDone, Self.trimmed(line[...]).isEmpty {
            return headIsDone() ? bytes.count : 0
        }
        return bytes.count
    }

    /// False when the sink refuses the answer.
    private func headIsDone() -> Bool {
        let head = IncomingResponse(status: status, headers: headers, body: [])
        switch delivery {
        case .streamed(let continuation, _):
            isHeadDone = true
            continuation.resume(returning: .success(head))
        case .whole:
            isHeadDone = true
            guard let sink = request.sink, (200..<300).contains(status) else { return true }
            usesSink = true
            do throws(ActorError) {
                try sink.begin(head)
            } catch {
                failure = error
                return false
            }
        }
        return true
    }

    func take(body bytes: UnsafeRawBufferPointer) -> Int {
        moved = MonotonicClock.milliseconds()
        if case .streamed(_, let channel) = delivery {
            if channel.offer(bytes) { return bytes.count }
            isHeld = true
            return ccurl_hold()
        }
        if usesSink, let sink = request.sink {
            do throws(ActorError) {
                try sink.write(bytes)
                return bytes.count
            } catch {
                failure = error
                return 0
            }
        }
        let room = request.maxResponseBytes - body.count
        body.append(contentsOf: bytes.prefix(max(0, room)))
        guard bytes.count <= room else {
            isCut = true
            return 0
        }
        return bytes.count
    }

    /// The next bytes of the source.
    func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        moved = MonotonicClock.milliseconds()
        guard let source = request.source else { return 0 }
        let wanted = Int(min(Int64(buffer.count), source.count - sent))
        if wanted <= 0 { return 0 }
        do throws(ActorError) {
            let count = try source.read(at: sent, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
            guard (1...wanted).contains(count) else {
                throw ActorError(.conflict, "the body to be sent to \(target.origin) ended after \(sent) bytes")
            }
            sent += Int64(count)
            return count
        } catch {
            failure = error
            return ccurl_stop_sending()
        }
    }

    /// The request is to be sent again from `offset`; false when that is not in it.
    func seek(_ offset: Int64) -> Bool {
        guard let source = request.source, (0...source.count).contains(offset) else { return false }
        sent = offset
        return true
    }

    func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        let count = Int(address.pointee.addrlen)
        let bytes = ccurl_address_bytes(address).map { Array(UnsafeRawBufferPointer(start: $0, count: count)) } ?? []
        guard AddressRules.isPublic(sockaddr: bytes) else {
            refusedAddress = true
            return -1
        }
        return ccurl_open_socket(address)
    }

    func confirm(_ peer: String) -> Int32 {
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

/// Time that nobody sets.
enum MonotonicClock {
    static func milliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
