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
        if ArgoNames.isWorkflow(workflow) { return ArgoNodes(workflow: workflow).observation }
        var seen = KubeReports(job: job, pods: pods.map(renamed), now: now).observation
        // The controller may remove pods early; its own notes stay.
        if seen.steps.isEmpty { seen.steps = nodes }
        if seen.reason == nil, seen.phase == .pending { seen.reason = message }
        if case .ended(let end) = seen.phase, !end.succeeded { seen.phase = .ended(told(end, seen.steps)) }
        return seen
    }

    /// What only Argo knows of an end: that somebody stopped it, and how a pod ended that cannot be seen.
    private func told(_ end: EngineEnd, _ steps: [EngineObservation.Step]) -> EngineEnd {
        if workflow["spec"]?["shutdown"]?.string != nil { return EngineEnd(.cancelled, message: message) }
        guard pods.isEmpty, end.kind == .failed else { return end }
        for step in steps {
            if case .ended(var own) = step.state, !own.succeeded {
                own.message = own.message ?? end.message
                return own
            }
        }
        return end
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

    private func renamed(_ pod: JSONValue) -> JSONValue {
        let names = ArgoNames(workflow: workflow)
        var status = pod["status"] ?? [:]
        for (phase, list) in [(JobPhase.initial, "initContainerStatuses"), (.main, "containerStatuses")] {
            guard let items = status[list]?.array else { continue }
            let kept = items.compactMap { item -> JSONValue? in
                let name = item["name"]?.string ?? ""
                return names.own(phase, name, pod: "", node: nil).map { item.setting("name", .string($0)) }
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
            let state: EngineObservation.Step.State
            switch node["phase"]?.string {
            case "Succeeded": state = .ended(EngineEnd(.succeeded, exitCode: 0))
            case "Failed", "Error": state = .ended(ArgoNodes.end(of: node))
            case "Running": state = .running
            default: state = .waiting
            }
            return EngineObservation.Step(.main, own, place: member.name, state)
        }
    }
}
