extension ActorSpec {
    /// What somebody may do to this actor: admins and its owner everything; others what its permissions say. An actor
    /// that a folder declares lets the users of its house READ and EXECUTE, limited ones READ, unless its permissions
    /// say otherwise of them.
    package func level(of principal: Principal) -> PermissionLevel {
        guard principal.tenant == tenant else { return .none }
        if principal.isAdmin || principal.username == owner { return .update }
        if let own = grants.level(of: principal.username) { return own }
        guard definition == nil else { return .none }
        if principal.roles.contains(.user) || principal.roles.contains(.privileged) { return .execute }
        return principal.roles.contains(.limited) ? .read : .none
    }
}

extension [String: PermissionLevel] {
    /// The user's own level, or everybody's when that is more; nil when the list says nothing of either.
    package func level(of user: String) -> PermissionLevel? {
        guard !isEmpty else { return nil }
        return [self[user], self[GrantTarget.everybody]].compactMap(\.self).max()
    }
}
