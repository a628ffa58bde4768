import ActorCore

/// The secret part of tokens of the first generation.
enum TokenPepper {
    /// From the settings; without one there, a random one made at first use and kept in the actor's state.
    ///
    /// Of two that are made at the same moment one is kept. Nothing is lost with the other: a token is compared with
    /// what its job's record says.
    static func of(_ context: any ReactorContext) async throws -> String {
        if let configured = context.settings["token_pepper"]?.string, !configured.isEmpty { return configured }
        let state = try await context.state()
        if let kept = state["token_pepper"]?.string { return kept }
        let made = context.randomHex(bytes: 32)
        context.setState(state.setting("token_pepper", .string(made)))
        return made
    }
}
