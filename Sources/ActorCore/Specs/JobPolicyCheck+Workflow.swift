/// A Workflow of Argo asks for pods in many places; what hides what it runs is refused where privileges are.
extension JobPolicyCheck {
    /// Words of a template that let it do what no list of ours describes.
    private static let unseen = [
        "resource": "a template that makes objects of the cluster", "plugin": "a plugin of Argo",
        "podSpecPatch": "a patch of its pods",
    ]

    mutating func workflow(_ spec: JSONValue) {
        let place = "/spec"
        pod(spec, place)
        hidden(spec, place)
        references(spec["arguments"] ?? .null, "\(place)/arguments")
        references(spec["artifactRepositoryRef"] ?? .null, "\(place)/artifactRepositoryRef")
        if let name = spec["artifactRepositoryRef"]?["configMap"] { secret(name, "\(place)/artifactRepositoryRef") }
        if spec["workflowTemplateRef"] != nil, !policy.isPrivilegedAllowed {
            refuse("\(place)/workflowTemplateRef", "a workflow that lies in the cluster", "privileged")
        }
        if !(spec["volumeClaimTemplates"]?.array ?? []).isEmpty, !policy.volumes.contains("persistentVolumeClaim") {
            refuse("\(place)/volumeClaimTemplates", "volumes of kind persistentVolumeClaim", "volumes")
        }
        hooks(spec["hooks"], place)
        if let standard = spec["templateDefaults"] { template(standard, "\(place)/templateDefaults", depth: 0) }
        for (index, item) in (spec["templates"]?.array ?? []).enumerated() {
            template(item, "\(place)/templates/\(index)", depth: 0)
        }
    }

    private mutating func template(_ template: JSONValue, _ place: String, depth: Int) {
        pod(template, place)
        hidden(template, place)
        for field in ["container", "script"] {
            if let container = template[field] { self.container(container, "\(place)/\(field)") }
        }
        let lists = [
            ("containerSet/containers", template["containerSet"]?["containers"]), ("sidecars", template["sidecars"]),
        ]
        for (name, list) in lists {
            for (index, item) in (list?.array ?? []).enumerated() { container(item, "\(place)/\(name)/\(index)") }
        }
        for field in ["inputs", "outputs", "archiveLocation", "data", "http"] {
            references(template[field] ?? .null, "\(place)/\(field)")
        }
        for (group, steps) in (template["steps"]?.array ?? []).enumerated() {
            // A group of one may be written without its list.
            for (index, step) in (steps.array ?? [steps]).enumerated() {
                task(step, "\(place)/steps/\(group)/\(index)", depth: depth)
            }
        }
        for (index, task) in (template["dag"]?["tasks"]?.array ?? []).enumerated() {
            self.task(task, "\(place)/dag/tasks/\(index)", depth: depth)
        }
    }

    private mutating func task(_ task: JSONValue, _ place: String, depth: Int) {
        reference(task["templateRef"], "\(place)/templateRef")
        references(task["arguments"] ?? .null, "\(place)/arguments")
        hooks(task["hooks"], place)
        guard let inline = task["inline"] else { return }
        if depth < 8 {
            template(inline, "\(place)/inline", depth: depth + 1)
        } else {
            refuse("\(place)/inline", "a template so deep", "privileged")
        }
    }

    private mutating func hooks(_ hooks: JSONValue?, _ place: String) {
        for member in hooks?.object ?? [] {
            reference(member.value["templateRef"], "\(place)/hooks/\(member.name)/templateRef")
        }
    }

    /// A template that somebody may change in the cluster after this look.
    private mutating func reference(_ value: JSONValue?, _ place: String) {
        if value != nil, !policy.isPrivilegedAllowed {
            refuse(place, "a template that lies in the cluster", "privileged")
        }
    }

    private mutating func hidden(_ value: JSONValue, _ place: String) {
        for (field, what) in Self.unseen.sorted(by: { $0.key < $1.key })
        where value[field] != nil && !policy.isPrivilegedAllowed {
            refuse("\(place)/\(field)", what, "privileged")
        }
        if let account = value["executor"]?["serviceAccountName"]?.string, !policy.serviceAccounts.contains(account) {
            refuse("\(place)/executor/serviceAccountName", "service account \(account)", "service_accounts")
        }
    }

    /// Secrets and config maps that artifacts and parameters name: `accessKeySecret`, `configMapKeyRef` and the like.
    private mutating func references(_ value: JSONValue, _ place: String) {
        for (index, item) in (value.array ?? []).enumerated() { references(item, "\(place)/\(index)") }
        for member in value.object ?? [] {
            let here = "\(place)/\(member.name)"
            let isName = member.name.hasSuffix("Secret") || ["secretKeyRef", "configMapKeyRef"].contains(member.name)
            if isName, let name = member.value["name"] { secret(name, here) } else { references(member.value, here) }
        }
    }
}
