import ActorCore
import ActorRuntime
import NIOCore
import NIOHTTP1

/// Takes small message POSTs out of a connection and answers them without a task: from the socket to the store and
/// back. Everything else passes through untouched, in its order.
///
/// It also closes idle connections, since nobody behind it sees all that happens on one.
final class FastLane: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Parts that arrive belong to no request of the lane.
        case open
        /// The body of a request that the lane may take is on its way.
        case collecting(HTTPRequestHead, LaneHead, since: NIODeadline)
        /// The message is with the store. What arrives meanwhile waits in ``queue``, and nothing more is read then.
        case storing(LaneDesk.Admission)
    }

    private enum Queued {
        case part(HTTPServerRequestPart)
        case error(any Error)
        case event(Any)
    }

    private let desk: LaneDesk
    private var state = State.open
    private var queue: [Queued] = []
    /// The body that is being collected.
    private var body = ByteBuffer()
    private var isReadHeld = false
    private var isQuiescing = false
    /// Those behind have not been told to close yet.
    private var isQuiesceHeld = false
    /// Requests passed on whose answer has not ended.
    private var passedOn = 0
    /// The last request passed on has not ended.
    private var isPassing = false
    private var lastActive = NIODeadline.now()
    private var idleCheck: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    /// Where an answer that is bytes already goes: beyond the encoder.
    private var wire: ChannelHandlerContext?
    private var inbox: LoopInbox?
    private var bound: NIOLoopBound<FastLane>?

    init(desk: LaneDesk) { self.desk = desk }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        wire = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        inbox = desk.inbox(of: context.eventLoop)
        bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        scheduleIdleCheck(context, in: desk.idle)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        idleCheck?.cancel()
        self.context = nil
        wire = nil
        bound = nil
        queue = []
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A message that the store has stays there; what was still on its way has gone with its sender.
        idleCheck?.cancel()
        idleCheck = nil
        state = .open
        queue = []
        context.fireChannelInactive()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = .now()
        let part = unwrapInboundIn(data)
        if case .storing = state {
            queue.append(.part(part))
        } else {
            receive(part, context)
        }
    }

    private func receive(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch (part, state) {
        case (.head(let head), _):
            if passedOn == 0, !isQuiescing, desk.front.settings.fastLane, wire != nil,
                let lane = LaneHead(head, credentials: desk.credentials)
            {
                body.clear(minimumCapacity: lane.length)
                state = .collecting(head, lane, since: lastActive)
            } else {
                passOn(part, context)
            }
        case (.body(let bytes), .collecting):
            body.writeImmutableBuffer(bytes)
        case (.end(let trailers), .collecting(_, let lane, _)):
            guard trailers == nil, let bound, let inbox,
                let admission = desk.admit(lane, body: Array(body.readableBytesView))
            else {
                passOnCollected(context)
                passOn(part, context)
                return
            }
            state = .storing(admission)
            desk.front.system.append([admission.message]) { answer in
                let first = answer.flatMap { results in
                    results.first ?? .failure(ActorError(.internalFailure, "the store gave no answer"))
                }
                inbox.put(first, for: bound)
            }
        default: passOn(part, context)
        }
    }

    private func passOn(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head:
            passedOn += 1
            isPassing = true
        case .body: break
        case .end: isPassing = false
        }
        context.fireChannelRead(wrapInboundOut(part))
    }

    /// What was held back of a request that is not for the lane after all.
    private func passOnCollected(_ context: ChannelHandlerContext) {
        guard case .collecting(let head, _, _) = state else { return }
        state = .open
        passOn(.head(head), context)
        if body.readableBytes > 0 { passOn(.body(body), context) }
        body = ByteBuffer()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .storing = state {
            queue.append(.error(error))
            return
        }
        passOnCollected(context)
        context.fireErrorCaught(error)
    }

    /// Nothing more is read while something waits here: what one read brings is the most that is kept.
    func read(context: ChannelHandlerContext) {
        if case .storing = state, !queue.isEmpty {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    // MARK: Answers

    /// The store has answered. On the event loop.
    func finish(_ result: Result<SendReceipt, ActorError>) {
        guard let context, let wire, let inbox, case .storing(let admission) = state else { return }
        lastActive = .now()
        var buffer = context.channel.allocator.buffer(capacity: 1024 + admission.shown.count)
        desk.answer(to: admission, result, date: inbox.date(desk.front.system.now()), into: &buffer)
        state = .open
        if isQuiesceHeld {
            // The connection may be closed then: only when the answer has left.
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { [weak self] _ in self?.releaseQuiesce() }
            wire.writeAndFlush(NIOAny(buffer), promise: written)
        } else {
            wire.writeAndFlush(NIOAny(buffer), promise: nil)
        }
        goOn(context)
    }

    private func releaseQuiesce() {
        guard isQuiesceHeld, let context else { return }
        isQuiesceHeld = false
        context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }

    private func goOn(_ context: ChannelHandlerContext) {
        if !queue.isEmpty {
            let waiting = queue
            queue = []
            var index = 0
            while index < waiting.count {
                if case .storing = state {
                    queue = Array(waiting[index...]) + queue
                    return
                }
                switch waiting[index] {
                case .part(let part): receive(part, context)
                case .error(let error):
                    passOnCollected(context)
                    context.fireErrorCaught(error)
                case .event(let event):
                    passOnCollected(context)
                    context.fireUserInboundEventTriggered(event)
                }
                index += 1
            }
            context.fireChannelReadComplete()
        }
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            lastActive = .now()
            passedOn = max(0, passedOn - 1)
        }
        context.write(data, promise: promise)
    }

    // MARK: Life

    /// At a graceful stop: those behind close the connection when they have no request; the lane's own comes first.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        let isQuiesce = event is ChannelShouldQuiesceEvent
        if isQuiesce { isQuiescing = true }
        switch state {
        case .storing where isQuiesce: isQuiesceHeld = true
        // That no more will be sent does not take back what was.
        case .storing: queue.append(.event(event))
        case .open, .collecting:
            passOnCollected(context)
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func scheduleIdleCheck(_ context: ChannelHandlerContext, in time: TimeAmount) {
        idleCheck = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in self?.checkIdle() }
    }

    private func checkIdle() {
        guard let context, context.channel.isActive else { return }
        // What still leaves is the ``AnswerWatch``'s.
        if context.channel.waitingBytes > 0 { lastActive = .now() }
        let isAnswering: Bool
        switch state {
        case .open: isAnswering = passedOn > 0 && !isPassing
        case .storing: isAnswering = true
        case .collecting(_, _, let since):
            isAnswering = false
            // Whoever dribbles is judged by the reader of bodies.
            if NIODeadline.now() - since > .seconds(BodyReader.graceSeconds) { passOnCollected(context) }
        }
        let rest = isAnswering ? desk.idle : desk.idle - (NIODeadline.now() - lastActive)
        if rest <= .nanoseconds(0) { return context.close(promise: nil) }
        scheduleIdleCheck(context, in: rest)
    }
}

@available(*, unavailable)
extension FastLane: Sendable {}
