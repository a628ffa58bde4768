package import ActorCore

/// Turns a Workflow and its pods into what is seen of a job, by way of what a Job of Kubernetes would show.
package struct ArgoReports: Sendable {
    private let workflow: JSONValue
    private let pods: [JSONValue]
    private let now: Timestamp

    package init(workflow: JSONValue, pods: [JSONValue], now: Timestamp) {
        self.now = now
        self.workflow = workflow
        self.pods = pods
    }

    package var observation: EngineObservation {
        var seen = KubeReports(job: job, pods: pods.map(renamed), now: now).observation
        // The controller may remove pods early; its own notes stay.
        if seen.steps.isEmpty { seen.steps = nodes }
        if seen.reason == nil, seen.phase == .pending { seen.reason = message }
        return seen
    }

    private var message: String? {
        workflow["status"]?["message"]?.string.flatMap { $0.isEmpty ? nil : String($0.prefix(500)) }
    }

    private var job: JSONValue {
        var conditions: [JSONValue] = []
        switch workflow["status"]?["phase"]?.string {
        case "Succeeded": conditions = [["type": "Complete", "status": "True"]]
        case "Failed", "Error":
            let isLate = ["deadline", "duration limit"].contains { (message ?? "").lowercased().contains($0) }
            conditions = [
                [
                    "type": "Failed", "status": "True", "reason": isLate ? "DeadlineExceeded" : "WorkflowFailed",
                    "message": JSONValue(message),
                ]
            ]
        default: break
        }
        // A pod that is gone without an end of its own was taken away only if nobody knows better.
        let policy: JSONValue = nodes.isEmpty ? "Never" : "OnFailure"
        return [
            "metadata": workflow["metadata"] ?? [:], "spec": ["template": ["spec": ["restartPolicy": policy]]],
            "status": ["conditions": .array(conditions)],
        ]
    }

    private var template: JSONValue { workflow["spec"]?["templates"]?.array?.first ?? [:] }

    /// A single container is called `main` in its pod; `wait` and `init` are Argo's own.
    package static func ownName(_ phase: JobPhase, _ container: String, template: JSONValue) -> String? {
        if ["wait", "init"].contains(container) { return nil }
        guard phase == .main, container == "main" else { return container }
        return template["container"]?["name"]?.string ?? container
    }

    private func renamed(_ pod: JSONValue) -> JSONValue {
        var status = pod["status"] ?? [:]
        for (phase, list) in [(JobPhase.initial, "initContainerStatuses"), (.main, "containerStatuses")] {
            guard let items = status[list]?.array else { continue }
            let kept = items.compactMap { item -> JSONValue? in
                let name = item["name"]?.string ?? ""
                return Self.ownName(phase, name, template: template).map { item.setting("name", .string($0)) }
            }
            status = status.setting(list, .array(kept))
        }
        return pod.setting("status", status)
    }

    private var nodes: [EngineObservation.Step] {
        (workflow["status"]?["nodes"]?.object ?? []).compactMap { member in
            let node = member.value
            let type = node["type"]?.string
            guard type == "Pod" || type == "Container", let name = node["displayName"]?.string else { return nil }
            // The pod of a set of containers is told by its containers.
            if type == "Pod", template["containerSet"] != nil { return nil }
            let own = type == "Pod" ? template["container"]?["name"]?.string ?? name : name
            let code = node["outputs"]?["exitCode"]?.string.flatMap { Int($0) }
            let state: EngineObservation.Step.State
            switch node["phase"]?.string {
            case "Succeeded": state = .ended(EngineEnd(.succeeded, exitCode: 0))
            case "Failed", "Error":
                state = .ended(code.map { .exited($0) } ?? EngineEnd(.failed, message: node["message"]?.string))
            case "Running": state = .running
            default: state = .waiting
            }
            return EngineObservation.Step(.main, own, place: member.name, state)
        }
    }
}
