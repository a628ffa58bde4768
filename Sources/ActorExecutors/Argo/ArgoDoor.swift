import ActorCore

/// The way to Argo's Workflows: the API server of their cluster, or Argo's own server.
protocol ArgoDoor: Sendable {
    /// Nil when there is none of that name.
    func workflow(_ name: String, in namespace: String) async throws(EngineFailure) -> JSONValue?
    /// False when the name is taken.
    func create(_ workflow: JSONValue, in namespace: String) async throws(EngineFailure) -> Bool
    /// All that are managed by us.
    func workflows(in namespace: String) async throws(EngineFailure) -> [JSONValue]
    /// Their pods; none where only Workflows can be seen.
    func pods(in namespace: String) async throws(EngineFailure) -> [JSONValue]
    func stop(_ name: String, in namespace: String) async throws(EngineFailure)
    func delete(_ name: String, in namespace: String) async throws(EngineFailure)
    /// The log of each container, in its file.
    func keepLogs(
        of workflow: JSONValue, _ run: EngineRun, in namespace: String, maxBytes: Int
    ) async throws(EngineFailure)
    /// Until something has happened, or the time is over.
    func pause(milliseconds: Int64, namespaces: [String]) async throws
}

/// What Argo and we write on Workflows and pods.
enum ArgoSelector {
    static let ours = "\(KubeManifest.managedBy)=\(KubeManifest.managedByUs)"
    static let workflow = "workflows.argoproj.io/workflow"
    static let nodeName = "workflows.argoproj.io/node-name"
}
