import Glibc
import Synchronization

/// A small HTTP server on blocking sockets, one thread a connection; answers as `HTTPClientSuite` agrees with it.
final class EchoServer: Sendable {
    struct Request: Sendable {
        var head: String
        var body: [UInt8]

        var words: [String] { head.prefix { $0 != "\r\n" }.split(separator: " ").map(String.init) }
        var method: String { words.first ?? "" }
        var path: String { words.count > 1 ? words[1] : "" }
        var lines: [String] { head.split(separator: "\r\n").map(String.init) }
    }

    let port: Int
    let arrivals: AsyncStream<Request>
    private let listener: Int32
    private let sink: AsyncStream<Request>.Continuation
    /// One for every connection that a client has left before its answer was whole.
    let ends: AsyncStream<Void>
    var piecesSent: Int { sentPieces.load(ordering: .relaxed) }
    private let sentPieces = Atomic(0)
    private let closed: AsyncStream<Void>.Continuation
    private let seen = Mutex<[Request]>([])
    /// The listener's number may belong to somebody else once it is closed: it is shut down once, and before that.
    private let isStopped = Mutex(false)

    var base: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { seen.withLock { $0 } }

    /// On a free port of the loopback address.
    convenience init() {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length)
                getsockname(listener, pointer, &length)
                return Int(UInt16(bigEndian: UnsafeRawPointer(pointer).load(fromByteOffset: 2, as: UInt16.self)))
            }
        }
        self.init(listener, port)
    }

    /// On a Unix socket.
    convenience init(path: String) {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        withUnsafePointer(to: &address) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        self.init(listener, 0)
    }

    private init(_ listener: Int32, _ port: Int) {
        self.listener = listener
        self.port = port
        (arrivals, sink) = AsyncStream.makeStream()
        (ends, closed) = AsyncStream.makeStream()
        listen(listener, 512)
        Self.onThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                // A signal (a child of another test has ended) is no reason to stop.
                if connection < 0, errno == EINTR || errno == ECONNABORTED { continue }
                guard connection >= 0 else { break }
                Self.onThread { self.serve(connection) }
            }
            isStopped.withLock { isStopped in
                isStopped = true
                close(listener)
            }
        }
    }

    func stop() {
        isStopped.withLock { isStopped in
            if !isStopped { shutdown(listener, Int32(SHUT_RDWR)) }
        }
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var rest: [UInt8] = []
        while let request = read(connection, &rest) {
            seen.withLock { $0.append(request) }
            sink.yield(request)
            let parts = request.path.split(separator: "?")[0].split(separator: "/").map(String.init)
            let number = parts.last.flatMap { Int($0) } ?? 0
            switch parts.first {
            case "echo": reply(connection, 200, ["X-Method: \(request.method)"], request.body)
            case "status": reply(connection, number, ["Location: http://127.0.0.1:1/"], [])
            case "bytes":
                let body = request.method == "HEAD" ? [] : [UInt8](repeating: 0x78, count: number)
                reply(connection, 200, [], body, length: number)
            case "pieces": pieces(connection, number)
            case "trickle":
                write(connection, Array("HTTP/1.1 200 Some\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n".utf8))
                awaitEnd(connection)
                return
            case "refuse":
                reply(connection, 403, ["Connection: close"], Array("not here".utf8))
                return
            case "headers":
                reply(connection, 200, (0..<number).map { "X-\($0): \(String(repeating: "h", count: 999))" }, [])
            case "silent":
                awaitEnd(connection)
                return
            default: reply(connection, 404, [], [])
            }
        }
    }

    private func awaitEnd(_ connection: Int32) {
        var byte: UInt8 = 0
        var count = 1
        repeat { count = Glibc.read(connection, &byte, 1) } while count > 0 || (count < 0 && errno == EINTR)
        closed.yield()
    }

    private func pieces(_ connection: Int32, _ count: Int) {
        write(connection, Array("HTTP/1.1 200 Some\r\nTransfer-Encoding: chunked\r\n\r\n".utf8))
        for number in 0..<count {
            let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1000)
            guard write(connection, Array("3e8\r\n".utf8) + piece + Array("\r\n".utf8)) else {
                closed.yield()
                return
            }
            sentPieces.add(1, ordering: .relaxed)
        }
        write(connection, Array("0\r\n\r\n".utf8))
    }

    private func reply(
        _ connection: Int32, _ status: Int, _ headers: [String], _ body: [UInt8], length: Int? = nil
    ) {
        let length = status == 204 ? [] : ["Content-Length: \(length ?? body.count)"]
        let head = (["HTTP/1.1 \(status) Some"] + headers + length + ["", ""]).joined(separator: "\r\n")
        write(connection, Array(head.utf8) + body)
    }

    @discardableResult
    private func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(connection, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// A body that is announced is asked for, unless its path says that it is not wanted.
    private func read(_ connection: Int32, _ rest: inout [UInt8]) -> Request? {
        let gap = Array("\r\n\r\n".utf8)
        while true {
            if let end = rest.indices.first(where: { rest[$0...].starts(with: gap) }) {
                let head = String(decoding: rest[..<end], as: UTF8.self)
                let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                let length = line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
                if head.contains("Expect: 100-continue") {
                    if head.contains("/refuse") { return Request(head: head, body: []) }
                    write(connection, Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
                }
                while rest.count < end + 4 + length {
                    guard Self.receive(connection, &rest) else { return nil }
                }
                let body = Array(rest[(end + 4)..<(end + 4 + length)])
                rest.removeFirst(end + 4 + length)
                return Request(head: head, body: body)
            }
            guard Self.receive(connection, &rest) else { return nil }
        }
    }

    private static func receive(_ connection: Int32, _ bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var count = 0
        repeat { count = Glibc.read(connection, &buffer, buffer.count) } while count < 0 && errno == EINTR
        guard count > 0 else { return false }
        bytes += buffer[..<count]
        return true
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let code = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        precondition(code == 0, "no thread for a test server")
        pthread_detach(thread)
    }
}
