import ActorCore
import ActorRuntime
import HTTPTypes

/// Many messages in one body, one JSON text a line or CloudEvents in an array: each is accepted or refused on its own,
/// all are stored in one commit.
struct MessageBatch {
    static let mostMessages = 10_000
    /// The media types of a batch.
    static let lines = "application/x-ndjson"
    static let events = CloudEvent.batchType
    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

    private enum Item {
        /// The index among the messages that go to the store.
        case sent(Int)
        case refused(ActorError)
    }

    /// What tells a batch that comes again, message by message, from another one.
    enum Key {
        /// The sender's word for the whole batch.
        case given(String)
        /// The signed webhook that the whole batch is: its first message has the key that the webhook has as a single
        /// message, so that neither way lets in what came by the other. What was signed in one form fits no other.
        case webhook(IdempotencyKey)

        func key(of number: Int, isFirst: Bool, _ bytes: [UInt8], _ query: FormItems) -> IdempotencyKey {
            switch self {
            case .given(let word): MessageDoor.idempotency("\(word)/\(number)", bytes, query)
            case .webhook(let whole) where isFirst:
                IdempotencyKey(key: whole.key, digest: "batch/\(number)/\(whole.digest)")
            case .webhook(let whole): MessageDoor.idempotency("\(whole.key)/\(number)", bytes, query)
            }
        }
    }

    /// What an item is called by, with its number: lines from 1, as editors count, items of an array from 0.
    private let noun: String
    private var items: [(number: Int, item: Item)] = []
    private(set) var messages: [NewMessage] = []

    /// Lines of JSON.
    ///
    /// - Parameters:
    ///   - query: part of what is said, of each message.
    ///   - check: what the runtime says to a draft.
    init(
        lines body: [UInt8], blank: MessageDraft, key: Key?, query: FormItems, maxDepth: Int,
        check: (MessageDraft) throws(ActorError) -> NewMessage
    ) throws(ActorError) {
        noun = "line"
        var number = 0
        // Windows programs begin a file with it.
        var start = body.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        while start < body.endIndex {
            let end = body[start...].firstIndex(of: UInt8(ascii: "\n")) ?? body.endIndex
            let line = Self.trimmed(body[start..<end])
            number += 1
            start = end + 1
            guard !line.isEmpty else { continue }
            guard items.count < Self.mostMessages else { throw Self.tooMany }
            let isFirst = messages.isEmpty
            add(number) { () throws(ActorError) in
                let bytes = Array(line)
                _ = try BodyJSON.check(bytes, maxDepth: maxDepth, member: "")
                var draft = blank
                draft.body = bytes
                draft.idempotency = key?.key(of: number, isFirst: isFirst, bytes, query)
                return try check(draft)
            }
        }
    }

    /// Events of an array (CloudEvents HTTP binding 1.0, section 3.3).
    ///
    /// - Parameters:
    ///   - query: part of what is said, of each message.
    ///   - message: what becomes of an event; the key of the whole batch and the event's place stand in for its own id
    ///     and source where the batch has such a key.
    init(
        events: [Result<CloudEventMessage, ActorError>], key: Key?, query: FormItems,
        message: (CloudEventMessage, IdempotencyKey?) throws(ActorError) -> NewMessage
    ) throws(ActorError) {
        noun = "index"
        guard events.count <= Self.mostMessages else { throw Self.tooMany }
        for (index, event) in events.enumerated() {
            let isFirst = messages.isEmpty
            add(index) { () throws(ActorError) in
                let event = try event.get()
                return try message(event, key?.key(of: index, isFirst: isFirst, event.canonicalBytes, query))
            }
        }
    }

    private static let tooMany = ActorError(
        .tooLarge, "a batch has at most \(mostMessages) messages; send the rest in another")

    private mutating func add(_ number: Int, _ message: () throws(ActorError) -> NewMessage) {
        do throws(ActorError) {
            messages.append(try message())
            items.append((number, .sent(messages.count - 1)))
        } catch {
            items.append((number, .refused(error)))
        }
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        while let last = line.last, last == 0x0d || last == 0x20 || last == 0x09 { line.removeLast() }
        while let first = line.first, first == 0x20 || first == 0x09 { line.removeFirst() }
        return line
    }

    /// The `result` of the answer as JSON text; `stored` has one entry for each of ``messages``.
    func result(_ stored: [Result<SendReceipt, ActorError>]) -> [UInt8] {
        var results: [UInt8] = []
        results.reserveCapacity(items.count * 48)
        var accepted = 0
        for (number, item) in items {
            if !results.isEmpty { results.append(UInt8(ascii: ",")) }
            results += "{\"\(noun)\":\(number),".utf8
            switch outcome(item, stored) {
            case .success(let receipt):
                accepted += 1
                results += "\"execution_id\":\"\(receipt.execution.rawValue)\"}".utf8
            case .failure(let error):
                // As if it had come alone: what may be sent again later is told from what is wrong.
                results += "\"status\":\(ErrorReply.actorsStatus(of: error.code).code),\"error\":".utf8
                JSONWriter.write(text: ErrorReply.text(error), to: &results)
                if let place = error.details.first?.place, place.hasPrefix("byte "),
                    let offset = Int(place.dropFirst(5))
                {
                    results += ",\"offset\":\(offset)".utf8
                }
                results.append(UInt8(ascii: "}"))
            }
        }
        let head = "{\"accepted\":\(accepted),\"refused\":\(items.count - accepted),\"results\":["
        return Array(head.utf8) + results + Array("]}".utf8)
    }

    private func outcome(
        _ item: Item, _ stored: [Result<SendReceipt, ActorError>]
    ) -> Result<SendReceipt, ActorError> {
        switch item {
        case .refused(let error): .failure(error)
        case .sent(let index): stored[index]
        }
    }
}
