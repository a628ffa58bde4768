package import ActorCore

/// What the administrator says of Kubernetes.
package struct KubernetesEngineSettings: Sendable, Equatable {
    package var namespace: String
    /// Others that a job file may name.
    package var moreNamespaces: [String]
    /// Put on every Job and pod.
    package var labels: [String: String]
    /// The source of a volume that holds the daemon's data folder at the same path, as a pod names it; nil: pods do not
    /// see the daemon's files.
    package var sharedVolume: JSONValue?
    /// Where that volume is mounted: the data folder.
    package var sharedPath: String
    /// Every Job is tried with `dryRun=All` before it is made.
    package var isTriedFirst: Bool

    package init(
        namespace: String = "default", moreNamespaces: [String] = [], labels: [String: String] = [:],
        sharedVolume: JSONValue? = nil, sharedPath: String = "", isTriedFirst: Bool = false
    ) {
        self.namespace = namespace
        self.moreNamespaces = moreNamespaces
        self.labels = labels
        self.sharedVolume = sharedVolume
        self.sharedPath = sharedPath
        self.isTriedFirst = isTriedFirst
    }

    package var namespaces: [String] { [namespace] + moreNamespaces.filter { $0 != namespace } }
}

/// A job file as it is given to the API server.
package struct KubeManifest: Sendable {
    package static let managedBy = "app.kubernetes.io/managed-by"
    package static let managedByUs = "reactord"
    package static let jobLabel = "reactord/job"
    package static let attemptLabel = "reactord/attempt"
    /// The cluster removes what the daemon, gone for so long, did not: logs and outcome are needed until then.
    static let safetySeconds = 8 * 86_400

    package let order: JobOrder
    package let settings: KubernetesEngineSettings

    package init(order: JobOrder, settings: KubernetesEngineSettings) {
        self.order = order
        self.settings = settings
    }

    package var namespace: String { order.manifest?["metadata"]?["namespace"]?.string ?? settings.namespace }

    package func json() throws(EngineFailure) -> JSONValue {
        guard let manifest = order.manifest, let spec = manifest["spec"], let template = spec["template"],
            let pod = template["spec"]
        else { throw EngineFailure(.unacceptable, "it is no Kubernetes Job: spec.template.spec is missing") }
        let metadata = manifest["metadata"] ?? [:]
        var jobSpec = spec.removing("selector", "manualSelector")
            .setting("backoffLimit", JSONValue(order.backoffLimit))
            .setting("ttlSecondsAfterFinished", JSONValue(Self.safetySeconds))
        var podSpec = self.pod(pod)
        if let seconds = order.deadlineSeconds {
            // The deadline of a Job takes its pods and their logs away; that of a pod leaves both.
            if order.backoffLimit == 0 { podSpec = podSpec.setting("activeDeadlineSeconds", JSONValue(seconds)) }
            jobSpec = jobSpec.setting(
                "activeDeadlineSeconds", JSONValue(order.backoffLimit == 0 ? seconds + 60 : seconds))
        }
        let templateMetadata = template["metadata"] ?? [:]
        let podTemplate = template.setting("metadata", labelled(templateMetadata)).setting("spec", podSpec)
        return [
            "apiVersion": "batch/v1", "kind": "Job", "metadata": self.metadata(metadata),
            "spec": jobSpec.setting("template", podTemplate),
        ]
    }

    /// With our name, our labels, and nothing that only an object which exists can have.
    func metadata(_ metadata: JSONValue) -> JSONValue {
        let own = metadata.removing("generateName", "uid", "resourceVersion", "creationTimestamp", "managedFields")
        return labelled(own).setting("name", .string(order.run.name)).setting("namespace", .string(namespace))
    }

    func labelled(_ metadata: JSONValue) -> JSONValue {
        var labels = metadata["labels"] ?? [:]
        for (name, value) in settings.labels.sorted(by: { $0.key < $1.key }) {
            labels = labels.setting(name, .string(value))
        }
        labels = labels.setting(Self.managedBy, .string(Self.managedByUs))
            .setting(Self.jobLabel, .string(order.run.job.rawValue))
            .setting(Self.attemptLabel, .string(String(order.run.attempt)))
        return metadata.setting("labels", labels)
    }

    private func pod(_ pod: JSONValue) -> JSONValue {
        var pod = pod
        if pod["restartPolicy"]?.string == nil { pod = pod.setting("restartPolicy", "Never") }
        // Nobody needs the cluster's API who did not ask for an account.
        if pod["serviceAccountName"] == nil, pod["automountServiceAccountToken"] == nil {
            pod = pod.setting("automountServiceAccountToken", false)
        }
        for list in ["initContainers", "containers"] {
            guard let items = pod[list]?.array, !items.isEmpty else { continue }
            pod = pod.setting(list, .array(items.map(container)))
        }
        if let source = settings.sharedVolume {
            let volume = source.setting("name", "reactord-shared")
            pod = pod.setting("volumes", .array((pod["volumes"]?.array ?? []) + [volume]))
        }
        return pod
    }

    /// Variables of the house in front, so that a container's own win and may use them.
    private func container(_ container: JSONValue) -> JSONValue {
        let own = container["env"]?.array ?? []
        let names = Set(own.compactMap { $0["name"]?.string })
        let house = order.environment.filter { entry in
            let isPath = ["REACTORD_WORK", "REACTORD_OUTPUT", "REACTORD_INPUT", "REACTORD_HOME", "HOME"]
                .contains(entry.name)
            return !names.contains(entry.name) && (!isPath || settings.sharedVolume != nil)
        }
        let entries = house.map { entry -> JSONValue in
            // The kubelet would read $(NAME) in it.
            let value = entry.value.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
            return ["name": .string(entry.name), "value": .string(value)]
        }
        var container = container.setting("env", .array(entries + own))
        guard settings.sharedVolume != nil else { return container }
        let mount: JSONValue = ["name": "reactord-shared", "mountPath": .string(settings.sharedPath)]
        container = container.setting("volumeMounts", .array((container["volumeMounts"]?.array ?? []) + [mount]))
        if container["workingDir"] == nil {
            container = container.setting("workingDir", .string(order.folders.work))
        }
        return container
    }
}
