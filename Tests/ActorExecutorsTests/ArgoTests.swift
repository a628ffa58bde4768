import ActorCore
import ActorExecutors
import Testing

/// What becomes of a job file on Argo, and what Argo says of it.
struct ArgoTests {
    private static let job = JobID("107acb37-3a5c-57b3-a0ff-a07b67e85ca2")

    static func order(_ containers: [String], backoffLimit: Int = 0) -> JobOrder {
        let run = EngineRun(job: job, attempt: 1, name: EngineRun.name("beats", job: job, attempt: 1), logs: "/logs")
        let pod: JSONValue = [
            "initContainers": [["name": "one", "image": "i", "command": ["true"]]],
            "containers": .array(containers.map { ["name": .string($0), "image": "i", "command": ["true"]] }),
            "volumes": [["name": "scratch", "emptyDir": [:]]], "nodeSelector": ["a": "b"],
        ]
        return JobOrder(
            run: run, steps: [], environment: [EnvironmentEntry("UUID", "u")],
            folders: RunFolders(work: "/w", output: "/o", logs: "/logs"), deadlineSeconds: 100,
            backoffLimit: backoffLimit,
            manifest: [
                "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "beats"],
                "spec": ["template": ["spec": pod]],
            ])
    }

    @Test func oneContainerOrAPodOfSeveral() throws {
        let settings = KubernetesEngineSettings(namespace: "argo")
        let one = try ArgoManifest(order: Self.order(["a"], backoffLimit: 2), settings: settings).json()
        #expect(one["kind"] == "Workflow" && one["metadata"]?["labels"]?["reactord/job"] == .string(Self.job.rawValue))
        let template = try #require(one["spec"]?["templates"]?.array?.first)
        #expect(template["container"]?["name"] == "a" && template["initContainers"]?.array?.count == 1)
        #expect(template["retryStrategy"]?["limit"] == "2")
        #expect(one["spec"]?["activeDeadlineSeconds"] == 100 && one["spec"]?["nodeSelector"]?["a"] == "b")
        #expect(one["spec"]?["volumes"]?.array?.count == 1)
        let two = try ArgoManifest(order: Self.order(["a", "b"]), settings: settings).json()
        let set = two["spec"]?["templates"]?.array?.first?["containerSet"]?["containers"]?.array
        #expect(set?.compactMap { $0["name"]?.string } == ["a", "b"])
    }

    private func seen(_ status: JSONValue, pods: [JSONValue] = []) throws -> EngineObservation {
        let workflow = try ArgoManifest(order: Self.order(["a"]), settings: .init(namespace: "argo")).json()
        let changed = workflow.setting("status", status)
        return ArgoReports(workflow: changed, pods: pods, now: Timestamp(milliseconds: 0)).observation
    }

    private static func pod(_ code: Int) -> JSONValue {
        func ended(_ name: String, _ code: Int) -> JSONValue {
            ["name": .string(name), "state": ["terminated": ["exitCode": JSONValue(code), "reason": "Error"]]]
        }
        return [
            "metadata": ["name": "p"], "spec": ["nodeName": "n1"],
            "status": [
                "phase": "Failed", "initContainerStatuses": [ended("init", 0), ended("one", 0)],
                "containerStatuses": [ended("wait", 0), ended("main", code)],
            ],
        ]
    }

    @Test func phases() throws {
        #expect(try seen([:]).phase == .pending)
        #expect(try seen(["phase": "Pending", "message": "no room"]).reason == "no room")
        #expect(try seen(["phase": "Succeeded"]).phase == .ended(EngineEnd(.succeeded, exitCode: 0)))
        let failed = try seen(["phase": "Failed"], pods: [Self.pod(3)])
        #expect(failed.phase == .ended(.exited(3)))
        // The containers by their own names, Argo's left out.
        #expect(failed.steps.map(\.title) == ["init/one", "main/a"])
        let late = try seen(["phase": "Failed", "message": "Step exceeded its deadline"], pods: [Self.pod(137)])
        #expect(late.phase == .ended(EngineEnd(.timedOut)))
    }

    @Test func nodesSpeakForPodsThatAreGone() throws {
        let node: JSONValue = [
            "type": "Pod", "displayName": "beats", "phase": "Failed", "outputs": ["exitCode": "5"],
        ]
        let failed = try seen(["phase": "Failed", "message": "child failed", "nodes": ["n-1": node]])
        #expect(failed.steps == [EngineObservation.Step(.main, "a", place: "n-1", .ended(.exited(5)))])
        #expect(failed.phase == .ended(EngineEnd(.failed, exitCode: 5, message: "child failed")))
        let gone = try seen(["phase": "Error", "message": "pod deleted"])
        #expect(gone.phase == .ended(EngineEnd(.evicted, message: "its pod was removed")))
    }

    // MARK: Workflows as such

    private static let written: JSONValue = [
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": ["generateName": "steps-", "annotations": ["lab": "ephys"]],
        "spec": [
            "entrypoint": "both", "ttlStrategy": ["secondsAfterCompletion": 60],
            "podMetadata": ["labels": ["team": "ephys"]],
            "templates": [
                ["name": "both", "steps": [[["name": "convert", "template": "sh"]]]],
                ["name": "sh", "container": ["image": "i", "command": ["true"]]],
            ],
        ],
    ]

    private func submitted() throws -> JSONValue {
        var order = Self.order([])
        order.manifest = Self.written
        return try ArgoManifest(order: order, settings: .init(namespace: "argo")).json()
    }

    @Test func aWorkflowIsSubmittedAsItIs() throws {
        let json = try submitted()
        let metadata = try #require(json["metadata"])
        #expect(metadata["name"] == .string(Self.order([]).run.name) && metadata["generateName"] == nil)
        #expect(metadata["labels"]?["reactord/job"] == .string(Self.job.rawValue) && metadata["namespace"] == "argo")
        #expect(metadata["annotations"]?["lab"] == "ephys")
        let spec = try #require(json["spec"])
        #expect(spec["templates"] == Self.written["spec"]?["templates"] && spec["entrypoint"] == "both")
        #expect(spec["podMetadata"]?["labels"]?["team"] == "ephys")
        #expect(spec["podMetadata"]?["labels"]?["reactord/job"] == .string(Self.job.rawValue))
        // The daemon removes it when its own time is over: until then its outcome is needed.
        #expect(spec["ttlStrategy"]?["secondsAfterCompletion"]?.int ?? 0 > 86_400)
    }

    private func told(_ status: JSONValue, spec: JSONValue = [:]) throws -> EngineObservation {
        var json = try submitted().setting("status", status)
        for member in spec.object ?? [] {
            json = json.setting("spec", (json["spec"] ?? [:]).setting(member.name, member.value))
        }
        return ArgoReports(workflow: json, pods: [], now: Timestamp(milliseconds: 0)).observation
    }

    private static func node(
        _ name: String, _ phase: String, _ message: String = "", code: String? = nil, type: String = "Pod",
        finished: String = "2026-11-21T12:00:05Z"
    ) -> JSONValue {
        [
            "type": .string(type), "displayName": .string(name), "phase": .string(phase),
            "message": .string(message), "startedAt": "2026-11-21T12:00:01Z", "finishedAt": .string(finished),
            "hostNodeName": "n1", "outputs": code.map { ["exitCode": .string($0)] } ?? [:],
        ]
    }

    @Test func itsNodesAreStepsOfTheJob() throws {
        let running = try told([
            "phase": "Running", "startedAt": "2026-11-21T12:00:00Z",
            "nodes": [
                "w-1": Self.node("convert", "Succeeded", code: "0"), "w-2": Self.node("sort(0:a)", "Running"),
                "w": Self.node("w", "Running", type: "Steps"), "w-3": Self.node("skipped", "Skipped"),
            ],
        ])
        #expect(running.phase == .running && running.node == "n1" && running.reason == nil)
        #expect(running.steps.map(\.title) == ["main/convert", "main/sort(0:a)", "main/skipped"])
        #expect(running.steps[0].state == .ended(EngineEnd(.succeeded, exitCode: 0)))
        #expect(running.steps[0].milliseconds == 4000 && running.steps[2].state == .waiting)
        let held = try told([
            "phase": "Running", "nodes": ["w-1": Self.node("approve", "Running", type: "Suspend")],
        ])
        #expect(held.phase == .pending && held.reason == "Suspended: approve")
        let stuck = try told([
            "phase": "Running", "nodes": ["w-1": Self.node("pull", "Pending", "ImagePullBackOff: no such image")],
        ])
        #expect(stuck.reason == "pull: ImagePullBackOff: no such image")
    }

    @Test(
        arguments: [
            ("main: Error (exit code 3)", "3", EngineEnd.Kind.failed),
            ("OOMKilled (exit code 137)", "137", .outOfMemory),
            ("pod deleted", nil, .evicted), ("The node was low on resource: memory.", nil, .evicted),
            ("Pod was terminated in response to imminent node shutdown.", nil, .nodeFailed),
            ("Pod was active on the node longer than the specified deadline", nil, .timedOut),
        ] as [(String, String?, EngineEnd.Kind)])
    func howItEnded(message: String, code: String?, kind: EngineEnd.Kind) throws {
        let seen = try told([
            "phase": "Failed", "message": "child 'w-2' failed",
            "nodes": [
                "w-1": Self.node("convert", "Failed", "first try", code: "9", finished: "2026-11-21T12:00:02Z"),
                "w-2": Self.node("convert", "Failed", message, code: code),
            ],
        ])
        guard case .ended(let end) = seen.phase else { return #expect(Bool(false), "\(seen)") }
        #expect(end.kind == kind && end.exitCode == code.flatMap { Int($0) })
    }

    @Test func whatEndsAWholeWorkflow() throws {
        let late = try told(["phase": "Failed", "message": "Max duration limit exceeded"])
        #expect(late.phase == .ended(EngineEnd(.timedOut, message: "Max duration limit exceeded")))
        let stopped = try told(
            ["phase": "Failed", "message": "Stopped with strategy 'Stop'"], spec: ["shutdown": "Stop"])
        #expect(stopped.phase == .ended(EngineEnd(.cancelled, message: "Stopped with strategy 'Stop'")))
        let broken = try told(["phase": "Error", "message": "invalid spec: template x does not exist"])
        #expect(broken.phase == .ended(EngineEnd(.failed, message: "invalid spec: template x does not exist")))
        #expect(try told(["phase": "Succeeded"]).phase == .ended(EngineEnd(.succeeded, exitCode: 0)))
    }

    @Test func logsAreCalledLikeTheirNodes() throws {
        let json = try submitted().setting(
            "status",
            [
                "nodes": [
                    "beats-7": ["name": "beats[0].convert", "displayName": "convert"],
                    "beats-8": ["name": "beats[1].sort(0:a)", "displayName": "sort(0:a)"],
                ]
            ])
        let names = ArgoNames(workflow: json)
        #expect(names.own(.main, "main", pod: "beats-sh-8", node: nil) == "sort(0:a)")
        #expect(names.own(.main, "main", pod: "x", node: "beats[0].convert") == "convert")
        #expect(names.own(.main, "proxy", pod: "beats-7", node: nil) == "convert/proxy")
        #expect(names.own(.main, "wait", pod: "beats-7", node: nil) == nil)
        #expect(names.own(.main, "main", pod: "beats-sh-99", node: nil) == "beats-sh-99")
        #expect(names.containers.map(\.name) == ["main"])
    }
}
