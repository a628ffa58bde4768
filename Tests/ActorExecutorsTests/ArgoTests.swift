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
        #expect(failed.phase == .ended(EngineEnd(.failed, message: "child failed")))
        let gone = try seen(["phase": "Error", "message": "pod deleted"])
        #expect(gone.phase == .ended(EngineEnd(.evicted, message: "its pod was removed")))
    }
}
