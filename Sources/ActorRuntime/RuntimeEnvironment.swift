internal import ActorCore
internal import Logging

/// What every part of the runtime is made of.
struct RuntimeEnvironment: Sendable {
    let configuration: SystemConfiguration
    let store: any Store
    let clock: any Timekeeper
    let directory: Directory
    let bus: MailboxBus
    let executor: any Executor
    let runFiles: any RunFiles
    let callbacks: CallbackMaker
    let tokens: ExecutionTokens
    let workers: Workers
    let outboxBell: Bell
    let isDraining: @Sendable () -> Bool
    let logger: Logger
}

extension RuntimeEnvironment {
    /// What scripts and links of a tenant take for the address of the API.
    func apiServer(_ tenant: String) -> String { configuration.apiServers[tenant] ?? callbacks.address.publicURL }
}

/// A wake-up that is never lost and never piles up.
final class Bell: Sendable {
    let rings: AsyncStream<Void>
    private let sink: AsyncStream<Void>.Continuation

    init() { (rings, sink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func ring() { sink.yield() }
    func close() { sink.finish() }
}
