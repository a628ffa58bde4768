import ActorCore

/// Query parameters as environment variables of an execution (actors API, section 3.2).
enum MessageEnvironment {
    /// Told to an execution by the daemon, whatever the sender says; they are not stored with the message.
    private static let ours = [
        "_abaco_username", "_abaco_api_server", "_abaco_jwt_header_name", JobAuthority.variable,
    ]

    /// Everything but `message`; the first value of a name counts.
    static func entries(
        query: FormItems, limits: Limits
    ) throws(ActorError) -> [EnvironmentEntry] {
        if query.items.isEmpty { return [] }
        var entries: [EnvironmentEntry] = []
        var names: Set<String> = ["message"]
        names.formUnion(ours)
        for item in query.items where names.insert(item.name).inserted {
            try check(item)
            entries.append(EnvironmentEntry(item.name, item.value))
        }
        guard entries.count <= limits.maxEnvironmentEntries else {
            throw ActorError(
                .invalidInput,
                "the query has \(entries.count) parameters, at most \(limits.maxEnvironmentEntries) are taken")
        }
        return entries
    }

    private static func check(_ item: FormItems.Item) throws(ActorError) {
        let name = item.name
        guard VariableRules.canBeVariable(name, item.value) else {
            throw ActorError(
                .invalidInput, "the query parameter \"\(name.prefix(64))\" cannot become an environment variable")
        }
        guard !VariableRules.isRefused(name) else {
            throw ActorError(.invalidInput, "the environment variable \(name.prefix(64)) may not be set by a message")
        }
    }
}
