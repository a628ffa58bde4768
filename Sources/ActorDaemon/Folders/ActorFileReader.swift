import ActorCore

/// Knows every key of `actor.yml`: its type, its bounds, its default.
struct ActorFileReader {
    let problems: ProblemCollector
    let context: ActorFolderLoader.Context
    /// It ran by this before: what newer versions refuse does not end it.
    let isKept: Bool

    func read(_ value: JSONValue, folder: String) -> ActorSpec {
        let root = StrictMapping(value, at: "", problems)
        let name = root.text("name", or: folder)
        if !NameRules.isAlias(name) {
            report(
                root, "name",
                "\"\(name.prefix(64))\" cannot be a name: letters, digits and ._-~ only, "
                    + "no reserved word, nothing that reads as an id")
        }
        let zero = Timestamp(milliseconds: 0)
        var spec = ActorSpec(
            id: id(root), tenant: context.tenant, name: name, run: run(root.mapping("run"), root),
            owner: context.owner, created: zero, updated: zero)
        spec.description = root.text("description", or: "")
        spec.executor = executor(root)
        spec.stateless = root.flag("stateless", or: spec.stateless)
        spec.maxWorkers = root.integer("max_workers", or: spec.maxWorkers, in: 1...1000)
        if spec.maxWorkers > 1, !spec.stateless {
            report(root, "max_workers", "an actor with a state handles one message at a time; set stateless: true")
        }
        spec.retry = retry(root.mapping("retry"))
        spec.timeoutSeconds = root.integer("timeout_seconds", or: spec.timeoutSeconds, in: 1...31_536_000)
        spec.environment = environment(root.mapping("environment"))
        spec.secrets = secrets(root, "secrets")
        spec.webhookSecrets = secrets(root, "webhook_secrets")
        spec.schedule = schedule(root)
        spec.overlap = overlap(root)
        spec.maxMailbox = maxMailbox(root.mapping("limits"))
        spec.link = root.text("link")
        spec.owner = root.text("owner", or: context.owner)
        root.finish()
        return spec
    }

    private func report(_ mapping: StrictMapping, _ key: String, _ reason: String) {
        problems.report(mapping.place(key), reason)
    }

    private func id(_ root: StrictMapping) -> ActorID {
        guard let word = root.text("id") else { return ActorID("") }
        if Hashids.abaco.decode(word) == nil {
            report(root, "id", "\"\(word.prefix(64))\" is no hashid; leave id out and one is made once and kept")
        }
        return ActorID(word)
    }

    private func run(_ run: StrictMapping, _ root: StrictMapping) -> RunSpec {
        let builtin = run.text("builtin")
        let image = run.text("image")
        let command = run.texts("command")
        let kinds = ["builtin", "command", "image"].filter(run.isSet)
        run.finish()
        guard kinds.count == 1 else {
            let found = kinds.isEmpty ? "none is there" : "\(StrictMapping.list(kinds, "and")) are there"
            report(root, "run", "run takes one of {builtin: NAME}, {command: [...]} or {image: NAME}; \(found)")
            return .command([])
        }
        if let builtin {
            if let known = context.builtins, !known.contains(builtin) {
                let names = known.sorted()
                let meant = Suggestion.nearest(to: builtin, in: names).map { "; did you mean \($0)?" } ?? ""
                run.report(
                    "builtin",
                    "names no built-in reactor, \"\(builtin.prefix(64))\"\(meant) "
                        + "(there are: \(names.joined(separator: ", ")))")
            }
            return .builtin(builtin)
        }
        if let image {
            if image.isEmpty || image.contains(where: \.isWhitespace) {
                run.report("image", "takes the name of an image, without blanks")
            }
            return .image(image)
        }
        if command.first?.isEmpty ?? true, kinds == ["command"] {
            run.report("command", "takes a list: the program and its arguments, for example [python3, reactor.py]")
        }
        if command.contains(where: { $0.utf8.contains(0) }) { run.report("command", "has a NUL character in it") }
        return .command(command)
    }

    private func executor(_ root: StrictMapping) -> String? {
        guard root.isSet("executor") else {
            _ = root.value("executor")
            return nil
        }
        let chosen = root.choice("executor", or: "process", of: ExecutorSettings.available)
        if !ExecutorSettings.ofSteps.contains(chosen) {
            report(root, "executor", "\(chosen) runs jobs, not actors; use process or container")
        }
        return chosen
    }

    private func retry(_ retry: StrictMapping) -> RetryPolicy {
        let standard = RetryPolicy()
        let policy = RetryPolicy(
            attempts: retry.integer("attempts", or: standard.attempts, in: 1...1000),
            backoffSeconds: retry.number("backoff_seconds", or: standard.backoffSeconds, atLeast: 0),
            maxBackoffSeconds: retry.number("max_backoff_seconds", or: standard.maxBackoffSeconds, atLeast: 0))
        retry.finish()
        return policy
    }

    private func environment(_ mapping: StrictMapping) -> [EnvironmentEntry] {
        mapping.textEntries().map { name, value in
            if name.isEmpty || name.contains("=") || name.utf8.contains(0) || value.utf8.contains(0) {
                report(mapping, name, "\"\(name.prefix(64))\" cannot be a variable: no = and no NUL characters")
            }
            return EnvironmentEntry(name, value)
        }
    }

    private func secrets(_ root: StrictMapping, _ key: String) -> [String] {
        let names = root.texts(key)
        for (index, name) in names.enumerated() where name.isEmpty || name.contains(where: { "=\u{0}".contains($0) }) {
            problems.report("/\(key)/\(index)", "\(key) takes names of secrets, not their values")
        }
        return names
    }

    private func schedule(_ root: StrictMapping) -> Schedule? {
        let zone = zone(root)
        guard let text = root.text("schedule") else { return nil }
        do {
            let schedule = try Schedule(text, zone: zone)
            if !isKept { try schedule.refuseLongSteps() }
            return schedule
        } catch {
            report(root, "schedule", error.message)
            return nil
        }
    }

    /// Nil is UTC.
    private func zone(_ root: StrictMapping) -> ZoneTable? {
        guard let name = root.text("timezone") else { return nil }
        if !root.isSet("schedule") { report(root, "timezone", "timezone belongs to a schedule, and there is none") }
        if ZoneReader.isUTC(name) { return nil }
        guard let zone = ZoneReader.table(name) else {
            report(
                root, "timezone",
                "\"\(name.prefix(64))\" is no name of a time zone; write it like Europe/Berlin, or leave it out for UTC"
            )
            return nil
        }
        return zone
    }

    private func overlap(_ root: StrictMapping) -> OverlapPolicy {
        let standard = OverlapPolicy.skip
        let word = root.choice("overlap", or: standard.rawValue, of: OverlapPolicy.allCases.map(\.rawValue))
        if root.isSet("overlap"), !root.isSet("schedule") {
            report(root, "overlap", "overlap belongs to a schedule, and there is none")
        }
        return OverlapPolicy(rawValue: word) ?? standard
    }

    private func maxMailbox(_ limits: StrictMapping) -> Int? {
        let mailbox = limits.integer("mailbox", or: 0, in: 1...Int.max)
        limits.finish()
        return mailbox > 0 ? mailbox : nil
    }
}
