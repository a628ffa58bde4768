package import ActorCore

/// How this house is set up: `config.yml` with variables and secrets filled in, every key with its default.
package struct Settings: Sendable, Equatable {
    /// The file it was read from, absolute; nil when there is none.
    package var file: String?
    /// The folder of `config.yml`, absolute: relative paths in it start here.
    package var home: String

    package var server = ServerSettings()
    package var store = StoreSettings()
    package var actors: ActorSettings
    package var inbox = InboxSettings()
    package var archive = ArchiveSettings()
    package var unpacking = UnpackingSettings()
    package var auth = AuthSettings()
    package var tenants: [TenantSettings] = []
    package var executors = ExecutorSettings()
    package var connectors = ConnectorSettings()
    package var callbacks = CallbackSettings()
    package var pipelines = PipelineSettings()
    package var log = LogSettings()
    package var limits = Limits()

    package var secrets = SecretsFile()
    /// Keys that are set but belong to parts that this version does not have.
    package var notYetActive: [String] = []
    /// What works but deserves a word at start.
    package var warnings: [Problem] = []

    package init(file: String? = nil, home: String) {
        self.file = file
        self.home = home
        self.actors = ActorSettings(folder: home + "/actors")
    }

    /// The tenant of everything that names none.
    package var tenant: String { tenants.first?.name ?? "LAB" }

    /// What links and callback URLs start with, once the port is known.
    package func publicURL(port: Int) -> String {
        if let url = server.publicURL { return url }
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        return "http://\(host):\(port)"
    }
}

/// Where the daemon listens and how it answers.
package struct ServerSettings: Sendable, Equatable {
    /// Case of the field names in replies of `/actors/v2`.
    package enum FieldCase: String, Sendable, CaseIterable {
        case camel
        case snake
    }

    package var host = "127.0.0.1"
    package var port = 8000
    /// Without a slash at its end.
    package var publicURL: String?
    package var fieldCase = FieldCase.camel
    package var trustedProxies: [String] = []

    package var isLoopback: Bool { Self.isLoopback(host) }

    package static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

/// How the database writes and how long it remembers.
package struct StoreSettings: Sendable, Equatable {
    package enum Synchronous: String, Sendable, CaseIterable {
        /// Every commit reaches the disk before it is answered.
        case full
        /// A power cut may lose the last commits.
        case normal
    }

    package var synchronous = Synchronous.full
    package var executionsDays = 90
    package var logsDays = 30
    package var deadLettersDays = 365
}

/// Where the actors are declared.
package struct ActorSettings: Sendable, Equatable {
    /// Absolute.
    package var folder: String
}

/// Where uploads land.
package struct InboxSettings: Sendable, Equatable {
    /// Absolute; nil for `inbox` in the data folder.
    package var folder: String?
}

/// Where outputs of jobs are kept.
package struct ArchiveSettings: Sendable, Equatable {
    /// Absolute; nil for `archive` in the data folder.
    package var folder: String?
}

/// An organisation with its own actors.
package struct TenantSettings: Sendable, Equatable {
    package var name: String
    package var apiServer: String?
}

/// Which addresses outgoing callbacks may reach, and how long they are tried.
package struct CallbackSettings: Sendable, Equatable {
    /// `host` or `host:port`; private addresses are refused unless listed.
    package var allow: [String] = []
    package var timeoutSeconds = 20
    package var retryDays = 3.0
}

/// Who keeps the jobs, and what opens its door to callbacks.
package struct PipelineSettings: Sendable, Equatable {
    /// Id or alias.
    package var jobManager = "pipeline-jobs-manager"
    /// A nonce made elsewhere; nil lets the daemon make one.
    package var updatesNonce: Secret?
}

/// How much is logged.
package struct LogSettings: Sendable, Equatable {
    package static let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    package var level = "info"
}
