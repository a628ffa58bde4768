package import ActorCore
package import Logging
import Synchronization

/// Calls other services through libcurl, on one thread of its own.
///
/// An address policy is enforced on the address that is really connected to, so a name that changes its mind (DNS
/// rebinding) gains nothing.
package final class CurlClient: HTTPClient {
    private let thread: TransferThread
    private let logger: Logger
    private let numbers = Mutex(0)

    /// - Parameter maxConnections: over all hosts; further requests wait for one within their time.
    package init(logger: Logger, maxConnections: Int = 256) throws(ActorError) {
        self.thread = try TransferThread(maxConnections: max(1, maxConnections))
        self.logger = logger
    }

    package func send(
        _ request: OutgoingRequest, policy: AddressPolicy
    ) async throws(ActorError) -> IncomingResponse {
        let number = nextNumber()
        return try await start(request, number, policy) { .whole($0) }
    }

    package func stream(
        _ request: OutgoingRequest, policy: AddressPolicy
    ) async throws(ActorError) -> ResponseStream {
        let number = nextNumber()
        let channel = StreamChannel()
        let head = try await start(request, number, policy) { .streamed($0, channel) }
        let thread = self.thread
        return ResponseStream(
            status: head.status, headers: head.headers,
            take: { () async throws(ActorError) -> [UInt8]? in
                if Task.isCancelled {
                    thread.cancel(number)
                    throw ActorError(.cancelled, "the request was cancelled")
                }
                let result = await withTaskCancellationHandler { () async -> Result<[UInt8]?, ActorError> in
                    do throws(ActorError) {
                        return .success(try await channel.next(goOn: { thread.goOn(number) }))
                    } catch {
                        return .failure(error)
                    }
                } onCancel: {
                    thread.cancel(number)
                }
                return try result.get()
            }, leave: { thread.cancel(number) })
    }

    private func nextNumber() -> Int {
        numbers.withLock { number in
            number += 1
            return number
        }
    }

    private func start(
        _ request: OutgoingRequest, _ number: Int, _ policy: AddressPolicy,
        _ delivery: (CheckedContinuation<Result<IncomingResponse, ActorError>, Never>) -> Delivery
    ) async throws(ActorError) -> IncomingResponse {
        let target = try Target(request.url)
        try RequestLines.check(request)
        let isGuarded = try Self.isGuarded(request, target, policy)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let transfer = Transfer(
                    number: number, request: request, target: target, isGuarded: isGuarded,
                    delivery: delivery(continuation))
                if !thread.start(transfer) {
                    transfer.fail(.cancelled, "the request to \(target.origin) was cancelled")
                }
            }
        } onCancel: {
            thread.cancel(number)
        }
        if case .failure(let error) = result, error.code == .forbidden {
            logger.warning("refused to call a private address", metadata: ["origin": "\(target.origin)"])
        }
        return try result.get()
    }

    /// Ends the thread; requests under way and later ones fail with `cancelled`.
    package func shutdown() async { await thread.stop() }

    /// Whether the address has to be watched; a Unix socket was chosen by us, never by a caller.
    private static func isGuarded(
        _ request: OutgoingRequest, _ target: Target, _ policy: AddressPolicy
    ) throws(ActorError) -> Bool {
        if let path = request.unixSocket {
            guard path.hasPrefix("/"), path.utf8.count < 108, !path.utf8.contains(0) else {
                throw ActorError(.invalidInput, "the path of a Unix socket is absolute and shorter than 108 bytes")
            }
            return false
        }
        switch policy {
        case .anywhere: return false
        case .publicOr(let allowed): return !target.isListed(in: allowed)
        }
    }
}
