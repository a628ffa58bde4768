/// Walks a job file and finds what the house's policy does not allow: JSON pointer and reason.
package struct JobPolicyCheck: Sendable {
    package struct Finding: Sendable, Equatable {
        package let place: String
        package let reason: String
    }

    let policy: JobPolicy
    private let executor: String
    private var findings: [Finding] = []

    private init(_ policy: JobPolicy, _ executor: String) {
        self.policy = policy
        self.executor = executor
    }

    package static func findings(
        in manifest: JSONValue, policy: JobPolicy, executor: String
    ) -> [Finding] {
        var check = JobPolicyCheck(policy, executor)
        let place = "/spec/template/spec"
        check.options(manifest["metadata"]?["annotations"] ?? .null)
        if manifest["kind"]?.string == "Workflow" {
            check.namespace(manifest)
            check.workflow(manifest["spec"] ?? .null)
            return check.findings
        }
        guard let pod = manifest["spec"]?["template"]?["spec"] else { return check.findings }
        guard ["kubernetes", "argo"].contains(executor) else {
            // Elsewhere the rest of a pod has no meaning.
            for list in ["initContainers", "containers"] {
                for (index, item) in (pod[list]?.array ?? []).enumerated() {
                    check.image(item, "\(place)/\(list)/\(index)")
                }
            }
            return check.findings
        }
        check.namespace(manifest)
        check.pod(pod, place)
        return check.findings
    }

    private mutating func namespace(_ manifest: JSONValue) {
        if let namespace = manifest["metadata"]?["namespace"]?.string, !policy.namespaces.contains(namespace) {
            refuse("/metadata/namespace", "namespace \(namespace)", "namespaces")
        }
    }

    private mutating func options(_ annotations: JSONValue) {
        for (name, allowed) in [("partition", policy.partitions), ("account", policy.accounts)] {
            guard let word = annotations["reactord/\(name)"]?.string, !allowed.contains(word) else { continue }
            refuse("/metadata/annotations/reactord~1\(name)", "\(name) \(word)", "\(name)s")
        }
    }

    mutating func pod(_ pod: JSONValue, _ place: String) {
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for (index, item) in (pod[list]?.array ?? []).enumerated() {
                container(item, "\(place)/\(list)/\(index)")
            }
        }
        for (index, volume) in (pod["volumes"]?.array ?? []).enumerated() {
            self.volume(volume, "\(place)/volumes/\(index)")
        }
        for field in ["hostNetwork", "hostPID", "hostIPC"] where pod[field]?.bool == true {
            if !policy.isHostNetworkAllowed { refuse("\(place)/\(field)", field, "host_network") }
        }
        for field in ["serviceAccountName", "serviceAccount"] {
            if let name = pod[field]?.string, !policy.serviceAccounts.contains(name) {
                refuse("\(place)/\(field)", "service account \(name)", "service_accounts")
            }
        }
        for member in pod["nodeSelector"]?.object ?? [] where !matches(policy.nodeSelectors, member.name) {
            refuse("\(place)/nodeSelector", "node label \(member.name)", "node_selectors")
        }
        if pod["nodeName"]?.string != nil { refuse("\(place)/nodeName", "a node of one's choice", "node_selectors") }
        affinity(pod["affinity"] ?? .null, "\(place)/affinity")
        for (index, toleration) in (pod["tolerations"]?.array ?? []).enumerated() {
            let key = toleration["key"]?.string ?? "*"
            if !matches(policy.nodeSelectors, key) {
                refuse("\(place)/tolerations/\(index)", "toleration of \(key)", "node_selectors")
            }
        }
        if !policy.isPrivilegedAllowed { security(pod["securityContext"] ?? .null, "\(place)/securityContext") }
    }

    private mutating func affinity(_ affinity: JSONValue, _ place: String) {
        for key in Self.keys(in: affinity["nodeAffinity"] ?? .null) where !matches(policy.nodeSelectors, key) {
            refuse("\(place)/nodeAffinity", "node label \(key)", "node_selectors")
        }
    }

    /// Every `key` of a match expression, wherever it stands.
    private static func keys(in value: JSONValue) -> [String] {
        if let items = value.array { return items.flatMap(keys) }
        return (value.object ?? []).flatMap { member in
            if member.name == "key", let key = member.value.string { return [key] }
            return keys(in: member.value)
        }
    }

    private mutating func image(_ container: JSONValue, _ place: String) {
        // One that is put together when it runs is known to nobody now.
        let isOpen = container["image"]?.string?.contains("{{") ?? false && !policy.images.contains("*")
        if let image = container["image"]?.string, isOpen || !matches(policy.images, image) {
            refuse("\(place)/image", "image \(image)", "images")
        }
    }

    mutating func container(_ container: JSONValue, _ place: String) {
        image(container, place)
        for (index, entry) in (container["env"]?.array ?? []).enumerated() {
            secret(entry["valueFrom"]?["secretKeyRef"]?["name"], "\(place)/env/\(index)/valueFrom")
            secret(entry["valueFrom"]?["configMapKeyRef"]?["name"], "\(place)/env/\(index)/valueFrom")
        }
        for (index, entry) in (container["envFrom"]?.array ?? []).enumerated() {
            secret(entry["secretRef"]?["name"], "\(place)/envFrom/\(index)")
            secret(entry["configMapRef"]?["name"], "\(place)/envFrom/\(index)")
        }
        if !policy.isPrivilegedAllowed {
            security(container["securityContext"] ?? .null, "\(place)/securityContext")
            for (index, port) in (container["ports"]?.array ?? []).enumerated() where port["hostPort"] != nil {
                refuse("\(place)/ports/\(index)/hostPort", "a port of the node", "privileged")
            }
        }
    }

    /// Only what gives more than a container has anyway.
    private mutating func security(_ context: JSONValue, _ place: String) {
        for field in ["privileged", "allowPrivilegeEscalation"] where context[field]?.bool == true {
            refuse("\(place)/\(field)", field, "privileged")
        }
        if !(context["capabilities"]?["add"]?.array ?? []).isEmpty {
            refuse("\(place)/capabilities/add", "more capabilities", "privileged")
        }
        if context["procMount"]?.string == "Unmasked" { refuse("\(place)/procMount", "Unmasked", "privileged") }
        for field in ["seccompProfile", "appArmorProfile"] where context[field]?["type"]?.string == "Unconfined" {
            refuse("\(place)/\(field)", "Unconfined", "privileged")
        }
        for field in ["seLinuxOptions", "sysctls", "windowsOptions"] where context[field] != nil {
            refuse("\(place)/\(field)", field, "privileged")
        }
    }

    private mutating func volume(_ volume: JSONValue, _ place: String) {
        for member in volume.object ?? [] where member.name != "name" {
            let here = "\(place)/\(member.name)"
            switch member.name {
            case "secret": secret(member.value["secretName"], here)
            case "configMap": secret(member.value["name"], here)
            case "projected": projected(member.value, here)
            case "hostPath":
                let path = member.value["path"]?.string ?? ""
                let isBelow = policy.hostPaths.contains { path == $0 || path.hasPrefix($0 + "/") }
                if !isBelow || path.contains("{{") || path.split(separator: "/").contains("..") {
                    refuse(here, "folder \(path) of the node", "host_paths")
                }
            default:
                if !policy.volumes.contains(member.name) {
                    refuse(here, "volumes of kind \(member.name)", "volumes")
                }
            }
        }
    }

    private mutating func projected(_ value: JSONValue, _ place: String) {
        for (index, source) in (value["sources"]?.array ?? []).enumerated() {
            for member in source.object ?? [] {
                let here = "\(place)/sources/\(index)/\(member.name)"
                switch member.name {
                case "secret", "configMap": secret(member.value["name"], here)
                case "downwardAPI": break
                default: refuse(here, "projected \(member.name)", "volumes")
                }
            }
        }
    }

    mutating func secret(_ name: JSONValue?, _ place: String) {
        guard let name = name?.string, !matches(policy.secrets, name) else { return }
        refuse(place, "secret or config map \(name)", "secrets")
    }

    private func matches(_ globs: [String], _ name: String) -> Bool {
        globs.contains { $0 == "*" || $0 == name || Self.glob($0[...], name[...]) }
    }

    /// `*` at the end or the beginning: enough for names and labels.
    private static func glob(_ pattern: Substring, _ name: Substring) -> Bool {
        if pattern.last == "*" { return name.hasPrefix(pattern.dropLast()) }
        if pattern.first == "*" { return name.hasSuffix(pattern.dropFirst()) }
        return pattern == name
    }

    mutating func refuse(_ place: String, _ what: String, _ key: String) {
        findings.append(
            Finding(
                place: place,
                reason: "\(what): not allowed here; the administrator can allow it in config.yml "
                    + "(executors.\(executor).policy.\(key))"))
    }
}
