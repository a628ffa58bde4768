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
func withStore<Value>(_ body: (SQLiteStore, String) async throws -> Value) async throws -> Value {
    try await withFolder { folder in
        let path = "\(folder)/reactord.sqlite"
        let store = try SQLiteStore.open(path: path, logger: quiet)
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
let noon = Timestamp(milliseconds: 1_800_000_000_000)

func message(_ execution: String, to actor: ActorID = actorA, bytes: Int = 20) -> NewMessage {
    NewMessage(
        actor: actor, execution: ExecutionID(execution), body: Array(repeating: 0x20, count: bytes), sender: "test",
        received: noon)
}
