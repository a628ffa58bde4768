import ActorCore

/// Reads what POST and PUT say about an actor, field by field (actors API, section 2.1).
struct DefinitionReader {
    let fields: RequestFields
    let caller: Caller
    let queues: [String]
    let maxLogSeconds: Int
    let now: Timestamp
    /// It was made elsewhere: a schedule may have begun long ago, and is on or off as it was.
    var isTakenOver = false

    private static let longestText = 4096
    private static let mostHints = 100

    /// - Parameter before: what is replaced; nil for a new actor.
    func read(replacing before: ActorDefinition?) throws(ActorError) -> ActorDefinition {
        guard let image = fields.text("image"), !image.isEmpty else {
            throw RequestFields.refusal(of: "actor", "image", "Reference to image on docker hub for this actor.")
        }
        guard image.utf8.count <= 512, image.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw RequestFields.refusal(
                of: "actor", "image", "takes the name of an image: no blanks, at most 512 bytes")
        }
        var definition = ActorDefinition(image: image)
        definition.name = try text("name")
        definition.description = try text("description") ?? definition.description
        definition.kind = try text("type") ?? definition.kind
        definition.link = try text("link") ?? definition.link
        definition.webhook = try webhook()
        definition.webhookSecret = try webhookSecret(before)
        definition.stateless = try flag("stateless") ?? definition.stateless
        if let token = try flag("token") { definition.token = .bool(token) }
        definition.hints = try hints()
        definition.environment = try environment()
        definition.logSeconds = try number("log_ex", 1...Int(Int32.max)).map { min($0, maxLogSeconds) }
        definition.runAsExecutor = try flag("run_as_executor") ?? definition.runAsExecutor
        definition.messageSchema = try schema()
        // Whoever replaces it, its scripts go on to act for the one who has made it.
        definition.isOfLimitedUser = before?.isOfLimitedUser ?? !caller.principal.roles.isUser
        definition.isOfAdmin = before?.isOfAdmin ?? (caller.isAdmin && !isTakenOver)
        try readPrivileged(&definition)
        try readCron(&definition, before)
        if let before, !before.stateless, definition.stateless {
            throw ActorError(
                .invalidInput,
                "Invalid actor description: an actor that was not stateless cannot be updated to be stateless.")
        }
        return definition
    }

    /// A new revision is asked for: any text that is not empty, as Python's `bool()` has it.
    var isForced: Bool { fields["force"].map(\.isTruthy) ?? false }

    // MARK: Fields of privileged users

    private func readPrivileged(_ definition: inout ActorDefinition) throws(ActorError) {
        definition.privileged = try flag("privileged") ?? definition.privileged
        if definition.privileged { try requirePrivilege("make privileged actors") }
        definition.maxWorkers = try number("max_workers", 1...WorkerBoard.most)
        if definition.maxWorkers != nil {
            try requirePrivilege("set max workers")
            guard definition.stateless else {
                throw ActorError(
                    .invalidInput, "Invalid actor description: stateful actors can only have 1 worker.")
            }
        }
        definition.maxCPUs = try number("max_cpus", 1...Int.max)
        if definition.maxCPUs != nil { try requirePrivilege("set max CPUs") }
        if let limit = try text("mem_limit"), !limit.isEmpty {
            try requirePrivilege("set mem limit")
            definition.memoryLimit = limit
            guard definition.memoryBytes != nil else {
                throw RequestFields.refusal(of: "actor", "mem_limit", "takes a size like 100m or 2g")
            }
        }
        if let queue = try text("queue") {
            try requirePrivilege("set queue")
            guard queues.contains(queue) else {
                throw RequestFields.refusal(of: "actor", "queue", "takes one of \(queues.joined(separator: ", "))")
            }
            definition.queue = queue
        }
        definition.useContainerUID = try flag("use_container_uid") ?? definition.useContainerUID
    }

    private func requirePrivilege(_ what: String) throws(ActorError) {
        let roles = caller.principal.roles
        guard roles.contains(.admin) || roles.contains(.privileged) else {
            throw ActorError(.forbidden, "Not authorized -- only admins and privileged users can \(what).")
        }
    }

    // MARK: Schedules

    private func readCron(
        _ definition: inout ActorDefinition, _ before: ActorDefinition?
    ) throws(ActorError) {
        let isOn = try flag("cron_on") ?? false
        guard let text = try text("cron_schedule"), !text.isEmpty else { return }
        let plan = try Schedule(text)
        // What was taken once is not refused to somebody who changes something else.
        if !isTakenOver, before?.cronSchedule != text { try plan.refuseLongSteps() }
        if !isTakenOver, case .interval(let interval) = plan { try interval.refuseOldStart(now: now) }
        definition.cronSchedule = text
        definition.cronOn = isOn || (before == nil && !isTakenOver)
    }

    // MARK: Values

    private func text(_ name: String) throws(ActorError) -> String? {
        guard let value = fields[name], !value.isNull else { return nil }
        guard value.object == nil, value.array == nil else {
            throw RequestFields.refusal(of: "actor", name, "takes a text")
        }
        let text = PythonText.str(value)
        guard text.utf8.count <= Self.longestText, !text.utf8.contains(0) else {
            throw RequestFields.refusal(of: "actor", name, "has at most \(Self.longestText) bytes and no NUL")
        }
        return text
    }

    private func flag(_ name: String) throws(ActorError) -> Bool? {
        guard let value = fields[name], !value.isNull else { return nil }
        if let flag = value.bool { return flag }
        switch PythonText.str(value).lowercased() {
        case "true", "1": return true
        case "false", "0": return false
        default: throw RequestFields.refusal(of: "actor", name, "takes true or false")
        }
    }

    private func number(_ name: String, _ range: ClosedRange<Int>) throws(ActorError) -> Int? {
        guard let value = fields[name], !value.isNull else { return nil }
        guard let number = value.int ?? value.string.flatMap(Int.init), range.contains(number) else {
            throw RequestFields.refusal(
                of: "actor", name, "takes a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func webhook() throws(ActorError) -> String {
        guard let url = try text("webhook"), !url.isEmpty else { return "" }
        let isWeb = url.hasPrefix("http://") || url.hasPrefix("https://")
        guard isWeb, !url.contains(where: \.isWhitespace), url.utf8.count <= 2048 else {
            throw RequestFields.refusal(of: "actor", "webhook", "takes a URL that begins with http:// or https://")
        }
        return url
    }

    /// It stays when it is left out: old clients know nothing of it, and what they change must not stop the signing.
    private func webhookSecret(_ before: ActorDefinition?) throws(ActorError) -> WebhookSecret? {
        guard let text = try text("webhook_secret") else { return before?.webhookSecret }
        if text.isEmpty { return nil }
        guard let secret = WebhookSecret(text) else {
            throw RequestFields.refusal(
                of: "actor", "webhook_secret",
                "takes whsec_ and the base64 of 24 to 64 bytes, or an empty text for no signature")
        }
        return secret
    }

    private func hints() throws(ActorError) -> [String] {
        guard let values = fields.all("hints") else { return [] }
        guard values.count <= Self.mostHints else {
            throw RequestFields.refusal(of: "actor", "hints", "takes at most \(Self.mostHints) words")
        }
        var hints: [String] = []
        for value in values {
            let hint = PythonText.str(value)
            guard !hint.contains(where: { "'\"[]{}".contains($0) }), hint.utf8.count <= 256 else {
                throw RequestFields.refusal(of: "actor", "hints", "takes words without ' \" [ ] { }")
            }
            hints.append(hint)
        }
        return hints
    }

    private func environment() throws(ActorError) -> JSONValue {
        guard let value = fields["default_environment"], !value.isNull else { return .object([]) }
        guard let members = value.object else {
            throw RequestFields.refusal(of: "actor", "default_environment", "takes a JSON object of names and values")
        }
        guard members.count <= 1024 else {
            throw RequestFields.refusal(of: "actor", "default_environment", "takes at most 1024 variables")
        }
        for member in members {
            if let problem = Self.problem(of: member) {
                throw RequestFields.refusal(of: "actor", "default_environment", problem)
            }
        }
        return value
    }

    /// Why an actor cannot have this variable; nil when it can.
    static func problem(of variable: JSONValue.Member) -> String? {
        let text = PythonText.str(variable.value)
        guard VariableRules.canBeVariable(variable.name, text), text.utf8.count <= 100_000 else {
            return "\(variable.name.prefix(64)) cannot become an environment variable"
        }
        return VariableRules.refusal(of: variable.name, text, by: .owner).map { refusal in
            "\(variable.name.prefix(64)) may not be set: \(refusal.reason); the image, or the command that config.yml "
                + "names for it, can set it"
        }
    }

    private func schema() throws(ActorError) -> JSONValue {
        guard let value = fields["message_schema"], !value.isNull else { return .null }
        guard value.object != nil || value.bool != nil else {
            throw RequestFields.refusal(of: "actor", "message_schema", "takes a JSON schema (draft 7)")
        }
        return value
    }
}
