import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// A connection of Hummingbird with the ``FastLane`` in front of it.
struct LaneChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let base: HTTP1Channel
    let desk: LaneDesk

    /// Idle connections are closed by the lane: what it answers itself Hummingbird does not see.
    static func builder(for front: HTTPFront) -> HTTPServerBuilder {
        let desk = LaneDesk(front: front)
        return HTTPServerBuilder { responder in
            LaneChannel(
                base: HTTP1Channel(
                    responder: responder,
                    configuration: .init(
                        httpDecoderConfiguration: .init(
                            maxHeaderFieldSize: 16384, maxHeaderListSize: 65536, maxHeaderFieldCount: 128))),
                desk: desk)
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            // Behind the decoder, in front of the translation into Hummingbird's types.
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(FastLane(desk: desk), position: .after(decoder))
            try pipeline.addHandler(AnswerWatch(), position: .first)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
