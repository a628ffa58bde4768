package import ActorCore

/// What a job runs: the part of a Kubernetes Job that the daemon acts on, checked.
package struct JobSpec: Sendable, Equatable {
    /// One program to run, as a job file names it.
    package struct Container: Sendable, Equatable {
        package var name: String
        package var image: String
        package var command: [String]
        package var args: [String]
        package var env: [EnvironmentEntry]

        package init(
            name: String, image: String, command: [String] = [], args: [String] = [], env: [EnvironmentEntry] = []
        ) {
            self.name = name
            self.image = image
            self.command = command
            self.args = args
            self.env = env
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
    /// As it travels from the ingest to the job runner.
    package var json: JSONValue {
        var value: JSONValue = [
            "initContainers": .array(initContainers.map(\.json)), "containers": .array(containers.map(\.json)),
            "backoffLimit": JSONValue(backoffLimit),
        ]
        if let activeDeadlineSeconds {
            value = value.setting("activeDeadlineSeconds", JSONValue(activeDeadlineSeconds))
        }
        return value
    }

    /// Throws the JSON pointer of what is wrong.
    package init(json: JSONValue, at place: String) throws(ReactorFailure) {
        self.initContainers = try Self.containers(json["initContainers"] ?? [], at: "\(place)/initContainers")
        self.containers = try Self.containers(json["containers"] ?? [], at: "\(place)/containers")
        self.activeDeadlineSeconds = json["activeDeadlineSeconds"]?.int
        self.backoffLimit = max(0, json["backoffLimit"]?.int ?? 0)
        guard !containers.isEmpty else {
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
        [
            "name": .string(name), "image": .string(image), "command": .array(command.map { .string($0) }),
            "args": .array(args.map { .string($0) }),
            "env": .array(env.map { ["name": .string($0.name), "value": .string($0.value)] }),
        ]
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
        self.init(name: name, image: image, command: command, args: args, env: env)
    }

    private static func texts(_ json: JSONValue?) -> [String]? {
        guard let json, !json.isNull else { return [] }
        let texts = json.array?.compactMap(\.string)
        return texts?.count == json.array?.count ? texts : nil
    }
}
