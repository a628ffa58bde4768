import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

@testable import ActorHTTP

/// The real server on a free port, spoken to byte by byte.
enum LiveServer {
    /// Runs `body` with the port and a way to ask for a graceful stop; the server has ended when this returns.
    static func run<Value: Sendable>(
        _ house: House, _ body: @Sendable @escaping (Int, ServiceGroup) async throws -> Value
    ) async throws -> Value {
        let (ports, sink) = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: house.front.service { sink.yield($0) })],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var first = ports.makeAsyncIterator()
            let port = await first.next() ?? 0
            let value = try await body(port, group)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        }
    }

    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func connect(_ port: Int) async throws -> Connection {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
    }

    /// Sends `text`, then `more` until the server has had enough; answers all that came back until it closed.
    static func exchange(_ port: Int, _ text: String, endlessly more: String? = nil) async throws -> String {
        try await connect(port).executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            return await withTaskGroup(of: Void.self) { group in
                if let more {
                    group.addTask {
                        do {
                            while !Task.isCancelled { try await outbound.write(ByteBuffer(string: more)) }
                        } catch {
                            return
                        }
                    }
                }
                var answer = ""
                do {
                    for try await chunk in inbound { answer += String(buffer: chunk) }
                } catch {
                    // Closed hard, which is the server's right here.
                }
                group.cancelAll()
                return answer
            }
        }
    }
}
