package import ActorCore

/// A job file as an Argo Workflow: one pod, its init containers first, then its containers side by side.
package struct ArgoManifest: Sendable {
    /// What a pod says and a Workflow says of all its pods, by the same name.
    private static let shared = [
        "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "hostAliases", "hostNetwork",
        "imagePullSecrets", "nodeSelector", "schedulerName", "securityContext", "serviceAccountName", "tolerations",
        "volumes",
    ]
    static let template = "job"

    package let order: JobOrder
    package let settings: KubernetesEngineSettings

    package init(order: JobOrder, settings: KubernetesEngineSettings) {
        self.order = order
        self.settings = settings
    }

    package func json() throws(EngineFailure) -> JSONValue {
        if let manifest = order.manifest, manifest["kind"]?.string == "Workflow" { return asItIs(manifest) }
        let job = try KubeManifest(order: order, settings: settings).json()
        let podTemplate = job["spec"]?["template"] ?? [:]
        let pod = podTemplate["spec"] ?? [:]
        let main = pod["containers"]?.array ?? []
        guard let first = main.first else { throw EngineFailure(.unacceptable, "it has no container") }
        var template: JSONValue = ["name": .string(Self.template)]
        let labels = podTemplate["metadata"]?["labels"] ?? [:]
        let annotations = podTemplate["metadata"]?["annotations"]
        var metadata: JSONValue = ["labels": labels]
        if let annotations { metadata = metadata.setting("annotations", annotations) }
        template = template.setting("metadata", metadata)
        if let initial = pod["initContainers"]?.array, !initial.isEmpty {
            template = template.setting("initContainers", .array(initial))
        }
        if main.count == 1 {
            template = template.setting("container", first)
        } else {
            template = template.setting("containerSet", ["containers": .array(main)])
        }
        if order.backoffLimit > 0 {
            template = template.setting("retryStrategy", ["limit": .string(String(order.backoffLimit))])
        }
        var spec: JSONValue = [
            "entrypoint": .string(Self.template), "templates": .array([template]),
            "ttlStrategy": ["secondsAfterCompletion": JSONValue(KubeManifest.safetySeconds)],
        ]
        for name in Self.shared { if let value = pod[name] { spec = spec.setting(name, value) } }
        if let name = pod["priorityClassName"] { spec = spec.setting("podPriorityClassName", name) }
        if let seconds = order.deadlineSeconds { spec = spec.setting("activeDeadlineSeconds", JSONValue(seconds)) }
        return [
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": job["metadata"] ?? [:], "spec": spec,
        ]
    }

    /// A Workflow that somebody wrote: only its name, its labels and the time that it is kept are ours.
    private func asItIs(_ manifest: JSONValue) -> JSONValue {
        let kube = KubeManifest(order: order, settings: settings)
        let metadata = kube.metadata(manifest["metadata"] ?? [:])
        let annotations = (metadata["annotations"] ?? [:]).setting(ArgoNames.kindAnnotation, "Workflow")
        var spec = manifest["spec"] ?? [:]
        spec = spec.setting("podMetadata", kube.labelled(spec["podMetadata"] ?? [:]))
            .setting("ttlStrategy", ["secondsAfterCompletion": JSONValue(KubeManifest.safetySeconds)])
        return [
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
            "metadata": metadata.setting("annotations", annotations), "spec": spec,
        ]
    }
}
