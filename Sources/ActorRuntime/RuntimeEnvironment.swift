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

extension RuntimeEnvironment {
    /// Refuses a link that its owner has no right to any more. What a folder declares is the house's own, and goes.
    func checkLink(of spec: ActorSpec, to target: ActorSpec) throws(ActorError) {
        guard spec.definition != nil else { return }
        let owner = Principal(
            username: spec.owner, tenant: spec.tenant, roles: configuration.roles(ofOwnerOf: spec))
        guard target.level(of: owner) >= .execute else {
            throw ActorError(
                .forbidden,
                "\(spec.owner), who owns actor \(spec.title), may not send to the linked actor \(target.title): give "
                    + "\(spec.owner) EXECUTE on \(target.title), or take the link away")
        }
    }
}

extension SystemConfiguration {
    /// What the owner of an actor is now.
    func roles(ofOwnerOf spec: ActorSpec) -> Set<Role> {
        if isOwnAdmin(spec.owner, spec.tenant) { return [.admin] }
        if let roles = configuredRoles(spec.owner, spec.tenant) { return roles }
        if hasGateways, spec.definition?.isOfAdmin == true { return [.admin] }
        return spec.definition?.isOfLimitedUser == true ? [.limited] : [.user]
    }
}

/// A wake-up that is never lost and never piles up.
final class Bell: Sendable {
    let rings: AsyncStream<Void>
    private let sink: AsyncStream<Void>.Continuation

    init() { (rings, sink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func ring() { sink.yield() }
    func close() { sink.finish() }
}
