import ActorCore

/// Workflows by the REST API of the Argo server (`/api/v1/workflows/…`), for houses without an account at the cluster.
final class ArgoServer: ArgoDoor {
    private static let page = "500"

    private let client: KubeClient
    private let files = FileQueue()

    /// - Parameter client: knows the server and our token; it speaks HTTP to an API server in the same way.
    init(client: KubeClient) { self.client = client }

    private static func path(_ namespace: String, _ name: String? = nil, _ verb: String? = nil) -> String {
        (["/api/v1/workflows", namespace] + [name, verb].compactMap { $0 }).joined(separator: "/")
    }

    func workflow(_ name: String, in namespace: String) async throws(EngineFailure) -> JSONValue? {
        let answer = try await client.send("GET", Self.path(namespace, name))
        if answer.status == 404 { return nil }
        if let failure = answer.failure("the workflow \(name) cannot be read") { throw failure }
        return answer.body
    }

    func create(_ workflow: JSONValue, in namespace: String) async throws(EngineFailure) -> Bool {
        let answer = try await client.send(
            "POST", Self.path(namespace), body: ["namespace": .string(namespace), "workflow": workflow])
        if answer.status == 409 { return false }
        if let failure = answer.failure("the workflow could not be made") { throw failure }
        return true
    }

    func workflows(in namespace: String) async throws(EngineFailure) -> [JSONValue] {
        var items: [JSONValue] = []
        var token: String?
        repeat {
            var query = [("listOptions.labelSelector", ArgoSelector.ours), ("listOptions.limit", Self.page)]
            if let token { query.append(("listOptions.continue", token)) }
            let answer = try await client.send("GET", Self.path(namespace), query: query)
            if let failure = answer.failure("the workflows of \(namespace) cannot be listed") { throw failure }
            items += answer.body["items"]?.array ?? []
            token = answer.body["metadata"]?["continue"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil
        return items
    }

    func pods(in namespace: String) async throws(EngineFailure) -> [JSONValue] { [] }

    func stop(_ name: String, in namespace: String) async throws(EngineFailure) {
        let answer = try await client.send(
            "PUT", Self.path(namespace, name, "stop"),
            body: ["namespace": .string(namespace), "name": .string(name)])
        // A completed one cannot be stopped, and need not.
        if answer.status == 404 || answer.message.contains("completed workflow") { return }
        if let failure = answer.failure("the workflow cannot be stopped") { throw failure }
    }

    func delete(_ name: String, in namespace: String) async throws(EngineFailure) {
        let answer = try await client.send("DELETE", Self.path(namespace, name))
        if answer.status != 404, let failure = answer.failure("the workflow cannot be deleted") { throw failure }
    }

    /// Asked once for each name of a container; a line of the answer says which pod has printed it.
    func keepLogs(
        of workflow: JSONValue, _ run: EngineRun, in namespace: String, maxBytes: Int
    ) async throws(EngineFailure) {
        let names = ArgoNames(workflow: workflow)
        for (phase, container) in names.containers {
            let answer = try await client.send(
                "GET", Self.path(namespace, run.name, "log"),
                query: [("logOptions.container", container), ("logOptions.limitBytes", String(maxBytes))])
            if answer.status == 404 || answer.status == 400 { continue }
            if let failure = answer.failure("the logs of the workflow cannot be read") { throw failure }
            var texts: [String: [UInt8]] = [:]
            for (pod, line) in ArgoLog.lines(answer.text) {
                guard let own = names.own(phase, container, pod: pod, node: nil) else { continue }
                let file = run.logFile(phase, own)
                if texts[file, default: []].count < maxBytes { texts[file, default: []] += Array("\(line)\n".utf8) }
            }
            for (file, text) in texts {
                let isWritten = await files.perform { SmallFile.grow(text, to: file) }
                if !isWritten { throw EngineFailure(.unreachable, "the log \(file) cannot be written") }
            }
        }
    }

    func pause(milliseconds: Int64, namespaces: [String]) async throws {
        try await Task.sleep(for: .milliseconds(milliseconds))
    }
}

/// The Argo server's stream of logs: a JSON object on each line.
enum ArgoLog {
    static func lines(_ text: [UInt8]) -> [(pod: String, line: String)] {
        text.split(separator: 0x0a).compactMap { line in
            guard let result = (try? JSONReader.read(Array(line)))?["result"] else { return nil }
            return (result["podName"]?.string ?? "", result["content"]?.string ?? "")
        }
    }
}
