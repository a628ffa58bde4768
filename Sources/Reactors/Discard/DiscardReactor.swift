package import ActorCore

/// Takes everything and does nothing with it: what remains is the execution's record.
package actor DiscardReactor: ConfiguredReactor {
    package static let settings = ReactorSettings()

    package init() {}

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {}
}
