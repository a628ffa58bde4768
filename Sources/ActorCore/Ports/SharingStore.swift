/// Actors that were made over HTTP, and who may use what under which name.
package protocol SharingStore: Sendable {
    /// Stores a new actor with its owner's permission, or the next version of one that was made before.
    func make(_ actor: StoredActor) async throws(ActorError)
    /// Removes an actor with its state, plan, nonces, permissions and the aliases that lead to it. What it ran stays
    /// on record. False when there is none.
    func remove(_ actor: ActorID) async throws(ActorError) -> Bool

    /// An actor's state with its revision.
    func keptState(of actor: ActorID) async throws(ActorError) -> KeptState
    /// Answers the new revision.
    ///
    /// - Parameter expected: the revision that must still be there, else `conflict`; nil replaces whatever is there.
    func replaceState(
        _ state: JSONValue, of actor: ActorID, expected: Int?, at now: Timestamp
    ) async throws(ActorError) -> Int

    /// All of them, by tenant and name.
    func aliases() async throws(ActorError) -> [Alias]
    /// One of them; nil when the tenant has none of that name.
    func alias(_ name: String, tenant: String) async throws(ActorError) -> Alias?
    /// Stores a new alias with its owner's permission; `conflict` when the name is taken.
    func create(_ alias: Alias) async throws(ActorError)
    /// Lets an alias lead to another actor; false when there is none.
    func move(alias name: String, tenant: String, to actor: ActorID) async throws(ActorError) -> Bool
    /// Removes an alias with its nonces and permissions; false when there is none.
    func removeAlias(_ name: String, tenant: String) async throws(ActorError) -> Bool
    func nonces(ofAlias name: String, tenant: String) async throws(ActorError) -> [Nonce]

    /// Every permission for a kind of thing.
    func grants(_ kind: GrantTarget.Kind) async throws(ActorError) -> [Grant]
    /// Level by user.
    func grants(on target: GrantTarget) async throws(ActorError) -> [String: PermissionLevel]
    /// Replaces the user's level.
    func set(_ grant: Grant) async throws(ActorError)

    /// Those of a tenant, by name.
    func configs(tenant: String) async throws(ActorError) -> [SharedConfig]
    /// One of them; nil when there is none of that name.
    func config(_ name: String, tenant: String) async throws(ActorError) -> SharedConfig?
    /// Stores a new config with its owner's permission; `conflict` when the name is taken.
    func create(_ config: SharedConfig, owner: String) async throws(ActorError)
    /// Replaces what it says; false when there is none of its name.
    func update(_ config: SharedConfig) async throws(ActorError) -> Bool
    /// Removes it with its permissions; false when there is none.
    func removeConfig(_ name: String, tenant: String) async throws(ActorError) -> Bool
}
