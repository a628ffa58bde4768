import ActorCore
import Foundation
import Logging
import Testing

@testable import ActorStore

/// A folder of its own, removed at the end.
func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "store-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

let quiet = Logger(label: "store-tests") { _ in SwiftLogNoOpLogHandler() }

/// A new store in a folder of its own, closed and removed at the end.
func withStore<Value>(
    slowSync: Int64 = SQLiteStore.slowSync, _ body: (SQLiteStore, String) async throws -> Value
) async throws -> Value {
    try await withFolder { folder in
        let path = "\(folder)/reactord.sqlite"
        let store = try SQLiteStore.open(path: path, slowSync: slowSync, logger: quiet)
        do {
            let value = try await body(store, path)
            try await store.close()
            return value
        } catch {
            try await store.close()
            throw error
        }
    }
}

let actorA = ActorID("actorA")
let actorB = ActorID("actorB")
let noon = Timestamp(milliseconds: 1_800_000_000_000)

/// A message whose body says which one it is.
func message(_ text: String, to actor: ActorID = actorA, bytes: Int = 20) -> NewMessage {
    let body = Array(text.utf8) + Array(repeating: 0x20, count: max(0, bytes - text.utf8.count))
    return NewMessage(actor: actor, body: body, sender: "test", received: noon)
}

func texts(_ envelopes: [Envelope]) -> [String] {
    envelopes.map { String(decoding: $0.message.body.prefix { $0 != 0x20 }, as: UTF8.self) }
}

extension SQLiteStore {
    /// What of a mailbox waits undelayed.
    func ready(_ actor: ActorID = actorA) async throws(ActorError) -> [Envelope] {
        try await page(.ready(after: .first), of: actor, now: noon, limit: 10000)
    }
}
