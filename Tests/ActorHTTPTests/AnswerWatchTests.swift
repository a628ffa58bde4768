import NIOCore
import NIOEmbedded
import Testing

@testable import ActorHTTP

@Suite("answers that nobody takes")
struct AnswerWatchTests {
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var reads = 0

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    /// What is written to it stays there until it is flushed, as with a client that reads nothing.
    private func open(_ counter: ReadCounter = ReadCounter()) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(counter)
        try channel.pipeline.syncOperations.addHandler(AnswerWatch(patience: .seconds(60)))
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        #expect(channel.isActive)
        return channel
    }

    private let answer = ByteBuffer(repeating: 1, count: 1000)

    @Test("a connection on which nothing leaves is closed in time")
    func stalled() throws {
        let channel = try open()
        channel.write(answer, promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(59))
        #expect(channel.isActive)
        channel.write(answer, promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive, "more answers are no progress")
    }

    @Test("whatever leaves gives it new time")
    func slow() throws {
        let channel = try open()
        for _ in 0..<20 {
            channel.write(answer, promise: nil)
            channel.embeddedEventLoop.advanceTime(by: .seconds(44))
            #expect(channel.isActive)
            channel.flush()
            channel.write(answer, promise: nil)
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(80))
        #expect(!channel.isActive)
    }

    @Test("a stream that is quiet stays")
    func quiet() throws {
        let channel = try open()
        for _ in 0..<3 {
            channel.writeAndFlush(answer, promise: nil)
            channel.embeddedEventLoop.advanceTime(by: .hours(1))
            #expect(channel.isActive)
        }
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("no further requests are read while answers pile up")
    func backPressure() throws {
        let counter = ReadCounter()
        let channel = try open(counter)
        let before = counter.reads
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.read()
        #expect(counter.reads == before)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(counter.reads == before + 1)
        channel.read()
        #expect(counter.reads == before + 2)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
