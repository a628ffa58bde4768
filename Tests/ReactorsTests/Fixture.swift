import ActorCore
import FoundationEssentials
import Synchronization
import Testing

/// Recorded cases, beside the tests that use them.
enum Fixture {
    static func rows(_ file: String, _ section: String) -> [JSONValue] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let path = folder.appending(path: "Fixtures/\(file).json")
        guard let data = try? Data(contentsOf: path), let json = try? JSONReader.read(Array(data)) else {
            Issue.record("the fixture \(file).json cannot be read")
            return []
        }
        return json[section]?.array ?? []
    }
}

/// A JSON path in a recorded case.
extension JSONValue {
    func at(_ names: String...) -> JSONValue { names.reduce(self) { $0[$1] ?? .null } }
    var texts: [String] { (array ?? []).compactMap(\.string) }
}

func envelope(
    _ body: JSONValue, parameters: [(String, String)] = [], sender: String = "alice",
    execution: String = "execution", attempts: Int = 0, nonce: NonceID? = nil
) -> Envelope {
    Envelope(
        sequence: 1, execution: ExecutionID(execution),
        message: NewMessage(
            actor: ActorID("N4xR1OKaQGVB"), body: JSONWriter.bytes(body),
            environment: parameters.map { EnvironmentEntry($0.0, $0.1) }, sender: sender,
            received: Timestamp(milliseconds: 1_600_000_000_000), nonce: nonce),
        attempts: attempts)
}

/// Something that a test and the code under test both change.
final class Kept<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}
