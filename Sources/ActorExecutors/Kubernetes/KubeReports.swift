package import ActorCore

/// Turns a Job, its pods and their events into what is seen of a job.
package struct KubeReports: Sendable {
    private let job: JSONValue
    /// Oldest first.
    private let pods: [JSONValue]
    /// Warnings about the job or its pods, oldest first.
    private let events: [JSONValue]
    private let now: Timestamp
    /// So long after its grace time a pod that is still there hangs on a node that is gone.
    private static let patience: Int64 = 10_000

    package init(job: JSONValue, pods: [JSONValue], events: [JSONValue] = [], now: Timestamp) {
        self.now = now
        self.job = job
        self.pods = pods.sorted { Self.created($0) < Self.created($1) }
        self.events = events
    }

    private static func created(_ object: JSONValue) -> String {
        object["metadata"]?["creationTimestamp"]?.string ?? ""
    }

    package var observation: EngineObservation {
        let steps = pods.flatMap { self.steps($0) }
        let started = pods.flatMap(Self.containers).compactMap { status in
            Self.moment(status["state"]?["running"]?["startedAt"] ?? status["state"]?["terminated"]?["startedAt"])
        }.min()
        let node = pods.last?["spec"]?["nodeName"]?.string
        func seen(_ phase: EngineObservation.Phase, _ reason: String? = nil) -> EngineObservation {
            EngineObservation(phase, reason: reason, node: node, started: started, steps: steps)
        }
        if isTrue("Complete") { return seen(.ended(EngineEnd(.succeeded, exitCode: 0))) }
        if let failed = condition("Failed") { return seen(.ended(failure(failed))) }
        if isTrue("FailureTarget") {
            // It never becomes Failed while a pod hangs on a node that is gone.
            if let lost = pods.last(where: isLost) {
                return seen(.ended(EngineEnd(.nodeFailed, message: lost["spec"]?["nodeName"]?.string)))
            }
            return seen(.running)
        }
        if condition("Suspended") != nil { return seen(.pending, "Suspended") }
        let hasBegun = steps.contains { $0.state != .waiting }
        return seen(hasBegun ? .running : .pending, obstacle ?? (hasBegun ? nil : waiting))
    }

    /// Whether its events would say more: nothing runs, and neither job nor pods say why.
    package var needsEvents: Bool {
        guard (job["status"]?["conditions"]?.array ?? []).isEmpty else { return false }
        if pods.isEmpty { return true }
        return obstacle == nil && pods.allSatisfy { $0["status"]?["phase"]?.string == "Pending" }
    }

    // MARK: Conditions

    private func condition(_ type: String) -> JSONValue? { Self.condition(type, of: job) }
    private func isTrue(_ type: String) -> Bool { condition(type) != nil }

    private static func condition(_ type: String, of object: JSONValue) -> JSONValue? {
        (object["status"]?["conditions"]?.array ?? []).first {
            $0["type"]?.string == type && $0["status"]?.string == "True"
        }
    }

    // MARK: What stands in its way

    private var obstacle: String? {
        for pod in pods.reversed() where pod["metadata"]?["deletionTimestamp"] == nil {
            if let scheduled = (pod["status"]?["conditions"]?.array ?? []).first(where: {
                $0["type"]?.string == "PodScheduled" && $0["status"]?.string == "False"
            }) {
                return Self.text(scheduled["reason"]?.string ?? "Unschedulable", scheduled["message"]?.string)
            }
            for status in Self.containers(pod) {
                guard let waiting = status["state"]?["waiting"], let reason = waiting["reason"]?.string,
                    !["PodInitializing", "ContainerCreating"].contains(reason)
                else { continue }
                let name = status["name"]?.string ?? ""
                // The two take turns, and the message counts the seconds: it is one obstacle.
                if ["ErrImagePull", "ImagePullBackOff"].contains(reason) {
                    return "ImagePullBackOff: \(name): the image \(status["image"]?.string ?? "") cannot be pulled"
                }
                if reason == "CrashLoopBackOff" { return "CrashLoopBackOff: \(name)" }
                return Self.text("\(reason): \(name)", waiting["message"]?.string)
            }
        }
        return nil
    }

    /// The last warning, for what waits without saying why: a quota, a volume.
    private var waiting: String? {
        guard let event = events.last(where: { $0["type"]?.string == "Warning" }) else { return nil }
        return Self.text(event["reason"]?.string ?? "Warning", event["message"]?.string)
    }

    private static func text(_ reason: String, _ message: String?) -> String {
        let line = (message ?? "").split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.isEmpty ? reason : "\(reason): \(line.prefix(500))"
    }

    // MARK: Steps

    private static func containers(_ pod: JSONValue) -> [JSONValue] {
        statuses(pod, "initContainerStatuses") + statuses(pod, "containerStatuses")
    }

    /// Without sidecars: init containers that go on beside the others are killed when those have ended, which is no
    /// end of theirs to tell of.
    private static func statuses(_ pod: JSONValue, _ list: String) -> [JSONValue] {
        let statuses = pod["status"]?[list]?.array ?? []
        guard list == "initContainerStatuses" else { return statuses }
        let sidecars = (pod["spec"]?["initContainers"]?.array ?? []).filter {
            $0["restartPolicy"]?.string == "Always"
        }.compactMap { $0["name"]?.string }
        return statuses.filter { status in
            let hasEnded = status["state"]?["terminated"] != nil
            return !hasEnded || !sidecars.contains(status["name"]?.string ?? "")
        }
    }

    private func steps(_ pod: JSONValue) -> [EngineObservation.Step] {
        let place = pod["metadata"]?["name"]?.string ?? ""
        return [(JobPhase.initial, "initContainerStatuses"), (.main, "containerStatuses")].flatMap { phase, list in
            Self.statuses(pod, list).map { status in
                let state = status["state"] ?? .null
                var milliseconds: Int64?
                let shown: EngineObservation.Step.State
                if let ended = state["terminated"] {
                    shown = .ended(Self.end(ended))
                    if let from = Self.moment(ended["startedAt"]), let to = Self.moment(ended["finishedAt"]),
                        from.milliseconds > 0
                    {
                        milliseconds = max(0, to.since(from))
                    }
                } else {
                    shown = state["running"] != nil ? .running : .waiting
                }
                return EngineObservation.Step(
                    phase, status["name"]?.string ?? "", place: place, shown, milliseconds: milliseconds)
            }
        }
    }

    private static func moment(_ value: JSONValue?) -> Timestamp? { value?.string.flatMap { Timestamp(iso8601: $0) } }

    private static func end(_ terminated: JSONValue) -> EngineEnd {
        let code = terminated["exitCode"]?.int
        let message = terminated["message"]?.string.map { String($0.prefix(500)) }
        switch terminated["reason"]?.string {
        case "OOMKilled": return EngineEnd(.outOfMemory, exitCode: code)
        case "StartError", "ContainerCannotRun":
            return EngineEnd(.couldNotStart, exitCode: code, message: message)
        case "ContainerStatusUnknown":
            return EngineEnd(.nodeFailed, message: "nobody knows how it ended")
        default: return code.map { .exited($0) } ?? EngineEnd(.failed, message: message)
        }
    }

    // MARK: The end

    private func failure(_ condition: JSONValue) -> EngineEnd {
        let message = condition["message"]?.string
        if condition["reason"]?.string == "DeadlineExceeded" { return EngineEnd(.timedOut) }
        guard let pod = pods.last(where: { $0["status"]?["phase"]?.string == "Failed" }) ?? pods.last else {
            // With OnFailure the pod goes with its last failure; else somebody has taken it away.
            let policy = job["spec"]?["template"]?["spec"]?["restartPolicy"]?.string
            return policy == "OnFailure"
                ? EngineEnd(.failed, message: message)
                : EngineEnd(.evicted, message: "its pod was removed")
        }
        return Self.end(of: pod) ?? EngineEnd(.failed, message: message)
    }

    /// How a pod ended, by what is worst about it.
    private static func end(of pod: JSONValue) -> EngineEnd? {
        let message = pod["status"]?["message"]?.string
        switch pod["status"]?["reason"]?.string {
        case "DeadlineExceeded": return EngineEnd(.timedOut)
        case "Evicted": return EngineEnd(.evicted, message: message)
        case "Preempting": return EngineEnd(.preempted, message: message)
        case "NodeLost", "NodeShutdown", "Terminated", "NodeAffinity":
            return EngineEnd(.nodeFailed, message: message)
        default: break
        }
        let ends = containers(pod).compactMap { $0["state"]?["terminated"] }.map { end($0) }
        let own = ends.first { !$0.succeeded }
        if let target = condition("DisruptionTarget", of: pod) {
            let message = target["message"]?.string
            switch target["reason"]?.string {
            case "PreemptionByScheduler": return EngineEnd(.preempted, message: message)
            case "EvictionByEvictionAPI", "TerminationByKubelet": return EngineEnd(.evicted, message: message)
            default: return EngineEnd(.nodeFailed, message: message)
            }
        }
        // Killed while somebody took it away.
        if pod["metadata"]?["deletionTimestamp"] != nil, [9, 15].contains(own?.signal ?? 0) {
            return EngineEnd(.evicted, message: "its pod was removed")
        }
        return own
    }

    private func isLost(_ pod: JSONValue) -> Bool {
        guard let gone = Self.moment(pod["metadata"]?["deletionTimestamp"]), now.since(gone) > Self.patience else {
            return false
        }
        return Self.containers(pod).contains { $0["state"]?["terminated"] == nil }
    }
}
