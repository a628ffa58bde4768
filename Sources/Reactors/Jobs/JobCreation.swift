package import ActorCore

/// What a request for a job says, both generations' spellings of it; also what `dry_run` and `job identify` take.
package struct JobCreation: Sendable, Equatable {
    package var pipeline: PipelineID
    /// Nil: as the pipeline is registered.
    package var generation: JobGeneration?
    package var data: JSONValue?
    package var archivePath: String?
    package var isInstanced = false
    package var session: String?
    package var childOf: [String]?
    package var subject = JobSubject()
    package var notify: ActorID?
    package var actor: ActorID?
    package var execution: ExecutionID?
    package var tokenEvents: [PipelineJobEvent]?
    /// Which of its files go into the catalogue: archive patterns, then product patterns; each was read once.
    package var filters: [JSONValue] = []
    /// Answers what the job would be, and makes none.
    package var isDryRun = false
    /// The moment that the instance directory is named by; of a dry run only.
    package var time: Timestamp?

    package init(pipeline: PipelineID) { self.pipeline = pipeline }

    /// The generation of a job whose pipeline nobody has registered: its UUID tells.
    package static func generation(of pipeline: PipelineID) -> JobGeneration {
        pipeline.rawValue.hasPrefix(TypedUUID.pipeline) ? .second : .first
    }

    // MARK: Reading

    /// Whether `json` asks for a job rather than telling an event.
    package static func isOne(_ json: JSONValue) -> Bool {
        guard let members = json.object, json["pipeline_uuid"] != nil || json["components"] != nil else { return false }
        return members.allSatisfy { JobFields.creation.contains($0.name) }
    }

    package init(json: JSONValue) throws(ReactorFailure) {
        let reader = Reader(json: json)
        let generation = try reader.generation()
        self.init(pipeline: try reader.pipeline(generation))
        self.generation = generation
        if let data = reader.value("data") {
            guard data.object != nil else { throw Self.refusal("data", "must be an object") }
            self.data = data
        }
        archivePath = try reader.text("archive_path", "must be a path of plain names, at most 16 deep, without `..`") {
            ArchivePath.isAcceptable($0) ? $0 : nil
        }
        isInstanced = try reader.flag("instanced")
        isDryRun = try reader.flag("dry_run")
        session = try reader.text("session", "must be letters, digits, `.`, `_` and `-`, at most 128") {
            Self.isSession($0) ? $0 : nil
        }
        notify = try reader.hashid("notify").map(ActorID.init)
        actor = try reader.hashid("actor_id").map(ActorID.init)
        execution = try reader.hashid("execution_id").map(ExecutionID.init)
        tokenEvents = try reader.events("token_events")
        filters = try reader.filters("archive_patterns") + reader.filters("product_patterns")
        time = try reader.text("time", "must be a moment like 2018-09-13T16:28:43Z", Timestamp.init(iso8601:))
        try readSubject(reader)
    }

    private mutating func readSubject(_ reader: Reader) throws(ReactorFailure) {
        childOf = try reader.parents()
        subject = JobSubject(
            lab: try reader.name("lab"), experiment: try reader.name("experiment"),
            measurement: try reader.name("measurement"), sample: try reader.name("sample"))
        guard (generation ?? Self.generation(of: pipeline)) == .first else {
            if childOf == nil { childOf = try reader.namedParents() }
            return
        }
        // A path of the first generation begins with both, or with neither.
        if subject.lab == nil, subject.experiment != nil { throw Self.refusal("lab", "lab_name must be specified") }
        if subject.lab != nil, subject.experiment == nil {
            throw Self.refusal("experiment", "experiment_reference must be specified")
        }
    }

    private static func isSession(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { NameRules.isAlphanumeric($0) || Array("._-".utf8).contains($0) }
            && text.utf8.first.map(NameRules.isAlphanumeric) ?? false
    }

    fileprivate static func refusal(_ place: String, _ problem: String) -> ReactorFailure {
        ReactorFailure(.refused, "\(place): \(problem)")
    }
}

/// Looks fields up by any of their spellings; null counts as left out.
private struct Reader {
    let json: JSONValue

    func value(_ field: String) -> JSONValue? {
        for name in JobFields.names(of: field) {
            if let value = json[name], !value.isNull { return value }
        }
        return nil
    }

    func text<Value>(
        _ field: String, _ rule: String, _ read: (String) -> Value?
    ) throws(ReactorFailure) -> Value? {
        guard let value = value(field) else { return nil }
        guard let found = value.string.flatMap(read) else { throw JobCreation.refusal(field, rule) }
        return found
    }

    func flag(_ field: String) throws(ReactorFailure) -> Bool {
        guard let value = value(field) else { return false }
        guard let flag = value.bool else { throw JobCreation.refusal(field, "must be true or false") }
        return flag
    }

    func hashid(_ field: String) throws(ReactorFailure) -> String? {
        try text(field, "must be an id of the actors API, like e5QKEW8L0BeZ4") {
            Hashids.abaco.decode($0) == nil ? nil : $0
        }
    }

    func name(_ field: String) throws(ReactorFailure) -> String? {
        try text(field, "must be a text of 1 to 512 characters") { (1...512).contains($0.utf8.count) ? $0 : nil }
    }

    func generation() throws(ReactorFailure) -> JobGeneration? {
        guard let value = value("generation") else { return nil }
        guard let generation = (value.int ?? value.string.flatMap(Int.init)).flatMap(JobGeneration.init) else {
            throw JobCreation.refusal("generation", "must be 1 or 2")
        }
        return generation
    }

    func filters(_ field: String) throws(ReactorFailure) -> [JSONValue] {
        try value(field).map { value throws(ReactorFailure) in try PipelineTreatment.filters(value, at: field) } ?? []
    }

    func events(_ field: String) throws(ReactorFailure) -> [PipelineJobEvent]? {
        try value(field).map { value throws(ReactorFailure) in
            try PipelineSettings.tokenEvents(value, at: field)
        }
    }

    /// Named by its UUID, or by what it is made of.
    func pipeline(_ generation: JobGeneration?) throws(ReactorFailure) -> PipelineID {
        if let components = value("components") {
            guard let items = components.array else { throw JobCreation.refusal("components", "must be a list") }
            let id = value("pipeline_id")?.string
            return JobIdentity.pipeline(generation ?? (id == nil ? .first : .second), id: id, components: items)
        }
        guard let text = value("pipeline_uuid")?.string else {
            throw JobCreation.refusal("pipeline_uuid", "must be the UUID of a pipeline")
        }
        guard let uuid = TypedUUID.normalized(text) else {
            throw JobCreation.refusal("pipeline_uuid", "\(text.prefix(64)) is not a valid UUID5")
        }
        return PipelineID(uuid)
    }

    func parents() throws(ReactorFailure) -> [String]? {
        guard let value = value("child_of") else { return nil }
        let items = value.array ?? [value]
        let uuids = items.compactMap { $0.string.flatMap(TypedUUID.normalized) }
        guard uuids.count == items.count, items.count <= 1000 else {
            throw JobCreation.refusal("child_of", "must be a UUID or a list of at most 1000 UUIDs")
        }
        return JobIdentity.sortedUnique(uuids)
    }

    /// The first that is given of design, experiment, sample and measurement, by id or UUID (section 5.3).
    func namedParents() throws(ReactorFailure) -> [String]? {
        let kinds = [
            ("experiment_design_id", TypedUUID.experimentDesign), ("experiment", TypedUUID.experiment),
            ("sample", TypedUUID.sample), ("measurement", TypedUUID.measurement),
        ]
        for (field, kind) in kinds {
            guard let id = try name(field) else { continue }
            return [TypedUUID.normalized(id) ?? TypedUUID.make(kind, id)]
        }
        return nil
    }
}
