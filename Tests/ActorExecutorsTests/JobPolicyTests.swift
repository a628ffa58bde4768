import ActorCore
import Testing

/// What a job file may not do unless the administrator lets it.
struct JobPolicyTests {
    private func findings(_ pod: JSONValue, _ policy: JobPolicy = JobPolicy(), executor: String = "kubernetes")
        -> [String]
    {
        JobPolicyCheck.findings(
            in: ["metadata": ["name": "a"], "spec": ["template": ["spec": pod]]], policy: policy, executor: executor
        ).map(\.place)
    }

    private static let place = "/spec/template/spec"

    @Test(
        arguments: [
            (["hostNetwork": true], "/hostNetwork"), (["hostPID": true], "/hostPID"),
            (["serviceAccountName": "admin"], "/serviceAccountName"), (["nodeName": "n1"], "/nodeName"),
            (["nodeSelector": ["gpu": "yes"]], "/nodeSelector"),
            (["tolerations": [["operator": "Exists"]]], "/tolerations/0"),
            (["volumes": [["name": "a", "hostPath": ["path": "/etc"]]]], "/volumes/0/hostPath"),
            (["volumes": [["name": "a", "secret": ["secretName": "s"]]]], "/volumes/0/secret"),
            (["volumes": [["name": "a", "nfs": [:]]]], "/volumes/0/nfs"),
            (
                ["volumes": [["name": "a", "projected": ["sources": [["serviceAccountToken": [:]]]]]]],
                "/volumes/0/projected/sources/0/serviceAccountToken"
            ),
            (["containers": [["securityContext": ["privileged": true]]]], "/containers/0/securityContext/privileged"),
            (
                ["initContainers": [["securityContext": ["capabilities": ["add": ["SYS_ADMIN"]]]]]],
                "/initContainers/0/securityContext/capabilities/add"
            ),
            (
                ["containers": [["env": [["name": "A", "valueFrom": ["secretKeyRef": ["name": "s"]]]]]]],
                "/containers/0/env/0/valueFrom"
            ),
            (
                [
                    "affinity": [
                        "nodeAffinity": ["x": [["matchExpressions": [["key": "zone", "operator": "In"]]]]]
                    ]
                ], "/affinity/nodeAffinity"
            ),
        ] as [(JSONValue, String)]) func refusedUnlessAllowed(pod: JSONValue, place: String)
    {
        #expect(findings(pod) == [Self.place + place])
        let open = JobPolicy(
            volumes: ["nfs", "serviceAccountToken", "emptyDir"], secrets: ["*"], hostPaths: ["/etc"],
            nodeSelectors: ["*"], serviceAccounts: ["admin"], isPrivilegedAllowed: true, isHostNetworkAllowed: true)
        if !place.contains("projected"), !place.contains("nodeName") { #expect(findings(pod, open).isEmpty) }
        // On this machine none of it means anything.
        #expect(findings(pod, executor: "process").isEmpty)
    }

    @Test func imagesAndNamespaces() {
        let pod: JSONValue = ["containers": [["image": "evil/x:1"]]]
        #expect(findings(pod).isEmpty)
        #expect(findings(pod, JobPolicy(images: ["lab/*", "busybox"])) == ["\(Self.place)/containers/0/image"])
        let found = JobPolicyCheck.findings(
            in: ["metadata": ["namespace": "kube-system"], "spec": ["template": ["spec": [:]]]], policy: JobPolicy(),
            executor: "kubernetes")
        #expect(found.map(\.place) == ["/metadata/namespace"])
        #expect(found.first?.reason.contains("executors.kubernetes.policy.namespaces") == true)
    }

    @Test func aPathBesideAnAllowedOneIsNone() {
        for path in ["/data2", "/data/../etc", "/"] {
            let pod: JSONValue = ["volumes": [["name": "a", "hostPath": ["path": .string(path)]]]]
            #expect(!findings(pod, JobPolicy(hostPaths: ["/data"])).isEmpty, "\(path)")
        }
    }

    // MARK: Workflows

    private func inWorkflow(_ spec: JSONValue, _ policy: JobPolicy = JobPolicy()) -> [String] {
        JobPolicyCheck.findings(
            in: ["kind": "Workflow", "metadata": ["name": "a"], "spec": spec], policy: policy, executor: "argo"
        ).map(\.place)
    }

    @Test(
        arguments: [
            (["hostNetwork": true], "/spec/hostNetwork"), (["podSpecPatch": "{}"], "/spec/podSpecPatch"),
            (["serviceAccountName": "admin"], "/spec/serviceAccountName"),
            (["executor": ["serviceAccountName": "admin"]], "/spec/executor/serviceAccountName"),
            (["workflowTemplateRef": ["name": "t"]], "/spec/workflowTemplateRef"),
            (["volumeClaimTemplates": [[:]]], "/spec/volumeClaimTemplates"),
            (["hooks": ["exit": ["templateRef": ["name": "t"]]]], "/spec/hooks/exit/templateRef"),
            (
                ["templateDefaults": ["container": ["securityContext": ["privileged": true]]]],
                "/spec/templateDefaults/container/securityContext/privileged"
            ),
        ] as [(JSONValue, String)])
    func whatAWorkflowMayNot(spec: JSONValue, place: String) {
        #expect(inWorkflow(spec) == [place])
    }

    @Test(
        arguments: [
            (["resource": ["action": "create"]], "/resource"), (["plugin": [:]], "/plugin"),
            (
                ["script": ["image": "i", "securityContext": ["privileged": true]]],
                "/script/securityContext/privileged"
            ),
            (
                ["containerSet": ["containers": [["securityContext": ["privileged": true]]]]],
                "/containerSet/containers/0/securityContext/privileged"
            ),
            (["sidecars": [["securityContext": ["privileged": true]]]], "/sidecars/0/securityContext/privileged"),
            (["volumes": [["name": "v", "hostPath": ["path": "/"]]]], "/volumes/0/hostPath"),
            (
                ["inputs": ["artifacts": [["s3": ["accessKeySecret": ["name": "keys"]]]]]],
                "/inputs/artifacts/0/s3/accessKeySecret"
            ),
            (["steps": [[["name": "a", "templateRef": ["name": "t"]]]]], "/steps/0/0/templateRef"),
            (
                ["dag": ["tasks": [["name": "a", "inline": ["resource": [:]]]]]], "/dag/tasks/0/inline/resource"
            ),
        ] as [(JSONValue, String)])
    func whatATemplateMayNot(template: JSONValue, place: String) {
        #expect(inWorkflow(["templates": [template]]) == ["/spec/templates/0\(place)"])
    }

    /// An image that is put together when it runs cannot be compared with a list.
    @Test func imagesThatNobodyKnowsYet() {
        let spec: JSONValue = ["templates": [["container": ["image": "lab/{{inputs.parameters.name}}"]]]]
        #expect(inWorkflow(spec).isEmpty)
        #expect(inWorkflow(spec, JobPolicy(images: ["lab/*"])) == ["/spec/templates/0/container/image"])
        let known: JSONValue = ["templates": [["container": ["image": "lab/sort:1"]]]]
        #expect(inWorkflow(known, JobPolicy(images: ["lab/*"])).isEmpty)
    }
}
