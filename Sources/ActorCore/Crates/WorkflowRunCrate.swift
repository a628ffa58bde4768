/// One job as a Workflow Run RO-Crate: what `ro-crate-metadata.json` says of a folder with `pipeline.json` (the
/// pipeline as it is registered), `job.json` (the job and its history) and the job's outputs below `files/`.
///
/// RO-Crate 1.1, with the profiles Process Run Crate 0.5, Workflow Run Crate 0.5 and Workflow RO-Crate 1.0.
package struct WorkflowRunCrate: Sendable {
    package static let metadataFile = "ro-crate-metadata.json"
    package static let pipelineFile = "pipeline.json"
    package static let jobFile = "job.json"
    package static let filesFolder = "files/"
    /// More do not fit into one document that people can open.
    package static let maxFiles = 50_000

    /// The run, as its history tells it.
    package struct Run: Sendable, Equatable {
        package var started: Timestamp?
        package var ended: Timestamp?
        /// What the last `fail` said.
        package var failure: String?

        package init(_ history: [JobHistoryEntry]) {
            for entry in history where entry.refusal == nil {
                switch PipelineJobEvent(rawValue: entry.name.lowercased()) {
                case .run where started == nil: started = entry.date
                case .finish: ended = entry.date
                case .fail:
                    ended = entry.date
                    failure =
                        ["reason", "error", "message", "note"].lazy
                        .compactMap { entry.data[$0]?.string }.first ?? "the job has failed"
                case .reset:
                    started = nil
                    ended = nil
                    failure = nil
                default: continue
                }
            }
        }
    }

    private static let profiles = [
        ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
        ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
        ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"),
    ]

    package let job: JobRecord
    package let run: Run
    /// Nil when the pipeline was never registered.
    package let pipeline: PipelineRecord?
    package let parents: [String]
    package let files: [JobFileRecord]
    /// The URI of the licence of the outputs; nil when nobody said.
    package let license: String?
    /// Where the job can be read: a URL of this daemon.
    package let url: String
    /// Where its pipeline can be read.
    package let pipelineURL: String

    package init(
        job: JobRecord, history: [JobHistoryEntry], pipeline: PipelineRecord?, parents: [String],
        files: [JobFileRecord], license: String?, url: String, pipelineURL: String
    ) {
        self.job = job
        self.run = Run(history)
        self.pipeline = pipeline
        self.parents = parents
        self.files = files
        self.license = license
        self.url = url
        self.pipelineURL = pipelineURL
    }

    private var pipelineName: String {
        pipeline.map(\.name).flatMap { $0.isEmpty ? nil : $0 } ?? job.pipeline.rawValue
    }
    private var runID: String { "#run-\(job.uuid)" }
    private var agentID: String { "#agent-\(PercentText.escaped(job.owner))" }
    private var licenseID: String { license ?? "#licence" }

    package var metadata: JSONValue {
        let entities =
            [descriptor, root] + Self.profiles.map(Self.profile) + [workflow, Self.language, action, agent, jobEntity]
            + parameters.flatMap { [$0.formal, $0.value] } + files.map(entity)
            + [licenseEntity] + parents.map(Self.parent)
        return [
            "@context": [
                "https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context",
            ],
            "@graph": .array(entities),
        ]
    }

    private var descriptor: JSONValue {
        [
            "@id": .string(Self.metadataFile), "@type": "CreativeWork", "about": Self.reference("./"),
            "conformsTo": [
                Self.reference("https://w3id.org/ro/crate/1.1"),
                Self.reference("https://w3id.org/workflowhub/workflow-ro-crate/1.0"),
            ],
        ]
    }

    private var root: JSONValue {
        let parts = [Self.pipelineFile, Self.jobFile] + files.map(Self.id)
        return [
            "@id": "./", "@type": "Dataset", "name": .string("Run of \(pipelineName): \(job.session)"),
            "description": .string(
                "Inputs, outputs and history of PipelineJob \(job.uuid), as the job catalogue of a reactord recorded it"
            ),
            "datePublished": Self.moment(run.ended ?? job.updated), "license": Self.reference(licenseID),
            "author": Self.reference(agentID),
            "identifier": .string(url), "conformsTo": .array(Self.profiles.map { Self.reference($0.0) }),
            "hasPart": .array(parts.map(Self.reference)), "mainEntity": Self.reference(Self.pipelineFile),
            "mentions": [Self.reference(runID)],
        ]
    }

    private static func profile(_ profile: (uri: String, name: String, version: String)) -> JSONValue {
        [
            "@id": .string(profile.uri), "@type": "CreativeWork", "name": .string(profile.name),
            "version": .string(profile.version),
        ]
    }

    private var workflow: JSONValue {
        [
            "@id": .string(Self.pipelineFile), "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": .string(pipelineName), "identifier": .string(job.pipeline.rawValue), "url": .string(pipelineURL),
            "version": .string("\(pipeline?.revision ?? 0)"),
            "conformsTo": Self.reference("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
            "programmingLanguage": Self.reference("#reactord-pipeline"), "encodingFormat": "application/json",
            "input": .array(parameters.map { Self.reference($0.id) }), "output": [],
        ]
    }

    private static let language: JSONValue = [
        "@id": "#reactord-pipeline", "@type": "ComputerLanguage", "name": "PipelineJobs pipeline",
        "description": "A set of components (apps, actors, containers, services) whose runs are PipelineJobs",
        "url": "https://github.com/SD2E/python-datacatalog", "identifier": "https://github.com/SD2E/python-datacatalog",
    ]

    private var action: JSONValue {
        let used = parameters.map { Self.reference($0.valueID) } + parents.map { Self.reference("urn:uuid:\($0)") }
        let action: JSONValue = [
            "@id": .string(runID), "@type": "CreateAction", "name": .string("Run of \(pipelineName)"),
            "description": .string("PipelineJob \(job.uuid), \(job.session): \(job.status.rawValue)"),
            "instrument": Self.reference(Self.pipelineFile), "agent": Self.reference(agentID),
            "object": .array(used), "result": .array(files.map { Self.reference(Self.id($0)) }),
            "startTime": run.started.map(Self.moment) ?? .null, "endTime": run.ended.map(Self.moment) ?? .null,
            "actionStatus": .string("http://schema.org/\(actionStatus)"), "error": JSONValue(run.failure),
            "subjectOf": Self.reference(Self.jobFile),
        ]
        return .object((action.object ?? []).filter { !$0.value.isNull })
    }

    private var actionStatus: String {
        if run.failure != nil || job.status == .failed { return "FailedActionStatus" }
        switch job.status {
        case .created, .reset: return "PotentialActionStatus"
        case .running: return "ActiveActionStatus"
        default: return "CompletedActionStatus"
        }
    }

    private var agent: JSONValue {
        ["@id": .string(agentID), "@type": "Person", "name": .string(job.owner)]
    }

    private var jobEntity: JSONValue {
        [
            "@id": .string(Self.jobFile), "@type": "File", "name": "The job and its history",
            "encodingFormat": "application/json", "about": Self.reference(runID),
        ]
    }

    private var licenseEntity: JSONValue {
        if let license { return ["@id": .string(license), "@type": "CreativeWork", "name": .string(license)] }
        return [
            "@id": "#licence", "@type": "CreativeWork", "name": "No licence given",
            "description": "Nobody said under which licence these files may be used: ask their owner",
        ]
    }

    /// Another job, an experiment, a sample: known by its UUID only.
    private static func parent(_ uuid: String) -> JSONValue {
        ["@id": .string("urn:uuid:\(uuid)"), "@type": "CreativeWork", "name": .string(uuid)]
    }

    /// With an offset: the profile's own checks know no Z.
    private static func moment(_ moment: Timestamp) -> JSONValue { .string("\(moment.iso8601.dropLast())+00:00") }

    // MARK: Parameters

    private struct Parameter {
        let id: String
        let valueID: String
        let formal: JSONValue
        let value: JSONValue
    }

    /// The members of the job's `data`.
    private var parameters: [Parameter] {
        (job.data.object ?? []).map { member in
            let name = PercentText.escaped(member.name)
            let formal: JSONValue = [
                "@id": .string("#param-\(name)"), "@type": "FormalParameter", "name": .string(member.name),
                "additionalType": .string(Self.type(of: member.value)),
                "workExample": Self.reference("#value-\(name)"),
                "conformsTo": Self.reference("https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"),
            ]
            let value: JSONValue = [
                "@id": .string("#value-\(name)"), "@type": "PropertyValue", "name": .string(member.name),
                "value": Self.text(member.value), "exampleOfWork": Self.reference("#param-\(name)"),
            ]
            return Parameter(id: "#param-\(name)", valueID: "#value-\(name)", formal: formal, value: value)
        }
    }

    private static func type(of value: JSONValue) -> String {
        switch value {
        case .bool: "Boolean"
        case .int: "Integer"
        case .double: "Float"
        default: "Text"
        }
    }

    /// JSON-LD takes no nested values here.
    private static func text(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string, .bool, .int, .double: value
        default: .string(JSONWriter.string(value))
        }
    }

    // MARK: Files

    private func entity(_ file: JobFileRecord) -> JSONValue {
        let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
        let entity: JSONValue = [
            "@id": .string(Self.id(file)), "@type": "File", "name": .string(name),
            "contentSize": .string(String(file.bytes)), "sha256": .string(file.sha256),
            "dateModified": .string(file.modified.iso8601), "encodingFormat": JSONValue(MediaType.guess(name)),
        ]
        return .object((entity.object ?? []).filter { !$0.value.isNull })
    }

    /// Relative, percent-encoded: what a crate reader opens below its folder.
    private static func id(_ file: JobFileRecord) -> String {
        filesFolder
            + file.path.split(separator: "/", omittingEmptySubsequences: false).map { PercentText.escaped(String($0)) }
            .joined(separator: "/")
    }

    private static func reference(_ id: String) -> JSONValue { ["@id": .string(id)] }
}

/// The media type of a file, by the end of its name.
package enum MediaType {
    private static let types: [String: String] = [
        "json": "application/json", "csv": "text/csv", "tsv": "text/tab-separated-values", "txt": "text/plain",
        "log": "text/plain", "md": "text/markdown", "html": "text/html", "xml": "application/xml",
        "yaml": "application/yaml", "yml": "application/yaml", "pdf": "application/pdf", "png": "image/png",
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "svg": "image/svg+xml", "tif": "image/tiff",
        "tiff": "image/tiff", "gz": "application/gzip", "zip": "application/zip", "tar": "application/x-tar",
        "h5": "application/x-hdf5", "hdf5": "application/x-hdf5", "py": "text/x-python",
    ]

    /// Nil when the ending says nothing.
    package static func guess(_ name: String) -> String? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return types[name[name.index(after: dot)...].lowercased()]
    }
}
