package import ActorCore

/// Runs jobs as Workflows of Argo: job files that are Jobs in one pod, Workflows as they are.
package final class ArgoEngine: JobEngine {
    package let name = "argo"
    package let retriesItself = true
    package let leavesThings = true

    private let door: any ArgoDoor
    private let settings: KubernetesEngineSettings
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - client: knows the API server, or the Argo server.
    ///   - isServer: it is the Argo server.
    package init(client: KubeClient, settings: KubernetesEngineSettings, isServer: Bool = false) {
        self.door = isServer ? ArgoServer(client: client) : ArgoCluster(client: client)
        self.settings = settings
        self.now = client.now
    }

    package func preview(_ order: JobOrder) throws(EngineFailure) -> String {
        JSONWriter.pretty(try ArgoManifest(order: order, settings: settings).json()) + "\n"
    }

    private func namespaces(of runs: [EngineRun]) -> [String] {
        let named = Set(runs.compactMap { $0.id?.split(separator: "/").first.map(String.init) })
        return runs.allSatisfy { $0.id != nil } ? named.sorted() : settings.namespaces
    }

    package func find(_ run: EngineRun) async throws(EngineFailure) -> String? {
        for namespace in settings.namespaces where try await own(run, in: namespace) != nil {
            return "\(namespace)/\(run.name)"
        }
        return nil
    }

    /// The workflow of that name when it is ours.
    private func own(_ run: EngineRun, in namespace: String) async throws(EngineFailure) -> JSONValue? {
        let workflow = try await door.workflow(run.name, in: namespace)
        return workflow.flatMap { Self.isOf(run, $0) ? $0 : nil }
    }

    private static func isOf(_ run: EngineRun, _ workflow: JSONValue) -> Bool {
        workflow["metadata"]?["labels"]?[KubeManifest.jobLabel]?.string == run.job.rawValue
    }

    package func submit(_ order: JobOrder) async throws(EngineFailure) -> String {
        let body = try ArgoManifest(order: order, settings: settings).json()
        let namespace = KubeManifest(order: order, settings: settings).namespace
        if try await !door.create(body, in: namespace), try await own(order.run, in: namespace) == nil {
            throw EngineFailure(.unacceptable, "the name \(order.run.name) is taken by a workflow that is not ours")
        }
        return "\(namespace)/\(order.run.name)"
    }

    package func look(_ runs: [EngineRun]) async throws(EngineFailure) -> [JobID: EngineObservation] {
        let byName = Dictionary(runs.map { ($0.name, $0) }) { first, _ in first }
        var observations: [JobID: EngineObservation] = [:]
        for namespace in namespaces(of: runs) {
            let workflows = try await door.workflows(in: namespace)
            let pods = Dictionary(grouping: try await door.pods(in: namespace)) { pod in
                pod["metadata"]?["labels"]?[ArgoSelector.workflow]?.string ?? ""
            }
            for workflow in workflows {
                guard let run = byName[workflow["metadata"]?["name"]?.string ?? ""], Self.isOf(run, workflow) else {
                    continue
                }
                let reports = ArgoReports(workflow: workflow, pods: pods[run.name] ?? [], now: now())
                observations[run.job] = reports.observation
            }
        }
        return observations
    }

    package func pause(milliseconds: Int64) async throws {
        try await door.pause(milliseconds: milliseconds, namespaces: settings.namespaces)
    }

    package func cancel(_ run: EngineRun, graceSeconds: Int) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) where try await own(run, in: namespace) != nil {
            try await door.stop(run.name, in: namespace)
        }
    }

    package func keepLogs(_ run: EngineRun, maxBytes: Int) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) {
            guard let workflow = try await own(run, in: namespace) else { continue }
            try await door.keepLogs(of: workflow, run, in: namespace, maxBytes: maxBytes)
        }
    }

    package func forget(_ run: EngineRun) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) { try await door.delete(run.name, in: namespace) }
    }
}
