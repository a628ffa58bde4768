import ActorCore

/// Query parameters as environment variables of an execution (actors API, section 3.2).
enum MessageEnvironment {
    /// Names through which a variable would change what a program is instead of what it is told.
    private static let refused: Set<String> = [
        "BASH_ENV", "ENV", "IFS", "SHELLOPTS", "BASHOPTS", "GLIBC_TUNABLES", "GCONV_PATH", "PYTHONPATH",
        "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PERL5OPT", "PERL5LIB", "RUBYOPT", "RUBYLIB",
        "NODE_OPTIONS", "NODE_PATH", "JAVA_TOOL_OPTIONS",
    ]
    /// Told to an execution by the daemon, whatever the sender says; they are not stored with the message.
    private static let ours = ["_abaco_username", "_abaco_api_server", JobAuthority.variable]

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
        guard !name.isEmpty, !name.utf8.contains(0), !name.contains("="), !item.value.utf8.contains(0) else {
            throw ActorError(
                .invalidInput, "the query parameter \"\(name.prefix(64))\" cannot become an environment variable")
        }
        guard !refused.contains(name), !name.hasPrefix("LD_"), !name.hasPrefix("BASH_FUNC_") else {
            throw ActorError(.invalidInput, "the environment variable \(name.prefix(64)) may not be set by a message")
        }
    }
}
