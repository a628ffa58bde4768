/// What one `actors/<name>/actor.yml` means: an address, how its messages are run, and within which bounds.
package struct ActorSpec: Sendable, Equatable {
    package var id: ActorID
    package var tenant: String
    /// The alias; also the folder's name.
    package var name: String
    package var description: String
    package var run: RunSpec
    /// `process`, `container`, …; nil takes the configured default.
    package var executor: String?
    package var stateless: Bool
    package var maxWorkers: Int
    package var retry: RetryPolicy
    package var timeoutSeconds: Int
    package var environment: [EnvironmentEntry]
    /// Names of secrets that it may see; nothing else of `secrets.json` reaches it.
    package var secrets: [String]
    /// Names of the secrets of which one must have signed every message that comes over HTTP; empty asks for none.
    package var webhookSecrets: [String] = []
    package var schedule: Schedule?
    /// What happens to a due moment while the run before it has not ended.
    package var overlap: OverlapPolicy
    /// Messages that it may have waiting; nil takes the general bound.
    package var maxMailbox: Int?
    package var link: String?
    package var owner: String
    /// The actor's own settings: its `config.yml` with secrets filled in.
    package var settings: JSONValue
    /// The folder that declares it, absolute; nil for an actor made over HTTP.
    package var folder: String?
    /// What an accepted message must satisfy: JSON text of each schema; one match is enough. Empty accepts all.
    package var schemas: [SchemaSource]
    package var created: Timestamp
    package var updated: Timestamp
    /// Counts up whenever what runs changes.
    package var revision: Int
    /// What it was made of over HTTP; nil for an actor that a folder declares.
    package var definition: ActorDefinition? {
        get { made?.definition }
        set { made = newValue.map(Made.init) }
    }
    private var made: Made?
    /// Levels by user, beyond those that its owner and admins have.
    package var grants: [String: PermissionLevel] = [:]

    package init(
        id: ActorID, tenant: String, name: String, description: String = "", run: RunSpec, executor: String? = nil,
        stateless: Bool = true, maxWorkers: Int = 1, retry: RetryPolicy = RetryPolicy(), timeoutSeconds: Int = 3600,
        environment: [EnvironmentEntry] = [], secrets: [String] = [], schedule: Schedule? = nil,
        overlap: OverlapPolicy = .skip, maxMailbox: Int? = nil, link: String? = nil, owner: String,
        settings: JSONValue = .object([]), folder: String? = nil,
        schemas: [SchemaSource] = [], created: Timestamp, updated: Timestamp, revision: Int = 1
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.description = description
        self.run = run
        self.executor = executor
        self.stateless = stateless
        self.maxWorkers = maxWorkers
        self.retry = retry
        self.timeoutSeconds = timeoutSeconds
        self.environment = environment
        self.secrets = secrets
        self.schedule = schedule
        self.overlap = overlap
        self.maxMailbox = maxMailbox
        self.link = link
        self.owner = owner
        self.settings = settings
        self.folder = folder
        self.schemas = schemas
        self.created = created
        self.updated = updated
        self.revision = revision
    }

    /// What people call it: its name, or its id when it was made without one.
    package var title: String { name.isEmpty ? id.rawValue : name }

    /// Whether a folder's actor.yml says what this variable is, itself or as a secret: no message may say otherwise.
    package func keeps(_ variable: String) -> Bool {
        definition == nil && (secrets.contains(variable) || environment.contains { $0.name == variable })
    }

    /// How many of its messages may run at once: one, unless it is stateless.
    package var concurrency: Int { stateless ? max(1, maxWorkers) : 1 }
}

/// Behind a reference: an actor is passed around with every message, and this is much that few messages ask for.
private final class Made: Sendable, Equatable {
    let definition: ActorDefinition

    init(_ definition: ActorDefinition) { self.definition = definition }

    static func == (left: Made, right: Made) -> Bool {
        left === right || left.definition == right.definition
    }
}

/// How an actor runs.
package enum RunSpec: Sendable, Equatable {
    /// A Reactor of the catalogue, by name.
    case builtin(String)
    /// A local command: program and arguments, never a shell line.
    case command([String])
    /// A container image, or a name that `executors.process.images` maps to a local command.
    case image(String)

    /// The image as old clients show it.
    package var image: String {
        switch self {
        case .builtin(let name): "builtin/\(name)"
        case .command(let words): words.joined(separator: " ")
        case .image(let name): name
        }
    }
}

/// One JSON schema of an actor, with the file it came from.
package struct SchemaSource: Sendable, Equatable {
    package let file: String
    package let text: [UInt8]
    /// Somebody sent it over HTTP: it may not be what makes messages slow to check.
    package let isForeign: Bool

    package init(file: String, text: [UInt8], isForeign: Bool = false) {
        self.file = file
        self.text = text
        self.isForeign = isForeign
    }
}

/// One variable of an environment; order is kept, a later one of the same name wins.
package struct EnvironmentEntry: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
