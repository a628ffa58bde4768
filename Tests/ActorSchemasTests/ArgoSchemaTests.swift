import ActorCore
import ActorExecutors
import ActorSchemas
import FoundationEssentials
import Testing

/// What is submitted to Argo is what Argo's published schema describes.
struct ArgoSchemaTests {
    private static let schema: (any MessageSchema)? = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let file = folder.appending(path: "Fixtures/argo_workflow.schema.json")
        guard let data = try? Data(contentsOf: file) else { return nil }
        return try? ValijsonCompiler().compile(SchemaSource(file: "argo", text: Array(data)))
    }()

    private func workflow(_ pod: JSONValue, backoffLimit: Int) throws -> JSONValue {
        let job = JobID("107acb37-3a5c-57b3-a0ff-a07b67e85ca2")
        let run = EngineRun(job: job, attempt: 1, name: EngineRun.name("beats", job: job, attempt: 1), logs: "/logs")
        let order = JobOrder(
            run: run, steps: [], environment: [EnvironmentEntry("UUID", "u")],
            folders: RunFolders(work: "/w", output: "/o", logs: "/logs"), deadlineSeconds: 60,
            backoffLimit: backoffLimit,
            manifest: [
                "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "beats", "annotations": ["a": "b"]],
                "spec": ["template": ["metadata": ["labels": ["app": "x"]], "spec": pod]],
            ])
        return try ArgoManifest(
            order: order, settings: KubernetesEngineSettings(namespace: "argo", labels: ["team": "ephys"])
        ).json()
    }

    private static let container: JSONValue = [
        "name": "a", "image": "busybox", "imagePullPolicy": "IfNotPresent", "command": ["/bin/sh", "-c"],
        "args": ["true"], "env": [["name": "A", "value": "1"]],
        "resources": ["limits": ["memory": "50Mi", "cpu": "100m"]],
        "volumeMounts": [["name": "v", "mountPath": "/data"]],
    ]
    private static let pod: JSONValue = [
        "restartPolicy": "Never", "initContainers": [container.setting("name", "one")], "containers": [container],
        "volumes": [["name": "v", "emptyDir": ["medium": "Memory"]], ["name": "s", "secret": ["secretName": "s"]]],
        "nodeSelector": ["gpu": "yes"], "tolerations": [["key": "gpu", "operator": "Exists"]],
        "serviceAccountName": "runner", "imagePullSecrets": [["name": "r"]], "priorityClassName": "low",
        "securityContext": ["runAsUser": 1000],
    ]

    @Test(arguments: [0, 3]) func whatIsSubmittedIsValid(backoffLimit: Int) throws {
        let schema = try #require(Self.schema)
        for pod in [Self.pod, Self.pod.setting("containers", [Self.container, Self.container.setting("name", "b")])] {
            let json = try workflow(pod, backoffLimit: backoffLimit)
            #expect(schema.violations(of: JSONWriter.bytes(json)).map { "\($0.place): \($0.problem)" } == [])
        }
    }

    /// What is added to a Workflow that somebody wrote has its place in the schema, too.
    @Test func aWorkflowAsItIsStaysValid() throws {
        let schema = try #require(Self.schema)
        let job = JobID("107acb37-3a5c-57b3-a0ff-a07b67e85ca2")
        let run = EngineRun(job: job, attempt: 1, name: EngineRun.name("steps", job: job, attempt: 1), logs: "/logs")
        let written: JSONValue = [
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": ["generateName": "steps-"],
            "spec": [
                "entrypoint": "both", "arguments": ["parameters": [["name": "day", "value": "2026-11-21"]]],
                "templates": [
                    ["name": "both", "steps": [[["name": "sort", "template": "sort"]]]],
                    ["name": "sort", "script": ["image": "i", "command": ["sh"], "source": "echo {{workflow.name}}"]],
                ],
            ],
        ]
        let order = JobOrder(
            run: run, steps: [], environment: [], folders: RunFolders(work: "/w", output: "/o", logs: "/logs"),
            manifest: written)
        let settings = KubernetesEngineSettings(namespace: "argo", labels: ["team": "ephys"])
        let json = try ArgoManifest(order: order, settings: settings).json()
        #expect(schema.violations(of: JSONWriter.bytes(json)).map { "\($0.place): \($0.problem)" } == [])
    }

    @Test func theSchemaCanSayNo() throws {
        let schema = try #require(Self.schema)
        let json = try workflow(Self.pod, backoffLimit: 0)
        let wrong = json.setting("spec", (json["spec"] ?? [:]).setting("templates", "job"))
        #expect(!schema.violations(of: JSONWriter.bytes(wrong)).isEmpty)
    }
}
