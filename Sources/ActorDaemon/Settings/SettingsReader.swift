import ActorCore

/// Knows every key of `config.yml`: its type, its bounds, its default.
struct SettingsReader {
    let problems: ProblemCollector
    let home: String

    func read(_ value: JSONValue, into settings: inout Settings) {
        let root = StrictMapping(value, at: "", problems)
        readServer(root.mapping("server"), &settings)
        readStore(root.mapping("store"), &settings)
        let actors = root.mapping("actors")
        settings.actors.folder = path(actors, "folder") ?? settings.actors.folder
        actors.finish()
        let inbox = root.mapping("inbox")
        settings.inbox.folder = path(inbox, "folder")
        inbox.finish()
        readUnpacking(root.mapping("unpack"), &settings.unpacking)
        let archive = root.mapping("archive")
        settings.archive.folder = path(archive, "folder")
        archive.finish()
        readAuth(root.mapping("auth"), &settings)
        readTenants(root.mapping("tenants"), &settings)
        readExecutors(root.mapping("executors"), &settings)
        readConnectors(root.mapping("connectors"), &settings)
        readCallbacks(root.mapping("callbacks"), &settings)
        let pipelines = root.mapping("pipelines")
        settings.pipelines.jobManager = pipelines.text("job_manager_id", or: settings.pipelines.jobManager)
        settings.pipelines.updatesNonce = pipelines.secret("updates_nonce")
        pipelines.finish()
        let log = root.mapping("log")
        settings.log.level = log.choice("level", or: settings.log.level, of: LogSettings.levels)
        log.finish()
        readLimits(root.mapping("limits"), root.mapping("server"), &settings)
        readMessages(root.mapping("messages"), root.mapping("limits"), &settings.limits)
        root.finish()
        checkExposure(settings)
        settings.notYetActive = notYetActive(settings)
    }

    /// A path, absolute; relative ones start at the folder of `config.yml`.
    func path(_ mapping: StrictMapping, _ key: String) -> String? {
        guard let text = mapping.text(key) else { return nil }
        guard !text.isEmpty else {
            mapping.report(key, "takes a path; leave the key out for the default")
            return nil
        }
        return SettingsLoader.absolute(text, from: home)
    }

    private func readServer(_ server: StrictMapping, _ settings: inout Settings) {
        settings.server.host = server.text("host", or: settings.server.host)
        if settings.server.host.isEmpty || settings.server.host.contains(where: \.isWhitespace) {
            server.report("host", "takes an address or a host name, for example 127.0.0.1")
        }
        settings.server.port = server.integer("port", or: settings.server.port, in: 0...65535)
        settings.server.publicURL = url(server, "public_url")
        let standard = settings.server.fieldCase
        let word = server.choice("case", or: standard.rawValue, of: ServerSettings.FieldCase.allCases.map(\.rawValue))
        settings.server.fieldCase = ServerSettings.FieldCase(rawValue: word) ?? standard
        settings.server.trustedProxies = server.texts("trusted_proxies")
        settings.limits.maxBodyBytes = server.integer(
            "max_body_bytes", or: settings.limits.maxBodyBytes, in: 1...Int.max)
        settings.limits.maxBinaryBytes = server.integer(
            "max_binary_bytes", or: settings.limits.maxBinaryBytes, in: 1...Int.max)
        server.finish()
    }

    /// An address that others can use, without a slash at its end.
    func url(_ mapping: StrictMapping, _ key: String) -> String? {
        guard var text = mapping.text(key) else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        let host = text.split(separator: "://", maxSplits: 1).last?.split(separator: "/").first ?? ""
        let isWeb = text.hasPrefix("http://") || text.hasPrefix("https://")
        let isPlain = !text.contains(where: { $0.isWhitespace || "?#@".contains($0) })
        guard isWeb, isPlain, !host.isEmpty else {
            mapping.report(key, "takes an address like https://lab.example.org, without user, query or fragment")
            return nil
        }
        return text
    }

    private func readStore(_ store: StrictMapping, _ settings: inout Settings) {
        let standard = settings.store.synchronous
        let words = StoreSettings.Synchronous.allCases.map(\.rawValue)
        let word = store.choice("synchronous", or: standard.rawValue, of: words)
        settings.store.synchronous = StoreSettings.Synchronous(rawValue: word) ?? standard
        if settings.store.synchronous == .normal {
            settings.warnings.append(
                Problem(
                    file: problems.file, line: problems.line(of: "/store/synchronous"),
                    reason: "store.synchronous is normal: a power cut may lose messages that were accepted"))
        }
        let retention = store.mapping("retention")
        let days = 1...36500
        settings.store.executionsDays = retention.integer(
            "executions_days", or: settings.store.executionsDays, in: days)
        settings.store.logsDays = retention.integer("logs_days", or: settings.store.logsDays, in: days)
        settings.store.deadLettersDays = retention.integer(
            "dead_letters_days", or: settings.store.deadLettersDays, in: days)
        retention.finish()
        store.finish()
    }

    private func readTenants(_ tenants: StrictMapping, _ settings: inout Settings) {
        for (name, tenant) in tenants.entries() {
            let isName = name.utf8.allSatisfy { NameRules.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            if !isName || name.isEmpty || name.utf8.count > 64 {
                tenants.report(name, "is no tenant name: letters, digits and dashes only")
            }
            settings.tenants.append(TenantSettings(name: name, apiServer: url(tenant, "api_server")))
            tenant.finish()
        }
    }

    private func readCallbacks(_ callbacks: StrictMapping, _ settings: inout Settings) {
        settings.callbacks.allow = callbacks.texts("allow")
        for (index, entry) in settings.callbacks.allow.enumerated()
        where entry.isEmpty || entry.contains("/") || entry.contains(where: \.isWhitespace) {
            callbacks.problems.report(
                "/callbacks/allow/\(index)", "callbacks.allow takes hosts or host:port, not \"\(entry.prefix(64))\"")
        }
        settings.callbacks.timeoutSeconds = callbacks.integer(
            "timeout_seconds", or: settings.callbacks.timeoutSeconds, in: 1...600)
        settings.callbacks.retryDays = callbacks.number(
            "retry_days", or: settings.callbacks.retryDays, atLeast: 0, atMost: 36500)
        callbacks.finish()
    }

    private func readLimits(_ limits: StrictMapping, _ server: StrictMapping, _ settings: inout Settings) {
        for key in ["max_body_bytes", "max_binary_bytes"] where limits.isSet(key) && server.isSet(key) {
            limits.report(key, "is set under server as well; keep one of them")
        }
        func set(_ key: String, _ field: WritableKeyPath<Limits, Int>, _ range: ClosedRange<Int>) {
            settings.limits[keyPath: field] = limits.integer(key, or: settings.limits[keyPath: field], in: range)
        }
        set("max_body_bytes", \.maxBodyBytes, 1...Int.max)
        set("max_binary_bytes", \.maxBinaryBytes, 1...Int.max)
        settings.limits.maxUploadBytes = limits.integer(
            "max_upload_bytes", or: settings.limits.maxUploadBytes, in: 1...Int64.max)
        let inbox = limits.integer("max_inbox_bytes", or: Int64(0), in: 1...Int64.max)
        settings.limits.maxInboxBytes = inbox > 0 ? inbox : nil
        set("max_json_depth", \.maxJSONDepth, 1...512)
        set("max_hops", \.maxHops, 1...10_000)
        set("max_mailbox", \.maxMailbox, 1...Int.max)
        set("mailbox_head", \.mailboxHead, 1...100_000)
        set("max_running", \.maxRunning, 1...100_000)
        set("max_log_bytes", \.maxLogBytes, 1...Int.max)
        set("max_environment_entries", \.maxEnvironmentEntries, 0...100_000)
        set("event_backlog", \.eventBacklog, 1...1_000_000)
        set("max_result_bytes", \.maxResultBytes, 1...Int.max)
        limits.finish()
    }

    private func readMessages(_ messages: StrictMapping, _ limits: StrictMapping, _ bounds: inout Limits) {
        bounds.idempotencyHours = messages.integer("idempotency_hours", or: bounds.idempotencyHours, in: 1...87_600)
        if messages.isSet("max_waiting"), limits.isSet("max_mailbox") {
            messages.report("max_waiting", "is set as limits.max_mailbox as well; keep one of them")
        }
        bounds.maxMailbox = messages.integer("max_waiting", or: bounds.maxMailbox, in: 1...Int.max)
        bounds.maxWaitingBytes = messages.integer("max_waiting_bytes", or: bounds.maxWaitingBytes, in: 1...Int64.max)
        let perSender = messages.integer("max_waiting_per_sender", or: 0, in: 1...Int.max)
        bounds.maxPerSender = perSender > 0 ? perSender : nil
        messages.finish()
    }

    private func checkExposure(_ settings: Settings) {
        guard !settings.auth.isOn, !settings.server.isLoopback else { return }
        problems.report(
            "/server/host",
            "server.host is reachable from outside while auth.mode is off, which makes every caller admin; "
                + "set auth.mode to \"on\" or server.host to 127.0.0.1")
    }
}
