import ActorCore
import HTTPTransport
import Logging
import Synchronization

/// Calls out through the daemon's HTTP client alone: what the outbox could do if it did nothing else.
enum CallbackLine {
    static func run(
        url: String, calls: Int, concurrency: Int, bytes: Int
    ) async throws -> [(String, Double)] {
        let client = try CurlClient(logger: Logger(label: "bench"))
        let request = OutgoingRequest(
            method: "POST", url: url, headers: [(name: "Content-Type", value: "application/json")],
            body: [UInt8](repeating: UInt8(ascii: "x"), count: bytes))
        let taken = Taken()
        let began = monotonicNanoseconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<concurrency {
                group.addTask {
                    while taken.count.add(1, ordering: .relaxed).oldValue < calls {
                        let answer = try await client.send(request, policy: .anywhere)
                        guard answer.status == 200 else {
                            throw ActorError(.internalFailure, "the sink answered \(answer.status)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let time = Double(monotonicNanoseconds() - began)
        await client.shutdown()
        return [("calls", Double(calls)), ("per_second", Double(calls) * 1e9 / time)]
    }
}

/// How many calls were begun.
private final class Taken: Sendable {
    let count = Atomic(0)
}
