import ActorCore

/// Workflows as resources of the API server.
final class ArgoCluster: ArgoDoor {
    private let client: KubeClient
    private let pods: KubePods

    init(client: KubeClient) {
        self.client = client
        self.pods = KubePods(client: client)
    }

    private static func path(_ namespace: String) -> String {
        "/apis/argoproj.io/v1alpha1/namespaces/\(namespace)/workflows"
    }

    func workflow(_ name: String, in namespace: String) async throws(EngineFailure) -> JSONValue? {
        let answer = try await client.send("GET", "\(Self.path(namespace))/\(name)")
        if answer.status == 404 { return nil }
        if let failure = answer.failure("the workflow \(name) cannot be read") { throw failure }
        return answer.body
    }

    func create(_ workflow: JSONValue, in namespace: String) async throws(EngineFailure) -> Bool {
        let answer = try await client.send(
            "POST", Self.path(namespace), query: [("fieldManager", "reactord"), ("fieldValidation", "Strict")],
            body: workflow)
        if answer.status == 409 { return false }
        if let failure = answer.failure("the workflow could not be made") { throw failure }
        return true
    }

    func workflows(in namespace: String) async throws(EngineFailure) -> [JSONValue] {
        try await pods.objects(Self.path(namespace), ArgoSelector.ours)
    }

    func pods(in namespace: String) async throws(EngineFailure) -> [JSONValue] {
        try await pods.objects(KubePods.path(namespace), ArgoSelector.ours)
    }

    /// Exit handlers still run; what runs is ended.
    func stop(_ name: String, in namespace: String) async throws(EngineFailure) {
        let answer = try await client.send(
            "PATCH", "\(Self.path(namespace))/\(name)", body: ["spec": ["shutdown": "Stop"]],
            type: "application/merge-patch+json")
        if answer.status != 404, let failure = answer.failure("the workflow cannot be stopped") { throw failure }
    }

    func delete(_ name: String, in namespace: String) async throws(EngineFailure) {
        let answer = try await client.send(
            "DELETE", "\(Self.path(namespace))/\(name)", body: ["propagationPolicy": "Background"])
        if answer.status != 404, let failure = answer.failure("the workflow cannot be deleted") { throw failure }
    }

    func keepLogs(
        of workflow: JSONValue, _ run: EngineRun, in namespace: String, maxBytes: Int
    ) async throws(EngineFailure) {
        let names = ArgoNames(workflow: workflow)
        try await pods.keepLogs(
            in: namespace, selector: "\(ArgoSelector.workflow)=\(run.name)", maxBytes: maxBytes
        ) { phase, pod, container in
            let node = pod["metadata"]?["annotations"]?[ArgoSelector.nodeName]?.string
            let name = pod["metadata"]?["name"]?.string ?? ""
            return names.own(phase, container, pod: name, node: node).map { run.logFile(phase, $0) }
        }
    }

    func pause(milliseconds: Int64, namespaces: [String]) async throws {
        let paths = namespaces.flatMap { [Self.path($0), KubePods.path($0)] }
        try await pods.pause(paths, ArgoSelector.ours, milliseconds: milliseconds)
    }
}
