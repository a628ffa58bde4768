import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

/// Who may do what to an actor, and the holder of a nonce exactly the nonce's level on the nonce's actor.
enum Access {
    static func level(of caller: Caller, on spec: ActorSpec) -> PermissionLevel {
        guard let nonce = caller.nonce else { return level(of: caller.principal, on: spec) }
        // An actor's nonce says nothing of others.
        guard nonce.tenant == spec.tenant, nonce.actor == nil || nonce.actor == spec.id else { return .none }
        return nonce.level
    }

    static func level(of principal: Principal, on spec: ActorSpec) -> PermissionLevel {
        spec.level(of: principal)
    }

    /// The user's own level, or everybody's when that is more; nil when the list says nothing of either.
    static func level(of user: String, in grants: [String: PermissionLevel]) -> PermissionLevel? {
        grants.level(of: user)
    }

    /// Whether a search shows this actor to the caller: it is the caller's, or the caller is named in its permissions
    /// (actors API, section 5.3).
    static func isNamed(_ caller: Caller, in spec: ActorSpec) -> Bool {
        let user = caller.username
        guard caller.nonce == nil, caller.principal.tenant == spec.tenant else { return false }
        return user == spec.owner || (spec.grants[user] ?? .none) > .none
    }

    /// An alias nonce opens the alias only, an actor's nonce the id only (actors API, section 4).
    static func opens(_ nonce: Nonce, _ word: String, _ spec: ActorSpec) -> Bool {
        if let alias = nonce.alias { return alias == word }
        return nonce.actor == spec.id && word == spec.id.rawValue
    }

    /// Whether the caller may look at an execution: who may READ its actor. When the actor is gone nobody's
    /// permissions are known any more, and it is for who sent the message.
    static func reads(_ record: ExecutionRecord, _ caller: Caller, _ spec: ActorSpec?) -> Bool {
        if let spec { return level(of: caller, on: spec) >= .read }
        return caller.isAdmin || (caller.nonce == nil && record.sender == caller.username)
    }

    /// Results may hold tokens: who sent the message sees its result, and who sees inside its actor.
    static func seesResult(of record: ExecutionRecord, _ caller: Caller, _ spec: ActorSpec?) -> Bool {
        (caller.nonce == nil && record.sender == caller.username) || seesInside(caller, spec)
    }

    /// Whether the caller may see what was said to or by this actor in confidence: results, dead messages.
    static func seesInside(_ caller: Caller, _ spec: ActorSpec?) -> Bool {
        guard caller.nonce == nil else { return false }
        return caller.isAdmin || (spec.map { $0.owner == caller.username } ?? false)
    }
}

extension HTTPFront {
    /// The actor that the path names, if the caller may do that much to it. A nonce's use is counted here unless
    /// the store counts it together with a message.
    func authorized(
        _ context: HTTPContext, _ needed: PermissionLevel, countingUse: Bool = true
    ) async throws(ActorError) -> ActorSpec {
        let caller = try context.requireCaller()
        let spec: ActorSpec
        do throws(ActorError) {
            spec = try authorized(caller, context.word(), needed)
        } catch {
            let isMissing = error.code == .notFound && error.message == Self.missing(context.word()).message
            throw isMissing ? Self.missing(context.word(), at: context.endpointPath) : error
        }
        if countingUse, let nonce = caller.nonce {
            guard try await system.store.useNonce(nonce.id, at: system.now()) else { throw Nonce.usedUp }
        }
        return spec
    }

    /// The same for `word`, no use of a nonce being counted.
    func authorized(
        _ caller: Caller, _ word: String, _ needed: PermissionLevel
    ) throws(ActorError) -> ActorSpec {
        if let nonce = caller.nonce {
            guard let spec = try? system.resolve(word, tenant: nonce.tenant), Access.opens(nonce, word, spec),
                isBacked(nonce, on: spec)
            else { throw Nonce.missing }
            guard nonce.level >= needed else { throw Nonce.tooLow }
            // That of job callbacks stands in job scripts and comments of batch systems: it sends, and reads nothing.
            guard needed == .execute || !system.isCallbackNonce(nonce.id) else { throw Nonce.tooLow }
            return spec
        }
        let spec = try resolved(word, caller)
        guard Access.level(of: caller, on: spec) >= needed else {
            throw ActorError(.forbidden, "Not authorized -- you do not have access to this actor.")
        }
        return spec
    }

    /// Whether the owner of a nonce may still do as much to this actor as the nonce lets its holder do: a nonce does
    /// not outlive the permission that it passes on. Behind that of job callbacks stands the house, whoever was its
    /// admin when it was made.
    func isBacked(_ nonce: Nonce, on spec: ActorSpec) -> Bool {
        if system.isCallbackNonce(nonce.id) { return true }
        let owner = Principal(username: nonce.owner, tenant: nonce.tenant, roles: roles(behind: nonce))
        return Access.level(of: owner, on: spec) >= nonce.level
    }

    /// The actor that the path names, for a change of who may use it: nonces are handed on, and must neither multiply
    /// nor outlive themselves by a permission.
    func authorizedPerson(_ context: HTTPContext) async throws(ActorError) -> ActorSpec {
        let spec = try await authorized(context, .update, countingUse: false)
        guard try context.requireCaller().nonce == nil else {
            throw ActorError(
                .forbidden, "Not authorized -- a nonce can neither make nonces nor change permissions; use a token.")
        }
        return spec
    }

    /// The actors whose entries a list shows to the caller; nil for all: admins see those of every tenant.
    func readable(by caller: Caller) -> Set<ActorID>? {
        guard !caller.isAdmin else { return nil }
        let specs = system.statuses(tenant: caller.principal.tenant).map(\.spec)
        return Set(specs.filter { Access.level(of: caller, on: $0) >= .read }.map(\.id))
    }

    /// With the texts of the actors API, section 2.2.
    private func resolved(_ word: String, _ caller: Caller) throws(ActorError) -> ActorSpec {
        if Hashids.abaco.decode(word) != nil, system.spec(ActorID(word))?.tenant != caller.principal.tenant {
            guard caller.isAdmin else {
                throw ActorError(.invalidInput, "Actor \(caller.principal.tenant)_\(word) does not exist")
            }
            throw Self.missing(word)
        }
        return try system.resolve(word, tenant: caller.principal.tenant)
    }

    /// Mailbox and executions have a word of their own for it.
    private static func missing(_ word: String, at path: String? = nil) -> ActorError {
        let isWithin = path.map { $0.contains("/messages") || $0.contains("/executions") } ?? false
        return ActorError(.notFound, "No actor found with \(isWithin ? "id" : "identifier"): \(word).")
    }

    /// Under `/api/v1` an unknown actor is 404 for everybody.
    func actor(
        _ word: String, _ caller: Caller, _ needed: PermissionLevel
    ) throws(ActorError) -> ActorSpec {
        let spec = try system.resolve(word, tenant: caller.principal.tenant)
        guard Access.level(of: caller, on: spec) >= needed else {
            throw ActorError(.forbidden, "you may not do this to actor \(spec.title)")
        }
        return spec
    }

    func requireAdmin(_ context: HTTPContext) throws(ActorError) -> Caller {
        let caller = try context.requireCaller()
        guard caller.isAdmin else { throw ActorError(.forbidden, "this needs the role admin") }
        return caller
    }

    /// Runs a change and leaves a line in the audit log, whatever came of it.
    func audited<Result: Sendable>(
        _ caller: Caller, _ action: String, _ target: String, _ change: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await change()
            try await note(caller, action, target, "ok")
            return result
        } catch {
            try? await note(caller, action, target, (error as? ActorError)?.code.rawValue ?? "failed")
            throw error
        }
    }

    private func note(
        _ caller: Caller, _ action: String, _ target: String, _ outcome: String
    ) async throws(ActorError) {
        let who = caller.nonce == nil ? caller.username : "\(caller.username) (by nonce)"
        try await system.store.audit(
            AuditEntry(at: system.now(), who: who, action: action, target: target, outcome: outcome))
    }
}
