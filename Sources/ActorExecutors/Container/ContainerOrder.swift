import ActorCore

/// What an engine is asked to make of a work order, within what the administrator allows. Pure.
struct ContainerOrder {
    enum Label {
        static let instance = "reactord.instance"
        static let work = "reactord.work"
        /// Where in its log file the output of this container begins.
        static let logOffset = "reactord.log-offset"
    }

    let settings: ContainerExecutorSettings

    /// The same for the same id, and nobody else's: a second container of it cannot be made.
    func name(_ id: String) -> String { "reactord-\(settings.instance)-\(id)" }

    // MARK: What is allowed

    func check(_ work: Work) throws(ActorError) {
        guard let image = work.image, !image.isEmpty else {
            throw refusal("a container needs an image: name one, or use the process executor")
        }
        let isPlain = image.utf8.allSatisfy { NameRules.isAlphanumeric($0) || "-_.:/@".utf8.contains($0) }
        guard isPlain, image.utf8.count <= 500, NameRules.isAlphanumeric(image.utf8.first ?? 0) else {
            throw refusal("\"\(image.prefix(100))\" is not the name of an image")
        }
        guard settings.images.contains(where: { Self.matches($0, image) }) else {
            throw refusal(
                "image \(image) may not be run here; the administrator can add it to executors.container.allow_images")
        }
        if let network = work.network, network != settings.network, !settings.networks.contains(network) {
            throw refusal(
                "network \(network) may not be used here; the administrator can add it to "
                    + "executors.container.allow_networks")
        }
        for mount in work.mounts { try check(mount) }
    }

    private func check(_ mount: WorkMount) throws(ActorError) {
        for path in [mount.host, mount.inside] {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            guard path.hasPrefix("/"), !path.utf8.contains(0), !parts.contains("..") else {
                throw refusal("the mount \(mount.host) has to be an absolute path without ..")
            }
        }
        let allowed = settings.mounts.filter { mount.host == $0.path || mount.host.hasPrefix($0.path + "/") }
        guard !allowed.isEmpty else {
            throw refusal(
                "\(mount.host) may not be mounted here; the administrator can add it to executors.container.mounts")
        }
        guard mount.isReadOnly || allowed.contains(where: \.isWritable) else {
            throw refusal(
                "\(mount.host) may be mounted for reading only; the administrator can add "
                    + "\"\(mount.host):rw\" to executors.container.mounts")
        }
    }

    private func refusal(_ message: String) -> ActorError { ActorError(.invalidInput, message) }

    static func matches(_ pattern: String, _ name: String) -> Bool {
        if pattern == "*" || pattern == name { return true }
        if pattern.hasSuffix("*") { return name.hasPrefix(pattern.dropLast()) }
        if pattern.hasPrefix("*") { return name.hasSuffix(pattern.dropFirst()) }
        return false
    }

    // MARK: What is made

    /// The body of `POST /containers/create`.
    func body(_ work: Work, logOffset: Int) -> JSONValue {
        var body: JSONValue = [
            "Image": .string(work.image ?? ""), "Env": .array(environment(work).map { .string($0) }),
            "WorkingDir": .string(work.workingDirectory), "Tty": false, "OpenStdin": false, "AttachStdin": false,
            "AttachStdout": false, "AttachStderr": false, "Labels": labels(work, logOffset),
            "HostConfig": host(work),
        ]
        if !work.command.isEmpty { body = body.setting("Entrypoint", .array(work.command.map { .string($0) })) }
        // An empty list takes the image's own arguments away, as it must when its entry point is replaced.
        if !work.command.isEmpty || !work.arguments.isEmpty {
            body = body.setting("Cmd", .array(work.arguments.map { .string($0) }))
        }
        if let user = work.user ?? settings.user { body = body.setting("User", .string(user)) }
        if network(work) == "none" { body = body.setting("NetworkDisabled", true) }
        return body
    }

    private func network(_ work: Work) -> String { work.network ?? settings.network }

    private func environment(_ work: Work) -> [String] {
        var values: [String: String] = [:]
        var order: [String] = []
        for entry in work.environment where values.updateValue(entry.value, forKey: entry.name) == nil {
            order.append(entry.name)
        }
        if settings.pythonPath != nil {
            if values["PYTHONPATH"] == nil { order.append("PYTHONPATH") }
            let own = values["PYTHONPATH"] ?? ""
            values["PYTHONPATH"] = own.isEmpty ? Self.python : "\(own):\(Self.python)"
        }
        return order.map { "\($0)=\(values[$0] ?? "")" }
    }

    private static var python: String { ContainerExecutorSettings.pythonInside }

    private func labels(_ work: Work, _ logOffset: Int) -> JSONValue {
        var members = [
            JSONValue.Member(Label.instance, .string(settings.instance)),
            JSONValue.Member(Label.work, .string(work.id)),
            JSONValue.Member(Label.logOffset, .string(String(logOffset))),
        ]
        for label in work.labels { members.append(JSONValue.Member("reactord.\(label.name)", .string(label.value))) }
        return .object(members)
    }

    private func host(_ work: Work) -> JSONValue {
        var host: JSONValue = [
            "AutoRemove": false, "NetworkMode": .string(network(work)), "Privileged": false,
            "SecurityOpt": ["no-new-privileges"], "CapDrop": ["ALL"],
            "CapAdd": .array(settings.capabilities.map { .string($0) }), "PidsLimit": JSONValue(settings.pidsLimit),
            "RestartPolicy": ["Name": "no"], "Mounts": .array(mounts(work)),
            // The engine's own copy of the output is bounded too.
            "LogConfig": [
                "Type": "json-file",
                "Config": [
                    "max-size": .string(String(max(65536, 2 * work.maxLogBytes))), "max-file": "2",
                ],
            ],
            "Ulimits": .array(
                settings.ulimits.sorted { $0.key < $1.key }.map {
                    ["Name": .string($0.key), "Soft": JSONValue($0.value), "Hard": JSONValue($0.value)]
                }),
        ]
        if let bytes = memory(work) {
            // As much with swap as without: none of it.
            host = host.setting("Memory", .int(bytes)).setting("MemorySwap", .int(bytes))
        }
        if let millis = work.cpuMillis ?? settings.cpuMillis {
            host = host.setting("NanoCpus", .int(min(millis, Int64.max / 1_000_000) * 1_000_000))
        }
        if let runtime = settings.runtime { host = host.setting("Runtime", .string(runtime)) }
        return host
    }

    func memory(_ work: Work) -> Int64? { work.memoryBytes ?? settings.memoryBytes }

    /// One mount for each place inside; the first that claims it.
    private func mounts(_ work: Work) -> [JSONValue] {
        var all = work.folders + work.mounts
        if let path = settings.pythonPath {
            all.append(WorkMount(host: path, inside: Self.python, isReadOnly: true))
        }
        var taken: Set<String> = []
        return all.filter { taken.insert($0.inside).inserted }.map { mount in
            [
                "Type": "bind", "Source": .string(mount.host), "Target": .string(mount.inside),
                "ReadOnly": .bool(mount.isReadOnly),
            ]
        }
    }
}
