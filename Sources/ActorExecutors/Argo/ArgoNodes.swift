package import ActorCore

/// What the nodes of a Workflow say that was submitted as such: each pod of it is a step of the job.
package struct ArgoNodes: Sendable {
    private let workflow: JSONValue
    /// Words of the controller and the kubelet, and what they mean.
    private static let meanings: [(String, EngineEnd.Kind)] = [
        ("oomkilled", .outOfMemory), ("low on resource", .evicted), ("evicted", .evicted),
        ("pod deleted", .evicted), ("node shutdown", .nodeFailed), ("preempt", .preempted),
        ("deadline", .timedOut), ("duration limit", .timedOut),
    ]

    package init(workflow: JSONValue) { self.workflow = workflow }

    package var observation: EngineObservation {
        let pods = nodes("Pod")
        let steps = pods.map { member in
            EngineObservation.Step(
                .main, member.value["displayName"]?.string ?? member.name, place: member.name, Self.state(member.value),
                milliseconds: Self.milliseconds(member.value))
        }
        let running = pods.last { $0.value["phase"]?.string == "Running" } ?? pods.last
        let started = workflow["status"]?["startedAt"]?.string.flatMap { Timestamp(iso8601: $0) }
        func seen(_ phase: EngineObservation.Phase, _ reason: String? = nil) -> EngineObservation {
            EngineObservation(
                phase, reason: reason, node: running?.value["hostNodeName"]?.string, started: started, steps: steps)
        }
        switch workflow["status"]?["phase"]?.string {
        case "Succeeded": return seen(.ended(EngineEnd(.succeeded, exitCode: 0)))
        case "Failed", "Error": return seen(.ended(end(pods)))
        default:
            let hasBegun = steps.contains { $0.state != .waiting }
            return seen(hasBegun ? .running : .pending, waiting(pods, hasBegun))
        }
    }

    private func nodes(_ type: String) -> [JSONValue.Member] {
        (workflow["status"]?["nodes"]?.object ?? []).filter { $0.value["type"]?.string == type }
    }

    private static func text(_ value: JSONValue?) -> String? {
        value?.string.flatMap { $0.isEmpty ? nil : String($0.prefix(500)) }
    }

    /// Somebody has to let it go on, a pod cannot start, or the controller says why nothing runs.
    private func waiting(_ pods: [JSONValue.Member], _ hasBegun: Bool) -> String? {
        if let held = nodes("Suspend").first(where: { $0.value["phase"]?.string == "Running" }) {
            return "Suspended: \(held.value["displayName"]?.string ?? held.name)"
        }
        let stuck = pods.first { $0.value["phase"]?.string == "Pending" && Self.text($0.value["message"]) != nil }
        if let stuck, let message = Self.text(stuck.value["message"]) {
            return "\(stuck.value["displayName"]?.string ?? stuck.name): \(message)"
        }
        return hasBegun ? nil : Self.text(workflow["status"]?["message"])
    }

    private static func state(_ node: JSONValue) -> EngineObservation.Step.State {
        switch node["phase"]?.string {
        case "Succeeded": .ended(EngineEnd(.succeeded, exitCode: 0))
        case "Failed", "Error": .ended(end(of: node))
        case "Running": .running
        // Skipped and omitted ones never ran.
        default: .waiting
        }
    }

    static func end(of node: JSONValue) -> EngineEnd {
        let code = node["outputs"]?["exitCode"]?.string.flatMap { Int($0) }
        let message = text(node["message"])
        if let kind = kind(message) { return EngineEnd(kind, exitCode: code, message: message) }
        return code.map { .exited($0) } ?? EngineEnd(.failed, message: message)
    }

    private static func kind(_ message: String?) -> EngineEnd.Kind? {
        let words = (message ?? "").lowercased()
        return meanings.first { words.contains($0.0) }?.1
    }

    private static func milliseconds(_ node: JSONValue) -> Int64? {
        guard let from = node["startedAt"]?.string.flatMap({ Timestamp(iso8601: $0) }),
            let to = node["finishedAt"]?.string.flatMap({ Timestamp(iso8601: $0) })
        else { return nil }
        return max(0, to.since(from))
    }

    private func end(_ pods: [JSONValue.Member]) -> EngineEnd {
        let message = Self.text(workflow["status"]?["message"])
        if workflow["spec"]?["shutdown"]?.string != nil { return EngineEnd(.cancelled, message: message) }
        if Self.kind(message) == .timedOut { return EngineEnd(.timedOut, message: message) }
        // Of several tries of a step the last one speaks.
        let failed = pods.filter { ["Failed", "Error"].contains($0.value["phase"]?.string ?? "") }
        let last = failed.max { Self.finished($0.value) < Self.finished($1.value) }
        return last.map { Self.end(of: $0.value) } ?? EngineEnd(.failed, message: message)
    }

    private static func finished(_ node: JSONValue) -> String { node["finishedAt"]?.string ?? "" }
}
