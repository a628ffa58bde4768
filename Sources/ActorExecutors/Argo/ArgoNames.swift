package import ActorCore

/// What the containers of a Workflow's pods are called by people: as the job file calls them, or by the node that they
/// belong to where a Workflow was submitted as such.
package struct ArgoNames: Sendable {
    /// Of the Workflow: `Workflow` when the job file was one.
    package static let kindAnnotation = "reactord/kind"

    private let templates: [JSONValue]
    private let nodes: [JSONValue.Member]
    private let isWorkflow: Bool

    package init(workflow: JSONValue) {
        templates = workflow["spec"]?["templates"]?.array ?? []
        nodes = workflow["status"]?["nodes"]?.object ?? []
        isWorkflow = Self.isWorkflow(workflow)
    }

    package static func isWorkflow(_ workflow: JSONValue) -> Bool {
        workflow["metadata"]?["annotations"]?[kindAnnotation]?.string == "Workflow"
    }

    /// Nil for what Argo itself puts into a pod.
    ///
    /// - Parameter node: the whole name of the pod's node, when the pod says it.
    package func own(_ phase: JobPhase, _ container: String, pod: String, node: String?) -> String? {
        if ["wait", "init"].contains(container) { return nil }
        guard isWorkflow else {
            guard phase == .main, container == "main" else { return container }
            return templates.first?["container"]?["name"]?.string ?? container
        }
        let title = self.title(pod: pod, node: node)
        return container == "main" ? title : "\(title)/\(container)"
    }

    /// Pods are called like their node (`wf-123`), or with the template's name in between (`wf-convert-123`).
    private func title(pod: String, node: String?) -> String {
        let tail = pod.split(separator: "-").last
        let found =
            nodes.first { node != nil && $0.value["name"]?.string == node }
            ?? nodes.first { $0.name == pod }
            ?? nodes.first { tail != nil && $0.name.split(separator: "-").last == tail }
        return found?.value["displayName"]?.string ?? pod
    }

    /// All that may have printed something.
    package var containers: [(phase: JobPhase, name: String)] {
        var seen: Set<String> = []
        var all: [(JobPhase, String)] = []
        func add(_ phase: JobPhase, _ name: String) {
            if seen.insert("\(phase.rawValue)/\(name)").inserted { all.append((phase, name)) }
        }
        for template in templates {
            for name in Self.names(template["initContainers"]) { add(.initial, name) }
            for name in Self.names(template["containerSet"]?["containers"]) { add(.main, name) }
            if template["container"] != nil || template["script"] != nil { add(.main, "main") }
            for name in Self.names(template["sidecars"]) { add(.main, name) }
        }
        return all
    }

    private static func names(_ containers: JSONValue?) -> [String] {
        (containers?.array ?? []).compactMap { $0["name"]?.string }
    }
}
