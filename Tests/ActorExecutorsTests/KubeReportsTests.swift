import ActorCore
import ActorExecutors
import FoundationEssentials
import Testing

/// Recorded exchanges with a real cluster, beside this file.
enum KubeRecords {
    static func read(_ file: String) -> JSONValue {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        guard let data = try? Data(contentsOf: folder.appending(path: "Fixtures/\(file).json")),
            let json = try? JSONReader.read(Array(data), maxDepth: 128)
        else {
            Issue.record("the fixture \(file).json cannot be read")
            return .null
        }
        return json
    }
}

/// What a recorded cluster showed of each job, state by state, and what becomes of it here.
struct KubeReportsTests {
    /// The story as it would be told, and how it ends: scenario, words that occur in it, the end.
    private static let expected: [(String, [String], String)] = [
        ("job_complete_then_ttl", ["running localhost"], "publish"), ("exit_code_7", [], "failed 7 main/main"),
        ("init_container_fails", ["init/one succeeded"], "failed 3 init/two"),
        ("oom_killed", [], "out_of_memory 137 main/main"), ("oom_of_a_child", [], "out_of_memory"),
        ("active_deadline_of_the_job", [], "timed_out"), ("active_deadline_of_the_pod", [], "timed_out"),
        ("command_not_found", [], "could_not_start 128"), ("image_never", ["waits ErrImageNeverPull"], ""),
        ("image_pull_fails", ["waits ImagePullBackOff"], ""), ("image_name_invalid", ["waits InvalidImageName"], ""),
        ("missing_secret", ["waits CreateContainerConfigError"], "publish"),
        ("unschedulable", ["waits Unschedulable"], ""), ("retry_new_pods", [], "failed"),
        ("retry_in_place", [], "failed"), ("pod_failure_policy", [], "failed"),
        ("pod_deleted", [], "evicted"), ("evict_pod", [], "evicted"), ("node_unreachable", [], "node_failed"),
    ]

    @Test(arguments: expected.map(\.0)) func theStoryOfEachScenario(name: String) throws {
        let row = try #require(Self.expected.first { $0.0 == name })
        let scenarios = KubeRecords.read("kubernetes_changes")["scenarios"]?.array ?? []
        let scenario = try #require(scenarios.first { $0["name"]?.string == name })
        let (story, end) = Self.play(scenario["changes"]?.array ?? [])
        for word in row.1 { #expect(story.contains { $0.hasPrefix(word) }, "\(story)") }
        #expect(row.2.isEmpty ? end == nil : end?.hasPrefix(row.2) == true, "\(story) \(end ?? "no end")")
    }

    /// Every state that the client saw is one look.
    private static func play(_ changes: [JSONValue]) -> (story: [String], end: String?) {
        var machine = RemoteJobMachine(
            rules: .init(engineRetries: 0), now: Timestamp(milliseconds: 0))
        _ = machine.submitted("1", now: Timestamp(milliseconds: 0))
        var name: String?
        var job: JSONValue?
        var pods: [String: JSONValue] = [:]
        var events: [JSONValue] = []
        var story: [String] = []
        // Where the client asked for pods now and then only, its answers are of one moment together.
        let isWatched = changes.contains {
            $0["type"]?.string != "SEEN" && $0["object"]?["kind"]?.string == "Pod"
        }
        for (index, change) in changes.enumerated() {
            guard let object = change["object"], let own = object["metadata"]?["name"]?.string else { continue }
            let isGone = change["type"]?.string == "DELETED"
            switch object["kind"]?.string {
            case "Job":
                name = name ?? own
                guard own == name else { continue }
                job = isGone ? JSONValue?.none : object
            case "Pod":
                guard let name, own.hasPrefix(name) else { continue }
                pods[own] = isGone ? JSONValue?.none : object
            default: events.append(object)
            }
            guard let job, isWatched || index == changes.count - 1 else { continue }
            let begun = job["metadata"]?["creationTimestamp"]?.string.flatMap { Timestamp(iso8601: $0) }
            let now = (begun ?? Timestamp(milliseconds: 0)).adding(seconds: change["t"]?.double ?? 0)
            let seen = KubeReports(job: job, pods: Array(pods.values), events: events, now: now).observation
            var actions = machine.seen(seen, now: Timestamp(milliseconds: 1))
            while !actions.isEmpty {
                switch actions.removeFirst() {
                case .keep: actions += machine.kept(now: Timestamp(milliseconds: 2), chance: 0)
                case .publish: return (story, "publish")
                case .fail(let step, let end):
                    let code = end.exitCode.map { " \($0)" } ?? ""
                    return (story, "\(end.kind.rawValue)\(code) \(step ?? "")")
                case .tell(.running(let node)): story.append("running \(node ?? "")")
                case .tell(.waiting(let why)): story.append("waits \(why)")
                case .tell(.step(let step, let end)):
                    story.append("\(step.title) \(end.reason ?? "succeeded")")
                default: break
                }
            }
        }
        return (story, nil)
    }

    @Test func aJobThatIsBeingDeletedOrHasNoPodSaysWhy() {
        let quota: JSONValue = [
            "type": "Warning", "reason": "FailedCreate", "message": "exceeded quota: q", "lastTimestamp": "2026",
        ]
        let job: JSONValue = ["metadata": ["name": "a"], "status": ["active": 0]]
        let reports = KubeReports(job: job, pods: [], events: [quota], now: Timestamp(milliseconds: 0))
        #expect(reports.needsEvents)
        #expect(reports.observation == EngineObservation(.pending, reason: "FailedCreate: exceeded quota: q"))
    }

    /// A sidecar is killed when its job has ended: neither its end nor its signal is the job's.
    @Test func sidecarsAreNoSteps() {
        func ended(_ name: String, _ code: Int) -> JSONValue {
            ["name": .string(name), "state": ["terminated": ["exitCode": JSONValue(code), "reason": "Error"]]]
        }
        let pod: JSONValue = [
            "metadata": ["name": "p"],
            "spec": [
                "initContainers": [["name": "proxy", "restartPolicy": "Always"], ["name": "one"]],
                "containers": [["name": "main"]],
            ],
            "status": [
                "phase": "Failed", "initContainerStatuses": [ended("proxy", 137), ended("one", 0)],
                "containerStatuses": [ended("main", 3)],
            ],
        ]
        let job: JSONValue = ["status": ["conditions": [["type": "Failed", "status": "True"]]]]
        let seen = KubeReports(job: job, pods: [pod], now: Timestamp(milliseconds: 0)).observation
        #expect(seen.phase == .ended(.exited(3)))
        #expect(seen.steps.map(\.title) == ["init/one", "main/main"])
    }
}
