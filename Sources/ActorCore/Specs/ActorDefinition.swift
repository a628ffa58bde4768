/// What the actors API is told about an actor (section 2.1): all that a PUT replaces, and what replies show again.
package struct ActorDefinition: Sendable, Equatable {
    /// Messages that run at once in a stateless actor which says nothing about it (section 6.10).
    package static let standardWorkers = 6
    /// Nothing runs longer; there is no field for it in the API.
    package static let timeoutSeconds = 604_800

    package var image: String
    package var name: String?
    package var stateless = true
    /// `type`: kept and shown.
    package var kind = "none"
    /// An id or alias; "" for none.
    package var link = ""
    /// A URL that is told of the actor's events; "" for none.
    package var webhook = ""
    /// What the webhook's events are signed with (Standard Webhooks); nil leaves them unsigned. Ours, never shown.
    package var webhookSecret: WebhookSecret?
    /// The word `"false"` until somebody says otherwise, as old clients expect it.
    package var token: JSONValue = "false"
    package var hints: [String] = []
    package var description = ""
    package var privileged = false
    package var maxWorkers: Int?
    package var memoryLimit: String?
    package var maxCPUs: Int?
    package var useContainerUID = false
    package var queue = "default"
    /// An object; its values reach the process as Python's `str()` prints them.
    package var environment: JSONValue = .object([])
    /// Seconds that logs of executions are kept; nil for the house's own retention.
    package var logSeconds: Int?
    package var cronSchedule: String?
    package var cronOn = false
    package var runAsExecutor = false
    /// A JSON schema that messages must satisfy; null for none. Ours, not Abaco's.
    package var messageSchema: JSONValue = .null
    /// Its owner had no more than the role `limited` when that was last seen. Ours, never shown.
    package var isOfLimitedUser = false
    /// Its owner was an admin when that was last seen. Ours, never shown.
    package var isOfAdmin = false

    package init(image: String) { self.image = image }

    /// The schedule that is on; nil for none, and for a text that is none.
    package var schedule: Schedule? { cronOn ? plan : nil }

    /// The schedule that is written down, on or off.
    package var plan: Schedule? { cronSchedule.flatMap { try? Schedule($0) } }

    /// What `mem_limit` comes to; nil for none.
    package var memoryBytes: Int64? { memoryLimit.flatMap(Self.bytes) }

    /// Thousandths of a processor; `max_cpus` counts in billionths, and less than a thousandth asks for nothing.
    package var cpuMillis: Int64? {
        maxCPUs.flatMap { $0 >= 1_000_000 ? Int64($0) / 1_000_000 : nil }
    }

    /// `100m` or `2g`, as Docker reads sizes; nil for a text that is none.
    package static func bytes(_ text: String) -> Int64? {
        let lower = text.lowercased()
        let digits = lower.prefix { $0.isASCII && $0.isNumber }
        let shifts: [String: Int64] = [
            "": 0, "b": 0, "k": 10, "kb": 10, "kib": 10, "m": 20, "mb": 20, "mib": 20, "g": 30, "gb": 30, "gib": 30,
            "t": 40, "tb": 40, "tib": 40,
        ]
        guard let number = Int64(digits), number > 0, let shift = shifts[String(lower.dropFirst(digits.count))] else {
            return nil
        }
        let (bytes, isTooMuch) = number.multipliedReportingOverflow(by: 1 << shift)
        return isTooMuch ? nil : bytes
    }
}

extension ActorDefinition {
    /// As the store keeps it.
    package var json: JSONValue {
        [
            "image": .string(image), "name": JSONValue(name), "stateless": .bool(stateless), "type": .string(kind),
            "link": .string(link), "webhook": .string(webhook), "token": token,
            "hints": .array(hints.map { .string($0) }), "description": .string(description),
            "privileged": .bool(privileged), "max_workers": JSONValue(maxWorkers),
            "mem_limit": JSONValue(memoryLimit), "max_cpus": JSONValue(maxCPUs),
            "use_container_uid": .bool(useContainerUID), "queue": .string(queue), "default_environment": environment,
            "log_ex": JSONValue(logSeconds), "cron_schedule": JSONValue(cronSchedule), "cron_on": .bool(cronOn),
            "run_as_executor": .bool(runAsExecutor), "message_schema": messageSchema,
            "webhook_secret": JSONValue(webhookSecret?.reveal()), "limited_owner": .bool(isOfLimitedUser),
            "admin_owner": .bool(isOfAdmin),
        ]
    }

    /// Nil when it names no image: what was stored is then no definition.
    package init?(json: JSONValue) {
        guard let image = json["image"]?.string else { return nil }
        self.init(image: image)
        name = json["name"]?.string
        stateless = json["stateless"]?.bool ?? stateless
        kind = json["type"]?.string ?? kind
        link = json["link"]?.string ?? link
        webhook = json["webhook"]?.string ?? webhook
        token = json["token"] ?? token
        hints = json["hints"]?.array?.compactMap(\.string) ?? hints
        description = json["description"]?.string ?? description
        privileged = json["privileged"]?.bool ?? privileged
        maxWorkers = json["max_workers"]?.int
        memoryLimit = json["mem_limit"]?.string
        maxCPUs = json["max_cpus"]?.int
        useContainerUID = json["use_container_uid"]?.bool ?? useContainerUID
        queue = json["queue"]?.string ?? queue
        environment = json["default_environment"] ?? environment
        logSeconds = json["log_ex"]?.int
        cronSchedule = json["cron_schedule"]?.string
        cronOn = json["cron_on"]?.bool ?? cronOn
        runAsExecutor = json["run_as_executor"]?.bool ?? runAsExecutor
        messageSchema = json["message_schema"] ?? messageSchema
        webhookSecret = json["webhook_secret"]?.string.flatMap { WebhookSecret($0) }
        isOfLimitedUser = json["limited_owner"]?.bool ?? isOfLimitedUser
        isOfAdmin = json["admin_owner"]?.bool ?? isOfAdmin
    }

    /// An actor that a folder declares, in these words.
    package init(of spec: ActorSpec) {
        self.init(image: spec.run.image)
        name = spec.name
        stateless = spec.stateless
        link = spec.link ?? ""
        description = spec.description
        maxWorkers = spec.stateless && spec.maxWorkers > 1 ? spec.maxWorkers : nil
        environment = .object(spec.environment.map { JSONValue.Member($0.name, .string($0.value)) })
        cronSchedule = spec.schedule?.text
        cronOn = spec.schedule != nil
    }
}

extension ActorSpec {
    /// An actor that was made over HTTP. A script's exit code is its answer there, so nothing that failed is run
    /// again; what the end of the daemon cut off is.
    package init(
        _ definition: ActorDefinition, id: ActorID, tenant: String, owner: String, created: Timestamp,
        updated: Timestamp, revision: Int, grants: [String: PermissionLevel]
    ) {
        self.init(
            id: id, tenant: tenant, name: definition.name ?? "", description: definition.description,
            run: .image(definition.image), stateless: definition.stateless,
            maxWorkers: definition.stateless ? definition.maxWorkers ?? ActorDefinition.standardWorkers : 1,
            retry: RetryPolicy(retriesFailures: false), timeoutSeconds: ActorDefinition.timeoutSeconds,
            environment: (definition.environment.object ?? []).map {
                EnvironmentEntry($0.name, PythonText.str($0.value))
            },
            schedule: definition.schedule, link: definition.link.isEmpty ? nil : definition.link, owner: owner,
            schemas: definition.messageSchema.isNull
                ? []
                : [
                    SchemaSource(
                        file: "message_schema", text: JSONWriter.bytes(definition.messageSchema), isForeign: true)
                ],
            created: created, updated: updated, revision: revision)
        self.definition = definition
        self.grants = grants
    }
}
