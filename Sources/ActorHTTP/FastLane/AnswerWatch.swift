import NIOCore

/// Ends a connection whose client takes no more of its answers, and reads no further requests of one until it does.
///
/// Next to the socket, so that it sees the answers of the ``FastLane`` and Hummingbird's alike. A quiet stream has
/// nothing to write and stays.
final class AnswerWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// How long nothing of an answer may leave.
    static let patience = TimeAmount.seconds(60)
    /// Looks at the connection in that time.
    private static let looks = 4

    private let interval: TimeAmount
    private var context: ChannelHandlerContext?
    private var nextLook: Scheduled<Void>?
    /// Bytes of all answers so far, and those of them that had left at the last look.
    private var handed = 0
    private var left = 0
    /// Looks in a row at which nothing had left.
    private var stalled = 0
    private var isReadHeld = false

    init(patience: TimeAmount = AnswerWatch.patience) {
        interval = .nanoseconds(patience.nanoseconds / Int64(Self.looks))
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        stop()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    private func stop() {
        nextLook?.cancel()
        nextLook = nil
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if nextLook == nil {
            // Nothing waited at the last look, or there was none.
            left = handed
            stalled = 0
            scheduleLook(context)
        }
        handed += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    private func scheduleLook(_ context: ChannelHandlerContext) {
        nextLook = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in self?.look() }
    }

    private func look() {
        nextLook = nil
        guard let context else { return }
        let waiting = context.channel.waitingBytes
        guard waiting > 0 else { return }
        let gone = handed - waiting
        stalled = gone == left ? stalled + 1 : 0
        left = gone
        if stalled >= Self.looks { return context.close(promise: nil) }
        scheduleLook(context)
    }

    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isReadHeld, context.channel.isWritable {
            isReadHeld = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }
}

@available(*, unavailable)
extension AnswerWatch: Sendable {}

extension Channel {
    /// Bytes that the socket has not taken yet. On the event loop only.
    var waitingBytes: Int { (try? syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)) ?? 0 }
}
