import ActorCore
import ActorRuntime
import HTTPTypes
import NIOCore
import Synchronization

/// Decides for all connections which requests the ``FastLane`` takes, with the rules of the middleware and of
/// ``MessageDoor``. What it would have to refuse or wait for it leaves to the route, which has the words for it.
final class LaneDesk: Sendable {
    /// A message that may be stored, and how to answer it.
    final class Admission: Sendable {
        let message: NewMessage
        let spec: ActorSpec
        let shown: [UInt8]
        let generation: ActorsGeneration
        let path: String

        init(message: NewMessage, spec: ActorSpec, shown: [UInt8], target: MessageTarget) {
            self.message = message
            self.spec = spec
            self.shown = shown
            generation = target.generation
            path = target.path
        }
    }

    /// Larger messages of an actor with a schema are checked off the event loop, and so are all where the schema is
    /// a stranger's or has patterns that may take long: one message would hold up all connections.
    private static let schemaBytes = 4096

    let front: HTTPFront
    let idle: TimeAmount
    /// Headers with tokens that the lane leaves to the route.
    let credentials: [String]
    private let origin: OriginMiddleware
    private let authentication: AuthenticationMiddleware
    private let inboxes = Mutex<[ObjectIdentifier: LoopInbox]>([:])

    init(front: HTTPFront) {
        self.front = front
        credentials = front.credentials.headers
        idle = .seconds(front.settings.idleSeconds)
        origin = OriginMiddleware(settings: front.settings)
        authentication = AuthenticationMiddleware(front: front)
    }

    func inbox(of loop: any EventLoop) -> LoopInbox {
        inboxes.withLock { inboxes in
            let id = ObjectIdentifier(loop)
            if let known = inboxes[id] { return known }
            let inbox = LoopInbox(loop: loop)
            inboxes[id] = inbox
            return inbox
        }
    }

    /// Nil: this is for the route.
    func admit(_ head: LaneHead, body: [UInt8]) -> Admission? {
        let system = front.system
        let bound = head.contentType.isBinary ? system.limits.maxBinaryBytes : system.limits.maxBodyBytes
        guard origin.answers(to: head.host), body.count <= bound else { return nil }
        let query = FormItems(head.target.query)
        guard let caller = authentication.callerNow(authorization: head.authorization, query: query) else { return nil }
        do throws(ActorError) {
            let spec = try front.authorized(caller, head.target.word, .execute)
            guard query.first(MessageRoutes.synchronous) == nil, spec.webhookSecrets.isEmpty,
                spec.schemas.isEmpty || (body.count <= Self.schemaBytes && system.checksQuickly(spec.id))
            else {
                return nil
            }
            let fields = MessageFields(
                contentType: head.contentType, idempotencyKey: head.idempotencyKey, options: head.options)
            let door = MessageDoor(limits: system.limits, now: system.now())
            let (draft, shown) = try door.draft(fields, query: query, body: body, for: spec, from: caller)
            return Admission(
                message: try system.checked(draft), spec: spec, shown: shown, target: head.target)
        } catch {
            return nil
        }
    }

    /// The whole answer as it goes over the wire.
    func answer(
        to admission: Admission, _ result: Result<SendReceipt, ActorError>, date: String, into buffer: inout ByteBuffer
    ) {
        switch result {
        case .success(let receipt):
            let body = front.messageReply(admission.generation, admission.spec.tenant)
                .bytes(execution: receipt.execution, of: admission.spec, shown: admission.shown)
            Self.write("200 OK", nil, body, date, into: &buffer)
        case .failure(let error):
            ErrorMiddleware.note(error, path: admission.path, front.logger)
            let parts = ErrorReply.actorsParts(of: error, version: front.settings.version)
            Self.write(
                "\(parts.status.code) \(parts.status.reasonPhrase)", parts.retryAfter, parts.body, date, into: &buffer)
        }
    }

    private static func write(
        _ status: String, _ retryAfter: String?, _ body: [UInt8], _ date: String, into buffer: inout ByteBuffer
    ) {
        buffer.writeString("HTTP/1.1 ")
        buffer.writeString(status)
        buffer.writeString("\r\ncontent-type: application/json\r\n")
        buffer.writeString(HeadersMiddleware.actorsLines)
        if let retryAfter { buffer.writeString("retry-after: \(retryAfter)\r\n") }
        buffer.writeString("content-length: ")
        buffer.writeString(String(body.count))
        buffer.writeString("\r\ndate: ")
        buffer.writeString(date)
        buffer.writeString("\r\n\r\n")
        buffer.writeBytes(body)
    }
}

/// Carries results from the store's thread to the connections of one event loop: one wake-up for all that are ready.
final class LoopInbox: Sendable {
    private struct Item: Sendable {
        let lane: NIOLoopBound<FastLane>
        let result: Result<SendReceipt, ActorError>
    }

    private let loop: any EventLoop
    private let items = Mutex<[Item]>([])
    private let clock: NIOLoopBoundBox<(second: Int64, text: String)>

    init(loop: any EventLoop) {
        self.loop = loop
        clock = NIOLoopBoundBox((second: .min, text: ""), eventLoop: loop)
    }

    func put(_ result: Result<SendReceipt, ActorError>, for lane: NIOLoopBound<FastLane>) {
        let isFirst = items.withLock { items in
            items.append(Item(lane: lane, result: result))
            return items.count == 1
        }
        if isFirst { loop.execute { self.deliver() } }
    }

    private func deliver() {
        let ready = items.withLock { items in
            defer { items = [] }
            return items
        }
        for item in ready { item.lane.value.finish(item.result) }
    }

    /// The `Date` line's text, made once a second. On the event loop only.
    func date(_ now: Timestamp) -> String {
        let second = now.milliseconds / 1000
        if clock.value.second != second { clock.value = (second, now.httpDate) }
        return clock.value.text
    }
}

extension Timestamp {
    /// `Sat, 21 Nov 2026 06:24:01 GMT`
    var httpDate: String {
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let (date, time) = calendar
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return "\(days[date.weekday]), \(two(date.day)) \(months[date.month - 1]) \(date.year) "
            + "\(two(time.hour)):\(two(time.minute)):\(two(time.second)) GMT"
    }
}
