import ActorCore
import Glibc
import Synchronization

/// Finds out where the server is and who we are there, as kubectl does: a kubeconfig, or the account of the pod that we
/// run in; keeps what plugins hand out until it is no longer good.
final class KubeCredentials: Sendable {
    /// What one request needs.
    struct Pass: Sendable {
        var server: String
        var headers: [(name: String, value: String)]
        var tls: TLSSettings
    }

    private struct Issued {
        var token: String?
        var certificate: TLSSettings.PEM?
        var key: TLSSettings.PEM?
        var expires: Timestamp?
    }

    private struct State {
        var access: KubeAccess?
        var issued: Issued?
    }

    private static let maxFile = 4 << 20
    private static let accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"
    /// What is good for less than this is handed out anew.
    private static let margin: Int64 = 60_000

    private let documents: any DocumentReader
    private let source: KubeClient.Source
    private let now: @Sendable () -> Timestamp
    private let files = FileQueue()
    private let state: Mutex<State>

    init(
        documents: any DocumentReader, source: KubeClient.Source, access: KubeAccess?,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.documents = documents
        self.source = source
        self.now = now
        self.state = Mutex(State(access: access))
    }

    /// A plugin may hand out another one.
    var canRenew: Bool { state.withLock { $0.issued != nil } }

    /// The server did not take it.
    func drop() { state.withLock { $0.issued = nil } }

    func pass() async throws(EngineFailure) -> Pass {
        let access = try await access()
        var pass = Pass(server: access.server, headers: [], tls: access.tls)
        switch access.credential {
        case .none: break
        case .token(let token): pass.headers.append(("Authorization", "Bearer \(token)"))
        case .basic(let user, let password):
            pass.headers.append(("Authorization", "Basic \(Base64.encode(Array("\(user):\(password)".utf8)))"))
        case .tokenFile(let path):
            let bytes = await files.perform { SmallFile.read(path, limit: Self.maxFile) }
            guard let bytes else { throw EngineFailure(.refused, "the token file \(path) cannot be read") }
            // `argo auth token` prints the first word too.
            let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            guard let token = words.last else { throw EngineFailure(.refused, "the token file \(path) is empty") }
            pass.headers.append(("Authorization", "Bearer \(token)"))
        case .plugin(let plugin):
            let issued = try await issued(by: plugin)
            if let token = issued.token { pass.headers.append(("Authorization", "Bearer \(token)")) }
            pass.tls.certificate = issued.certificate ?? pass.tls.certificate
            pass.tls.key = issued.key ?? pass.tls.key
        }
        pass.headers += access.impersonation.map { ($0.name, $0.value) }
        return pass
    }

    // MARK: The way to the server

    private func access() async throws(EngineFailure) -> KubeAccess {
        if let known = state.withLock(\.access) { return known }
        let found = try await find()
        state.withLock { $0.access = found }
        return found
    }

    private func find() async throws(EngineFailure) -> KubeAccess {
        if let file = source.kubeconfig { return try await read([file]) }
        if let list = Self.variable("KUBECONFIG") {
            return try await read(list.split(separator: ":").map(String.init))
        }
        let namespace = await files.perform { SmallFile.read("\(Self.accountFolder)/namespace") }
            .map { String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace } }
        if let access = KubeAccess.inCluster(
            host: Self.variable("KUBERNETES_SERVICE_HOST"), port: Self.variable("KUBERNETES_SERVICE_PORT"),
            namespace: namespace, folder: Self.accountFolder)
        {
            return access
        }
        return try await read(["\(Self.variable("HOME") ?? "/root")/.kube/config"])
    }

    /// Of several files some may be missing, as kubectl has it.
    private func read(_ names: [String]) async throws(EngineFailure) -> KubeAccess {
        var read: [KubeConfigFile] = []
        for name in names {
            let bytes = await files.perform { SmallFile.read(name, limit: Self.maxFile) }
            guard let bytes else { continue }
            do {
                let folder = name.lastIndex(of: "/").map { String(name[..<$0]) } ?? "."
                let value = try documents.read(yaml: bytes, file: name).value
                read.append(KubeConfigFile(name: name, folder: folder, value: value))
            } catch {
                throw EngineFailure(.refused, error.description)
            }
        }
        guard !read.isEmpty else {
            throw EngineFailure(
                .refused,
                "the kubeconfig \(names.joined(separator: ":")) cannot be read: set executors.kubernetes.kubeconfig")
        }
        return try KubeAccess(
            kubeconfig: KubeConfigFile.merged(read), context: source.context,
            file: names.joined(separator: ":"), isUnverifiedAllowed: source.isUnverifiedAllowed)
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Plugins

    private static func words(_ failure: ShortCommand.Failure) -> String {
        switch failure {
        case .missing: "is not there or may not be run"
        case .tooLong: "gave no answer for a minute"
        case .broken(let why): "did not run: \(why)"
        }
    }

    private func issued(by plugin: KubePlugin) async throws(EngineFailure) -> Issued {
        let now = now()
        if let known = state.withLock(\.issued),
            known.expires.map({ $0 > now.adding(milliseconds: Self.margin) }) ?? true
        {
            return known
        }
        var command = ShortCommand(prefixes: ["AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "OIDC_"])
        var spec: JSONValue = ["interactive": false]
        if let cluster = plugin.cluster { spec = spec.setting("cluster", cluster) }
        let info: JSONValue = ["apiVersion": .string(plugin.version), "kind": "ExecCredential", "spec": spec]
        command.extra = plugin.environment + [EnvironmentEntry("KUBERNETES_EXEC_INFO", JSONWriter.string(info))]
        let answer: ShortCommand.Answer
        do {
            answer = try await command.run(plugin.command, plugin.arguments)
        } catch {
            let hint = plugin.installHint.map { " (\($0))" } ?? ""
            throw EngineFailure(.refused, "the credential plugin \(plugin.command) \(Self.words(error))\(hint)")
        }
        // What it prints beside may hold secrets.
        guard answer.status == 0, let json = try? JSONReader.read(Array(answer.output.utf8)),
            let status = json["status"]
        else {
            throw EngineFailure(
                .refused, "the credential plugin \(plugin.command) ended with \(answer.status) and no credential")
        }
        let pem: (String) -> TLSSettings.PEM? = { name in status[name]?.string.map { .bytes(Array($0.utf8)) } }
        let issued = Issued(
            token: status["token"]?.string, certificate: pem("clientCertificateData"), key: pem("clientKeyData"),
            expires: status["expirationTimestamp"]?.string.flatMap { Timestamp(iso8601: $0) })
        state.withLock { $0.issued = issued }
        return issued
    }
}
