package import ActorCore

/// How to reach an API server and who to be there: what a kubeconfig file or the account of a pod says.
package struct KubeAccess: Sendable, Equatable {
    package enum Credential: Sendable, Equatable {
        case none
        case token(String)
        /// Read again for every request: it is renewed by others.
        case tokenFile(String)
        case basic(user: String, password: String)
        case plugin(KubePlugin)
    }

    /// Without a slash at its end.
    package var server: String
    /// Of the context; nil when it names none.
    package var namespace: String?
    package var tls: TLSSettings
    package var credential: Credential
    /// Headers that say as whom we act, when that is somebody else (`as` of a user).
    package var impersonation: [EnvironmentEntry] = []

    package init(
        server: String, namespace: String? = nil, tls: TLSSettings = TLSSettings(), credential: Credential = .none
    ) {
        self.server = server
        self.namespace = namespace
        self.tls = tls
        self.credential = credential
    }
}

/// A program that hands out credentials (client.authentication.k8s.io).
package struct KubePlugin: Sendable, Equatable {
    package var command: String
    package var arguments: [String]
    package var environment: [EnvironmentEntry]
    package var version: String
    package var installHint: String?
    /// What it is told of the cluster (`provideClusterInfo`).
    package var cluster: JSONValue?

    package init(
        command: String, arguments: [String], environment: [EnvironmentEntry], version: String,
        installHint: String? = nil, cluster: JSONValue? = nil
    ) {
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.version = version
        self.installHint = installHint
        self.cluster = cluster
    }
}

/// One of the files that $KUBECONFIG names.
package struct KubeConfigFile: Sendable {
    private static let paths = [
        "clusters": ["certificate-authority"], "users": ["client-certificate", "client-key", "tokenFile"],
    ]

    package let name: String
    package let folder: String
    package let value: JSONValue

    package init(name: String, folder: String, value: JSONValue) {
        self.name = name
        self.folder = folder
        self.value = value
    }

    /// As kubectl reads several: of each name the first counts, and paths begin where their file lies.
    package static func merged(_ files: [KubeConfigFile]) -> JSONValue {
        var merged: JSONValue = [:]
        let current = files.compactMap { $0.value["current-context"]?.string }.first { !$0.isEmpty }
        if let current { merged = merged.setting("current-context", .string(current)) }
        for list in ["clusters", "contexts", "users"] {
            var seen: Set<String> = []
            let entries = files.flatMap { file in
                (file.value[list]?.array ?? []).map { file.absolute($0, list) }
            }
            merged = merged.setting(list, .array(entries.filter { seen.insert($0["name"]?.string ?? "").inserted }))
        }
        return merged
    }

    private func absolute(_ entry: JSONValue, _ list: String) -> JSONValue {
        let member = String(list.dropLast())
        guard var content = entry[member], content.object != nil else { return entry }
        for name in Self.paths[list] ?? [] {
            if let path = content[name]?.string, !path.isEmpty { content = content.setting(name, .string(from(path))) }
        }
        if let plugin = content["exec"], let command = plugin["command"]?.string, command.contains("/") {
            content = content.setting("exec", plugin.setting("command", .string(from(command))))
        }
        return entry.setting(member, content)
    }

    private func from(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
}

extension KubeAccess {
    /// - Parameters:
    ///   - kubeconfig: its paths are absolute.
    ///   - context: nil takes the file's current one.
    package init(
        kubeconfig: JSONValue, context: String?, file: String, isUnverifiedAllowed: Bool = false
    ) throws(EngineFailure) {
        let config = KubeConfigReader(config: kubeconfig, file: file)
        guard let chosen = context ?? kubeconfig["current-context"]?.string, !chosen.isEmpty else {
            throw config.broken("it has no current-context: set executors.kubernetes.context")
        }
        let contextEntry = try config.entry("contexts", chosen, "context")
        guard let clusterName = contextEntry["cluster"]?.string else {
            throw config.broken("the context \(chosen) names no cluster")
        }
        let cluster = try config.entry("clusters", clusterName, "cluster")
        guard var server = cluster["server"]?.string, server.hasPrefix("http") else {
            throw config.broken("the cluster \(clusterName) has no server")
        }
        while server.hasSuffix("/") { server.removeLast() }
        if let proxy = cluster["proxy-url"]?.string, !proxy.isEmpty {
            throw config.broken("proxy-url of the cluster \(clusterName) is not supported")
        }
        var tls = TLSSettings(authorities: try config.pem(cluster, "certificate-authority"))
        tls.serverName = cluster["tls-server-name"]?.string
        if cluster["insecure-skip-tls-verify"]?.bool == true {
            guard isUnverifiedAllowed else {
                throw config.broken(
                    "insecure-skip-tls-verify is not done without executors.kubernetes.insecure_skip_tls_verify: true; "
                        + "better give the authority's certificate (certificate-authority)")
            }
            tls.authorities = nil
            tls.isUnverified = true
        }
        self.init(server: server, namespace: contextEntry["namespace"]?.string, tls: tls)
        guard let name = contextEntry["user"]?.string, !name.isEmpty else { return }
        let user = try config.entry("users", name, "user")
        self.tls.certificate = try config.pem(user, "client-certificate")
        self.tls.key = try config.pem(user, "client-key")
        credential = try config.credential(user, name, cluster: cluster)
        impersonation = config.impersonation(user)
    }

    /// The account of the pod that the daemon runs in; nil outside of one.
    package static func inCluster(
        host: String?, port: String?, namespace: String?, folder: String
    ) -> KubeAccess? {
        guard let host, let port, !host.isEmpty else { return nil }
        return KubeAccess(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)", namespace: namespace,
            tls: TLSSettings(authorities: .file("\(folder)/ca.crt")), credential: .tokenFile("\(folder)/token"))
    }
}

/// Reads the parts of a kubeconfig; what is wrong is told with the file's name.
private struct KubeConfigReader {
    let config: JSONValue
    let file: String

    func broken(_ why: String) -> EngineFailure { EngineFailure(.refused, "\(file): \(why)") }

    func entry(_ list: String, _ name: String, _ what: String) throws(EngineFailure) -> JSONValue {
        let found = (config[list]?.array ?? []).first { $0["name"]?.string == name }
        guard let value = found?[what] else { throw broken("\(list) has no \(name)") }
        return value
    }

    /// Data goes before a file, as kubectl has it.
    func pem(_ value: JSONValue, _ name: String) throws(EngineFailure) -> TLSSettings.PEM? {
        if let data = value["\(name)-data"]?.string, !data.isEmpty {
            guard let bytes = Base64.decode(data.filter { !$0.isWhitespace }) else {
                throw broken("\(name)-data is no base64")
            }
            return .bytes(bytes)
        }
        return value[name]?.string.flatMap { $0.isEmpty ? nil : .file($0) }
    }

    func credential(
        _ user: JSONValue, _ name: String, cluster: JSONValue
    ) throws(EngineFailure) -> KubeAccess.Credential {
        // A file goes before a token: it is renewed by others.
        if let tokenFile = user["tokenFile"]?.string, !tokenFile.isEmpty { return .tokenFile(tokenFile) }
        if let token = user["token"]?.string, !token.isEmpty { return .token(token) }
        if let login = user["username"]?.string, !login.isEmpty {
            return .basic(user: login, password: user["password"]?.string ?? "")
        }
        if let plugin = user["exec"], plugin.object != nil {
            return .plugin(try self.plugin(plugin, name, cluster: cluster))
        }
        if user["auth-provider"] != nil {
            throw broken("auth-provider of the user \(name) is no longer part of Kubernetes: use exec")
        }
        return .none
    }

    private func plugin(
        _ plugin: JSONValue, _ user: String, cluster: JSONValue
    ) throws(EngineFailure) -> KubePlugin {
        guard let command = plugin["command"]?.string, !command.isEmpty else {
            throw broken("exec of the user \(user) has no command")
        }
        if plugin["interactiveMode"]?.string == "Always" {
            throw broken("exec of the user \(user) wants to ask somebody (interactiveMode: Always)")
        }
        return KubePlugin(
            command: command, arguments: (plugin["args"]?.array ?? []).compactMap(\.string),
            environment: (plugin["env"]?.array ?? []).compactMap { entry in
                guard let name = entry["name"]?.string else { return nil }
                return EnvironmentEntry(name, entry["value"]?.string ?? "")
            },
            version: plugin["apiVersion"]?.string ?? "client.authentication.k8s.io/v1",
            installHint: plugin["installHint"]?.string,
            cluster: plugin["provideClusterInfo"]?.bool == true ? told(cluster) : nil)
    }

    /// The part of a cluster that a plugin may know, as `ExecCredential` has it.
    private func told(_ cluster: JSONValue) -> JSONValue {
        var told: JSONValue = [:]
        for name in ["server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data"] {
            if let value = cluster[name] { told = told.setting(name, value) }
        }
        let extensions = cluster["extensions"]?.array ?? []
        let own = extensions.first { $0["name"]?.string == "client.authentication.k8s.io/exec" }
        if let config = own?["extension"] { told = told.setting("config", config) }
        return told
    }

    func impersonation(_ user: JSONValue) -> [EnvironmentEntry] {
        guard let name = user["as"]?.string, !name.isEmpty else { return [] }
        var headers = [EnvironmentEntry("Impersonate-User", name)]
        if let uid = user["as-uid"]?.string { headers.append(EnvironmentEntry("Impersonate-Uid", uid)) }
        for group in user["as-groups"]?.array ?? [] {
            if let group = group.string { headers.append(EnvironmentEntry("Impersonate-Group", group)) }
        }
        for member in user["as-user-extra"]?.object ?? [] {
            for value in member.value.array ?? [] {
                if let value = value.string {
                    headers.append(EnvironmentEntry("Impersonate-Extra-\(member.name)", value))
                }
            }
        }
        return headers
    }
}
