import ActorCore

/// Query parameters as environment variables of an execution (actors API, section 3.2).
enum MessageEnvironment {
    /// Told to an execution by the daemon, whatever the sender says; they are not stored with the message.
    private static let ours = [
        "_abaco_username", "_abaco_api_server", "_abaco_jwt_header_name", MessageKind.variable, JobAuthority.variable,
        JobAuthority.senderRole,
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
        if let refusal = VariableRules.refusal(of: name, item.value, by: .message) {
            throw self.refusal(name, refusal.reason)
        }
    }

    /// What the house says to its own actor is not the sender's to change, and a script that ran without a parameter
    /// it was sent would make wrong data.
    static func check(_ entries: [EnvironmentEntry], against spec: ActorSpec) throws(ActorError) {
        guard spec.definition == nil, !entries.isEmpty else { return }
        if let name = entries.first(where: { spec.keeps($0.name) })?.name {
            throw refusal(name, "the actor.yml of \(spec.name) sets it")
        }
    }

    private static func refusal(_ name: String, _ reason: String) -> ActorError {
        ActorError(
            .invalidInput,
            "the environment variable \(name.prefix(64)) may not be set by a message: \(reason); give the query "
                + "parameter another name")
    }
}
