package import ActorCore

/// Has the bucket that is an inbox looked at when its store says that an object has come: at once rather than at the
/// next poll. The listing is what counts: an event that is lost, late, doubled or invented changes nothing.
package actor BucketEventsReactor: ConfiguredReactor {
    package static let settings = ReactorSettings()

    private let ring: @Sendable () -> Void

    package init(tools: ReactorTools) { ring = tools.ringBucket }

    package func receive(_ envelope: Envelope, _ context: any ReactorContext) async throws {
        let created = try BucketEvent.decode(envelope.json).filter { $0.name.hasPrefix("ObjectCreated") }
        if let address = BucketEvent.confirmation(envelope.json) {
            context.log(.warning, "SNS sends nothing until this address was opened: \(address)")
        }
        if !created.isEmpty { ring() }
        context.log(.debug, "\(created.count) objects were announced")
        context.reply(["objects": JSONValue(created.count)])
    }
}
