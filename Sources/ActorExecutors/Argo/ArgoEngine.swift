package import ActorCore

/// Runs jobs as Workflows of Argo, through the API server of its cluster.
package final class ArgoEngine: JobEngine {
    package let name = "argo"
    package let retriesItself = true
    package let leavesThings = true

    private static let selector = "\(KubeManifest.managedBy)=\(KubeManifest.managedByUs)"

    private let client: KubeClient
    private let settings: KubernetesEngineSettings
    private let pods: KubePods

    package init(client: KubeClient, settings: KubernetesEngineSettings) {
        self.client = client
        self.settings = settings
        self.pods = KubePods(client: client)
    }

    package func preview(_ order: JobOrder) throws(EngineFailure) -> String {
        JSONWriter.pretty(try ArgoManifest(order: order, settings: settings).json()) + "\n"
    }

    private static func path(_ namespace: String) -> String {
        "/apis/argoproj.io/v1alpha1/namespaces/\(namespace)/workflows"
    }

    private static func podsOf(_ run: EngineRun) -> String { "workflows.argoproj.io/workflow=\(run.name)" }

    private func namespaces(of runs: [EngineRun]) -> [String] {
        let named = Set(runs.compactMap { $0.id?.split(separator: "/").first.map(String.init) })
        return runs.allSatisfy { $0.id != nil } ? named.sorted() : settings.namespaces
    }

    package func find(_ run: EngineRun) async throws(EngineFailure) -> String? {
        for namespace in settings.namespaces where try await workflow(run, in: namespace) != nil {
            return "\(namespace)/\(run.name)"
        }
        return nil
    }

    /// The workflow of that name when it is ours.
    private func workflow(_ run: EngineRun, in namespace: String) async throws(EngineFailure) -> JSONValue? {
        let answer = try await client.send("GET", "\(Self.path(namespace))/\(run.name)")
        if answer.status == 404 { return nil }
        if let failure = answer.failure("the workflow \(run.name) cannot be read") { throw failure }
        let isOurs = answer.body["metadata"]?["labels"]?[KubeManifest.jobLabel]?.string == run.job.rawValue
        return isOurs ? answer.body : nil
    }

    package func submit(_ order: JobOrder) async throws(EngineFailure) -> String {
        let body = try ArgoManifest(order: order, settings: settings).json()
        let namespace = KubeManifest(order: order, settings: settings).namespace
        let answer = try await client.send(
            "POST", Self.path(namespace), query: [("fieldManager", "reactord"), ("fieldValidation", "Strict")],
            body: body)
        if answer.status == 409 {
            guard try await workflow(order.run, in: namespace) != nil else {
                throw EngineFailure(.unacceptable, "the name \(order.run.name) is taken by a workflow that is not ours")
            }
        } else if let failure = answer.failure("the workflow could not be made") {
            throw failure
        }
        return "\(namespace)/\(order.run.name)"
    }

    package func look(_ runs: [EngineRun]) async throws(EngineFailure) -> [JobID: EngineObservation] {
        let byName = Dictionary(runs.map { ($0.name, $0) }) { first, _ in first }
        var observations: [JobID: EngineObservation] = [:]
        for namespace in namespaces(of: runs) {
            let workflows = try await pods.list(Self.path(namespace), Self.selector)
            let found = Dictionary(grouping: try await pods.list(KubePods.path(namespace), Self.selector)) { pod in
                pod["metadata"]?["labels"]?["workflows.argoproj.io/workflow"]?.string ?? ""
            }
            for workflow in workflows {
                guard let run = byName[workflow["metadata"]?["name"]?.string ?? ""],
                    workflow["metadata"]?["labels"]?[KubeManifest.jobLabel]?.string == run.job.rawValue
                else { continue }
                observations[run.job] =
                    ArgoReports(
                        workflow: workflow, pods: found[run.name] ?? [], now: client.now()
                    ).observation
            }
        }
        return observations
    }

    package func pause(milliseconds: Int64) async throws { try await Task.sleep(for: .milliseconds(milliseconds)) }

    /// Exit handlers still run; what runs is ended.
    package func cancel(_ run: EngineRun, graceSeconds: Int) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) {
            guard try await workflow(run, in: namespace) != nil else { continue }
            let answer = try await client.send(
                "PATCH", "\(Self.path(namespace))/\(run.name)", body: ["spec": ["shutdown": "Stop"]],
                type: "application/merge-patch+json")
            if answer.status != 404, let failure = answer.failure("the workflow cannot be stopped") { throw failure }
        }
    }

    package func keepLogs(_ run: EngineRun, maxBytes: Int) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) {
            let template = try await workflow(run, in: namespace)?["spec"]?["templates"]?.array?.first ?? [:]
            try await pods.keepLogs(run, in: namespace, selector: Self.podsOf(run), maxBytes: maxBytes) {
                ArgoReports.ownName($0, $1, template: template)
            }
        }
    }

    package func forget(_ run: EngineRun) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) {
            let answer = try await client.send(
                "DELETE", "\(Self.path(namespace))/\(run.name)", body: ["propagationPolicy": "Background"])
            if answer.status != 404, let failure = answer.failure("the workflow cannot be deleted") { throw failure }
        }
    }
}
