/// What a job runs: the part of a Kubernetes Job that the daemon acts on, checked.
package struct JobSpec: Sendable, Equatable {
    /// One program to run, as a job file names it.
    package struct Container: Sendable, Equatable {
        package var name: String
        package var image: String
        package var command: [String]
        package var args: [String]
        package var env: [EnvironmentEntry]
        /// Absolute; nil for the job's work folder.
        package var workingDir: String?
        package var resources: JobResources

        package init(
            name: String, image: String, command: [String] = [], args: [String] = [], env: [EnvironmentEntry] = [],
            workingDir: String? = nil, resources: JobResources = JobResources()
        ) {
            self.name = name
            self.image = image
            self.command = command
            self.args = args
            self.env = env
            self.workingDir = workingDir
            self.resources = resources
        }
    }

    /// Run one after another, before the others.
    package var initContainers: [Container]
    /// Run together; never empty.
    package var containers: [Container]
    /// Seconds that the whole job may take; nil for no limit.
    package var activeDeadlineSeconds: Int?
    /// How often a failed try is followed by another.
    package var backoffLimit: Int
    /// What runs it, as the job file or the house says; nil in messages of before there was a choice.
    package var executor: String?
    /// Seconds after its end that an engine keeps what it knows of it.
    package var ttlSecondsAfterFinished: Int?
    /// Annotations `reactord/…` that an engine takes, without that prefix.
    package var options: [String: String] = [:]
    /// The whole job file, for engines that take it as it is.
    package var manifest: JSONValue?

    package init(
        initContainers: [Container] = [], containers: [Container], activeDeadlineSeconds: Int? = nil,
        backoffLimit: Int = 0
    ) {
        self.initContainers = initContainers
        self.containers = containers
        self.activeDeadlineSeconds = activeDeadlineSeconds
        self.backoffLimit = backoffLimit
    }
}

extension JobSpec {
    /// Its file is a Workflow of Argo, which Argo takes as it is.
    package var isWorkflow: Bool { manifest?["kind"]?.string == "Workflow" }

    /// As it travels from the ingest to the job runner.
    package var json: JSONValue {
        var value: JSONValue = [
            "initContainers": .array(initContainers.map(\.json)), "containers": .array(containers.map(\.json)),
            "backoffLimit": JSONValue(backoffLimit),
        ]
        if let activeDeadlineSeconds {
            value = value.setting("activeDeadlineSeconds", JSONValue(activeDeadlineSeconds))
        }
        if let executor { value = value.setting("executor", .string(executor)) }
        if let ttlSecondsAfterFinished {
            value = value.setting("ttlSecondsAfterFinished", JSONValue(ttlSecondsAfterFinished))
        }
        if !options.isEmpty {
            let members = options.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value)) }
            value = value.setting("options", .object(members))
        }
        if let manifest { value = value.setting("manifest", manifest) }
        return value
    }

    /// Throws the JSON pointer of what is wrong.
    package init(json: JSONValue, at place: String) throws(ReactorFailure) {
        self.initContainers = try Self.containers(json["initContainers"] ?? [], at: "\(place)/initContainers")
        self.containers = try Self.containers(json["containers"] ?? [], at: "\(place)/containers")
        self.activeDeadlineSeconds = json["activeDeadlineSeconds"]?.int
        self.backoffLimit = max(0, json["backoffLimit"]?.int ?? 0)
        self.executor = json["executor"]?.string
        self.ttlSecondsAfterFinished = json["ttlSecondsAfterFinished"]?.int
        for member in json["options"]?.object ?? [] { self.options[member.name] = member.value.string }
        self.manifest = json["manifest"]
        // What a Workflow runs stands in its templates.
        guard !containers.isEmpty || isWorkflow else {
            throw ReactorFailure(.refused, "\(place)/containers: a job needs at least one container")
        }
    }

    private static func containers(_ json: JSONValue, at place: String) throws(ReactorFailure) -> [Container] {
        guard let items = json.array else { throw ReactorFailure(.refused, "\(place): must be a list") }
        var containers: [Container] = []
        for (index, item) in items.enumerated() {
            guard let container = Container(json: item) else {
                throw ReactorFailure(
                    .refused, "\(place)/\(index): a container has a name, an image, command, args and env")
            }
            containers.append(container)
        }
        return containers
    }
}

extension JobSpec.Container {
    fileprivate var json: JSONValue {
        var value: JSONValue = [
            "name": .string(name), "image": .string(image), "command": .array(command.map { .string($0) }),
            "args": .array(args.map { .string($0) }),
            "env": .array(env.map { ["name": .string($0.name), "value": .string($0.value)] }),
        ]
        if let workingDir { value = value.setting("workingDir", .string(workingDir)) }
        if !resources.isEmpty { value = value.setting("resources", resources.json) }
        return value
    }

    fileprivate init?(json: JSONValue) {
        guard let name = json["name"]?.string, let image = json["image"]?.string,
            let command = Self.texts(json["command"]), let args = Self.texts(json["args"])
        else { return nil }
        var env: [EnvironmentEntry] = []
        for entry in json["env"]?.array ?? [] {
            guard let name = entry["name"]?.string else { return nil }
            env.append(EnvironmentEntry(name, entry["value"]?.string ?? ""))
        }
        self.init(
            name: name, image: image, command: command, args: args, env: env, workingDir: json["workingDir"]?.string,
            resources: JobResources(json: json["resources"] ?? .null))
    }

    private static func texts(_ json: JSONValue?) -> [String]? {
        guard let json, !json.isNull else { return [] }
        let texts = json.array?.compactMap(\.string)
        return texts?.count == json.array?.count ? texts : nil
    }
}

extension JobResources {
    fileprivate var json: JSONValue {
        .object(
            [
                ("cpu_millis", cpuMillis), ("memory_bytes", memoryBytes), ("gpus", gpus),
                ("cpu_limit_millis", cpuLimitMillis), ("memory_limit_bytes", memoryLimitBytes),
            ].compactMap { name, amount in amount.map { JSONValue.Member(name, .int($0)) } })
    }

    fileprivate init(json: JSONValue) {
        func amount(_ name: String) -> Int64? { json[name]?.int.map { Int64($0) } }
        self.init(cpuMillis: amount("cpu_millis"), memoryBytes: amount("memory_bytes"), gpus: amount("gpus"))
        cpuLimitMillis = amount("cpu_limit_millis")
        memoryLimitBytes = amount("memory_limit_bytes")
    }
}
