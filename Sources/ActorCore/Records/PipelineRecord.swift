/// A registered set of components that jobs are runs of (PipelineJobs, section 7).
package struct PipelineRecord: Sendable, Equatable {
    package let uuid: PipelineID
    /// The second generation's own id of it, `tacc/tacobot:9000`; empty in the first.
    package var id: String
    package var name: String
    package var generation: JobGeneration
    package var description: String
    /// As they were registered.
    package let components: JSONValue
    /// What else its document says: `accepts`, `produces`, `processing_levels`, … An object.
    package var details: JSONValue
    /// How its jobs are treated: `machine`, `token_events`, … An object; each part of the daemon reads its own keys.
    package var settings: JSONValue
    /// False: it takes no new jobs.
    package var isEnabled: Bool
    package var owner: String
    /// What updates must show, and what it was hashed with; empty where nobody registered it.
    package var token: String
    package var salt: String
    package var created: Timestamp
    package var updated: Timestamp
    /// Counts changes; a change names the revision it was decided on.
    package var revision: Int

    package init(
        uuid: PipelineID, id: String = "", name: String, generation: JobGeneration = .first, description: String = "",
        components: JSONValue, details: JSONValue = [:], settings: JSONValue = [:], isEnabled: Bool = true,
        owner: String = "", token: String = "", salt: String = "", created: Timestamp, updated: Timestamp? = nil,
        revision: Int = 0
    ) {
        self.uuid = uuid
        self.id = id
        self.name = name
        self.generation = generation
        self.description = description
        self.components = components
        self.details = details
        self.settings = settings
        self.isEnabled = isEnabled
        self.owner = owner
        self.token = token
        self.salt = salt
        self.created = created
        self.updated = updated ?? created
        self.revision = revision
    }
}
