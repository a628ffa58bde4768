package import ActorCore
import Glibc
import Synchronization

/// Speaks to an API server: finds out how to reach it, shows who we are, and says what its refusals mean.
package final class KubeClient: Sendable {
    /// Where the way to the server is written down.
    package struct Source: Sendable, Equatable {
        /// A kubeconfig file; nil: $KUBECONFIG, the account of the pod that we run in, ~/.kube/config.
        package var kubeconfig: String?
        package var context: String?

        package init(kubeconfig: String? = nil, context: String? = nil) {
            self.kubeconfig = kubeconfig
            self.context = context
        }
    }

    package struct Answer: Sendable {
        package let status: Int
        package let body: JSONValue
        package let text: [UInt8]
        package let retryAfter: Int?

        package init(status: Int, body: JSONValue, text: [UInt8], retryAfter: Int?) {
            self.status = status
            self.body = body
            self.text = text
            self.retryAfter = retryAfter
        }

        /// What a Status says, or the beginning of what else was answered.
        package var message: String {
            body["message"]?.string ?? String(decoding: text.prefix(300), as: UTF8.self)
        }
        package var reason: String { body["reason"]?.string ?? "" }
    }

    private struct State {
        var access: KubeAccess?
        /// What a plugin has handed out, and until when it is good.
        var issued: (token: String?, certificate: TLSSettings.PEM?, key: TLSSettings.PEM?, expires: Timestamp?)?
    }

    private static let maxAnswer = 64 << 20
    private static let maxFile = 4 << 20

    private let http: any HTTPClient
    private let documents: any DocumentReader
    private let source: Source
    let now: @Sendable () -> Timestamp
    private let files = FileQueue()
    private let state: Mutex<State>

    /// - Parameter access: known already, for tests; nil reads `source` when it is first needed.
    package init(
        http: any HTTPClient, documents: any DocumentReader, source: Source, access: KubeAccess? = nil,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.http = http
        self.documents = documents
        self.source = source
        self.now = now
        self.state = Mutex(State(access: access))
    }

    /// The namespace that the context or the pod's account names.
    package func ownNamespace() async throws(EngineFailure) -> String? { try await access().namespace }

    // MARK: Requests

    package func send(
        _ method: String, _ path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        type: String = "application/json", accept: String = "application/json"
    ) async throws(EngineFailure) -> Answer {
        var request = try await request(method, path, query, accept: accept)
        if let body {
            request.body = JSONWriter.bytes(body)
            request.headers.append(("Content-Type", type))
        }
        request.maxResponseBytes = Self.maxAnswer
        let response: IncomingResponse
        do {
            response = try await http.send(request, policy: .anywhere)
        } catch {
            throw EngineFailure(.unreachable, "the API server did not answer: \(error.message)")
        }
        if response.status == 401 { state.withLock { $0.issued = nil } }
        let body =
            response.header("content-type")?.contains("json") == true
            ? try? JSONReader.read(
                response.body, maxDepth: 128) : nil
        return Answer(
            status: response.status, body: body ?? .null, text: response.body,
            retryAfter: response.header("retry-after").flatMap { Int($0) })
    }

    /// A watch: the lines as they come. False when the server has ended it, true when `line` wanted no more.
    package func watch(
        _ path: String, query: [(String, String)], idleMilliseconds: Int64,
        _ line: (JSONValue) -> Bool
    ) async throws(EngineFailure) -> Bool {
        var request = try await request("GET", path, query, accept: "application/json")
        request.idleMilliseconds = idleMilliseconds
        do throws(ActorError) {
            let stream = try await http.stream(request, policy: .anywhere)
            guard stream.status == 200 else {
                throw ActorError(.unavailable, "the watch was answered with \(stream.status)")
            }
            var rest: [UInt8] = []
            while let bytes = try await stream.next() {
                rest += bytes
                while let end = rest.firstIndex(of: 0x0a) {
                    let text = Array(rest[..<end])
                    rest.removeSubrange(...end)
                    guard let event = try? JSONReader.read(text, maxDepth: 128) else { continue }
                    if !line(event) {
                        stream.close()
                        return true
                    }
                }
                guard rest.count <= Self.maxFile else {
                    throw ActorError(.unavailable, "a line of the watch has no end")
                }
            }
            return false
        } catch {
            throw EngineFailure(.unreachable, "the watch broke off: \(error.message)")
        }
    }

    private func request(
        _ method: String, _ path: String, _ query: [(String, String)], accept: String
    ) async throws(EngineFailure) -> OutgoingRequest {
        let access = try await access()
        let parameters = query.map { "\(PercentText.escaped($0.0))=\(PercentText.escaped($0.1))" }
        let tail = parameters.isEmpty ? "" : "?\(parameters.joined(separator: "&"))"
        var request = OutgoingRequest(
            method: method, url: "\(access.server)\(path)\(tail)",
            headers: [("Accept", accept), ("User-Agent", "reactord")], timeoutMilliseconds: 30_000)
        var tls = access.tls
        switch access.credential {
        case .none: break
        case .token(let token): request.headers.append(("Authorization", "Bearer \(token)"))
        case .basic(let user, let password):
            request.headers.append(("Authorization", "Basic \(Base64.encode(Array("\(user):\(password)".utf8)))"))
        case .tokenFile(let path):
            let bytes = await files.perform { SmallFile.read(path, limit: Self.maxFile) }
            guard let bytes else { throw EngineFailure(.refused, "the token file \(path) cannot be read") }
            let token = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
            request.headers.append(("Authorization", "Bearer \(token)"))
        case .plugin(let plugin):
            let issued = try await issued(by: plugin)
            if let token = issued.token { request.headers.append(("Authorization", "Bearer \(token)")) }
            tls.certificate = issued.certificate ?? tls.certificate
            tls.key = issued.key ?? tls.key
        }
        if tls != TLSSettings() { request.tls = tls }
        return request
    }

    // MARK: Who we are

    private func access() async throws(EngineFailure) -> KubeAccess {
        if let known = state.withLock(\.access) { return known }
        let found = try await find()
        state.withLock { $0.access = found }
        return found
    }

    private func find() async throws(EngineFailure) -> KubeAccess {
        if let file = source.kubeconfig ?? Self.variable("KUBECONFIG")?.split(separator: ":").first.map(String.init) {
            return try await read(file)
        }
        let namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
        let namespace = await files.perform { SmallFile.read(namespaceFile) }
            .map { String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace } }
        if let access = KubeAccess.inCluster(
            host: Self.variable("KUBERNETES_SERVICE_HOST"), port: Self.variable("KUBERNETES_SERVICE_PORT"),
            namespace: namespace)
        {
            return access
        }
        return try await read("\(Self.variable("HOME") ?? "/root")/.kube/config")
    }

    private func read(_ file: String) async throws(EngineFailure) -> KubeAccess {
        let bytes = await files.perform { SmallFile.read(file, limit: Self.maxFile) }
        guard let bytes else {
            throw EngineFailure(
                .refused, "the kubeconfig \(file) cannot be read: set executors.kubernetes.kubeconfig")
        }
        let document: ParsedDocument
        do {
            document = try documents.read(yaml: bytes, file: file)
        } catch {
            throw EngineFailure(.refused, error.description)
        }
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
        return try KubeAccess(kubeconfig: document.value, context: source.context, folder: folder, file: file)
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private func issued(
        by plugin: KubePlugin
    ) async throws(EngineFailure) -> (token: String?, certificate: TLSSettings.PEM?, key: TLSSettings.PEM?) {
        let now = now()
        if let known = state.withLock(\.issued), known.expires.map({ $0 > now.adding(milliseconds: 60_000) }) ?? true {
            return (known.token, known.certificate, known.key)
        }
        var command = ShortCommand(prefixes: ["AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "OIDC_"])
        let info: JSONValue = [
            "apiVersion": .string(plugin.version), "kind": "ExecCredential", "spec": ["interactive": false],
        ]
        command.extra = plugin.environment + [EnvironmentEntry("KUBERNETES_EXEC_INFO", JSONWriter.string(info))]
        if plugin.command.hasPrefix("/"), let slash = plugin.command.lastIndex(of: "/") {
            command.folder = String(plugin.command[..<slash])
        }
        let name = plugin.command.split(separator: "/").last.map(String.init) ?? plugin.command
        let answer: ShortCommand.Answer
        do {
            answer = try await command.run(name, plugin.arguments)
        } catch {
            let hint = plugin.installHint.map { " (\($0))" } ?? ""
            throw EngineFailure(.refused, "the credential plugin \(plugin.command) did not run\(hint)")
        }
        // What it prints beside may hold secrets.
        guard answer.status == 0, let json = try? JSONReader.read(Array(answer.output.utf8)),
            let status = json["status"]
        else {
            throw EngineFailure(
                .refused, "the credential plugin \(plugin.command) ended with \(answer.status) and no credential")
        }
        let pem: (String) -> TLSSettings.PEM? = { name in status[name]?.string.map { .bytes(Array($0.utf8)) } }
        let expires = status["expirationTimestamp"]?.string.flatMap { Timestamp(iso8601: $0) }
        let token = status["token"]?.string
        let (certificate, key) = (pem("clientCertificateData"), pem("clientKeyData"))
        state.withLock { $0.issued = (token, certificate, key, expires) }
        return (token, certificate, key)
    }
}

extension KubeClient.Answer {
    /// What a refusal means for the job; nil when it is none.
    package func failure(_ what: String) -> EngineFailure? {
        if (200..<300).contains(status) { return nil }
        let text = "\(what): \(status)\(reason.isEmpty ? "" : " \(reason)"): \(message.prefix(1000))"
        switch status {
        case 403 where message.contains("exceeded quota") || message.contains("must specify"):
            return EngineFailure(.quota, text)
        case 400, 413, 422: return EngineFailure(.unacceptable, text)
        case 401, 403, 404, 405, 409: return EngineFailure(.refused, text)
        // 408, 429, 5xx: later.
        default: return EngineFailure(.unreachable, text)
        }
    }
}
