import ActorCore
import ActorRuntime

/// Many JSON messages in one body, one a line: each is accepted or refused on its own, all are stored in one commit.
struct MessageBatch {
    static let mostLines = 10_000

    private enum Line {
        /// The index among the messages that go to the store.
        case sent(Int)
        case refused(ActorError)
    }

    private var lines: [(number: Int, line: Line)] = []
    private(set) var messages: [NewMessage] = []

    /// - Parameter check: what the runtime says to a draft.
    init(
        _ body: [UInt8], blank: MessageDraft, key: String?, maxDepth: Int,
        check: (MessageDraft) throws(ActorError) -> NewMessage
    ) throws(ActorError) {
        var number = 0
        var start = body.startIndex
        while start < body.endIndex {
            let end = body[start...].firstIndex(of: UInt8(ascii: "\n")) ?? body.endIndex
            let line = Self.trimmed(body[start..<end])
            number += 1
            start = end + 1
            guard !line.isEmpty else { continue }
            guard lines.count < Self.mostLines else {
                throw ActorError(.tooLarge, "a batch has at most \(Self.mostLines) messages; send the rest in another")
            }
            do throws(ActorError) {
                let bytes = Array(line)
                _ = try BodyJSON.check(bytes, maxDepth: maxDepth, member: "")
                var draft = blank
                draft.body = bytes
                draft.idempotency = key.map { MessageDoor.idempotency("\($0)/\(number)", bytes) }
                messages.append(try check(draft))
                lines.append((number, .sent(messages.count - 1)))
            } catch {
                lines.append((number, .refused(error)))
            }
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
        results.reserveCapacity(lines.count * 48)
        var accepted = 0
        for (number, line) in lines {
            if !results.isEmpty { results.append(UInt8(ascii: ",")) }
            results += "{\"line\":\(number),".utf8
            switch outcome(line, stored) {
            case .success(let receipt):
                accepted += 1
                results += "\"execution_id\":\"\(receipt.execution.rawValue)\"}".utf8
            case .failure(let error):
                results += "\"error\":".utf8
                results += JSONWriter.bytes(.string(ErrorReply.text(error)))
                if let place = error.details.first?.place, place.hasPrefix("byte "),
                    let offset = Int(place.dropFirst(5))
                {
                    results += ",\"offset\":\(offset)".utf8
                }
                results.append(UInt8(ascii: "}"))
            }
        }
        let head = "{\"accepted\":\(accepted),\"refused\":\(lines.count - accepted),\"results\":["
        return Array(head.utf8) + results + Array("]}".utf8)
    }

    private func outcome(
        _ line: Line, _ stored: [Result<SendReceipt, ActorError>]
    ) -> Result<SendReceipt, ActorError> {
        switch line {
        case .refused(let error): .failure(error)
        case .sent(let index): stored[index]
        }
    }
}
