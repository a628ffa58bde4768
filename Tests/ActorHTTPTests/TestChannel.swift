import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Synchronization

@testable import ActorHTTP

/// A connection that leads nowhere.
enum TestChannel {
    static func context() -> HTTPContext {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return HTTPContext(source: ApplicationRequestContextSource(channel: NIOAsyncTestingChannel(), logger: logger))
    }
}

/// Keeps what a streaming answer writes.
final class Collector: ResponseBodyWriter, Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

    func write(_ buffer: ByteBuffer) async throws { bytes.withLock { $0 += buffer.readableBytesView } }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
