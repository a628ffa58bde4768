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
}

extension KubeAccess {
    /// - Parameters:
    ///   - folder: of the kubeconfig file; paths in it start there.
    ///   - context: nil takes the file's current one.
    package init(
        kubeconfig: JSONValue, context: String?, folder: String, file: String
    ) throws(EngineFailure) {
        func broken(_ why: String) -> EngineFailure { EngineFailure(.refused, "\(file): \(why)") }
        func entry(_ list: String, _ name: String, _ what: String) throws(EngineFailure) -> JSONValue {
            let found = (kubeconfig[list]?.array ?? []).first { $0["name"]?.string == name }
            guard let value = found?[what] else { throw broken("\(list) has no \(name)") }
            return value
        }
        func path(_ text: String) -> String { text.hasPrefix("/") ? text : "\(folder)/\(text)" }
        func pem(_ value: JSONValue, _ name: String) throws(EngineFailure) -> TLSSettings.PEM? {
            if let data = value["\(name)-data"]?.string {
                guard let bytes = Base64.decode(data) else { throw broken("\(name)-data is no base64") }
                return .bytes(bytes)
            }
            return value[name]?.string.map { .file(path($0)) }
        }

        guard let chosen = context ?? kubeconfig["current-context"]?.string, !chosen.isEmpty else {
            throw broken("it has no current-context: set executors.kubernetes.context")
        }
        let contextEntry = try entry("contexts", chosen, "context")
        guard let clusterName = contextEntry["cluster"]?.string else {
            throw broken("the context \(chosen) names no cluster")
        }
        let cluster = try entry("clusters", clusterName, "cluster")
        guard var server = cluster["server"]?.string, server.hasPrefix("http") else {
            throw broken("the cluster \(clusterName) has no server")
        }
        while server.hasSuffix("/") { server.removeLast() }
        if cluster["insecure-skip-tls-verify"]?.bool == true {
            throw broken(
                "insecure-skip-tls-verify is not taken: give the authority's certificate (certificate-authority)")
        }
        var tls = TLSSettings(authorities: try pem(cluster, "certificate-authority"))
        tls.serverName = cluster["tls-server-name"]?.string
        var credential = Credential.none
        if let userName = contextEntry["user"]?.string, !userName.isEmpty {
            let user = try entry("users", userName, "user")
            tls.certificate = try pem(user, "client-certificate")
            tls.key = try pem(user, "client-key")
            if let token = user["token"]?.string, !token.isEmpty {
                credential = .token(token)
            } else if let tokenFile = user["tokenFile"]?.string {
                credential = .tokenFile(path(tokenFile))
            } else if let name = user["username"]?.string, let password = user["password"]?.string {
                credential = .basic(user: name, password: password)
            } else if let plugin = user["exec"], plugin.object != nil {
                guard let command = plugin["command"]?.string, !command.isEmpty else {
                    throw broken("exec of the user \(userName) has no command")
                }
                credential = .plugin(
                    KubePlugin(
                        command: command.contains("/") ? path(command) : command,
                        arguments: (plugin["args"]?.array ?? []).compactMap(\.string),
                        environment: (plugin["env"]?.array ?? []).compactMap { entry in
                            guard let name = entry["name"]?.string else { return nil }
                            return EnvironmentEntry(name, entry["value"]?.string ?? "")
                        },
                        version: plugin["apiVersion"]?.string ?? "client.authentication.k8s.io/v1",
                        installHint: plugin["installHint"]?.string))
            } else if user["auth-provider"] != nil {
                throw broken("auth-provider of the user \(userName) is no longer part of Kubernetes: use exec")
            }
        }
        self.init(
            server: server, namespace: contextEntry["namespace"]?.string, tls: tls, credential: credential)
    }

    /// The account of the pod that the daemon runs in; nil outside of one.
    package static func inCluster(host: String?, port: String?, namespace: String?) -> KubeAccess? {
        guard let host, let port, !host.isEmpty else { return nil }
        let folder = "/var/run/secrets/kubernetes.io/serviceaccount"
        return KubeAccess(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)", namespace: namespace,
            tls: TLSSettings(authorities: .file("\(folder)/ca.crt")), credential: .tokenFile("\(folder)/token"))
    }
}
