package import ActorCore

/// A job file, read and found good: a Kubernetes `batch/v1` Job that its executor can honour.
package struct JobManifest: Sendable, Equatable {
    /// As the file says it.
    package let name: String
    /// Globs of the annotation `reactord/applies-to`.
    package let appliesTo: [String]
    package let spec: JobSpec

    /// One thing that is wrong with a job file.
    package struct Problem: Sendable, Equatable {
        /// JSON pointer.
        package let place: String
        /// 1 is the first line; nil when it is not known.
        package let line: Int?
        package let reason: String

        package init(place: String, line: Int?, reason: String) {
            self.place = place
            self.line = line
            self.reason = reason
        }
    }

    /// All that is wrong with it, so that it takes one round to mend.
    package struct Invalid: Error, Sendable, Equatable {
        package let problems: [Problem]
    }

    /// - Parameters:
    ///   - fallbackName: taken when the file names none.
    ///   - rules: what the house lets job files do.
    ///   - executor: goes before what the file says.
    package static func decode(
        _ document: ParsedDocument, fallbackName: String, rules: JobRules = JobRules(), executor: String? = nil
    ) throws(Invalid) -> JobManifest {
        var reader = ManifestReader(document, rules, executor: executor)
        let manifest = reader.job(fallbackName: fallbackName)
        guard reader.problems.isEmpty, let manifest else { throw Invalid(problems: reader.problems) }
        return manifest
    }
}

/// Fields of a Job, by what becomes of them here.
private enum ManifestFields {
    static let job: Set<String> = ["apiVersion", "kind", "metadata", "spec", "status"]
    static let spec: Set<String> = [
        "template", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "parallelism", "completions",
        "completionMode", "podReplacementPolicy",
    ]
    /// Of a batch system, as annotations.
    static let options = ["partition", "account"]
    static let annotations = Set(
        [JobSelection.annotation, JobAnnotations.appliesIf, JobAnnotations.dependsOn, JobRules.annotation]
            + options.map { "reactord/\($0)" })
    static let template: Set<String> = ["metadata", "spec"]
    /// Only the first three have a meaning without a cluster; the others say where or as whom a pod would run.
    static let pod: Set<String> = [
        "initContainers", "containers", "restartPolicy", "volumes", "affinity", "nodeSelector", "tolerations",
        "priorityClassName", "serviceAccountName", "serviceAccount", "automountServiceAccountToken",
        "imagePullSecrets", "terminationGracePeriodSeconds", "schedulerName", "dnsPolicy", "enableServiceLinks",
        "hostname", "topologySpreadConstraints",
    ]
    static let container: Set<String> = [
        "name", "image", "command", "args", "env", "imagePullPolicy", "resources", "ports", "tty", "stdin",
        "stdinOnce", "terminationMessagePath", "terminationMessagePolicy",
    ]
    static let variable: Set<String> = ["name", "value"]
    /// Fields of Kubernetes that change what a container does and cannot be honoured here.
    static let unsupported: [String: String] = [
        "volumeMounts": "nothing is mounted without a cluster; use $REACTORD_INPUT, $REACTORD_WORK, $REACTORD_OUTPUT",
        "volumeDevices": "there are no block devices without a cluster",
        "valueFrom": "values from secrets or fields are not supported; give a value",
        "envFrom": "values from config maps or secrets are not supported; list them under env",
        "workingDir": "every step runs in the job's work folder",
        "securityContext": "steps run as the daemon's own user",
        "lifecycle": "lifecycle hooks are not supported",
        "livenessProbe": "probes are not supported", "readinessProbe": "probes are not supported",
        "startupProbe": "probes are not supported",
        "restartPolicy": "sidecar containers are not supported",
        "suspend": "jobs start at once", "podFailurePolicy": "not supported; use backoffLimit",
        "backoffLimitPerIndex": "not supported; use backoffLimit",
    ]
}

/// Walks a parsed job file and gathers what is wrong with it.
struct ManifestReader {
    private let document: ParsedDocument
    private let rules: JobRules
    let executor: String
    /// Nobody has said so, and it is what there is anyway: an image may decide among local executors.
    private let isStandard: Bool
    private(set) var problems: [JobManifest.Problem] = []

    init(_ document: ParsedDocument, _ rules: JobRules, executor: String?) {
        self.document = document
        self.rules = rules
        let annotation = document.value["metadata"]?["annotations"]?[JobRules.annotation]?.string
        // Nothing else runs a Workflow.
        let own = document.value["kind"]?.string == "Workflow" ? "argo" : nil
        self.executor = executor ?? annotation ?? own ?? rules.standard
        self.isStandard = executor == nil && annotation == nil && own == nil && rules.standard == "process"
    }

    /// The API server of a cluster knows the fields of its version; here only what the policy and we act on is read.
    private var isCluster: Bool { executor == "kubernetes" || executor == "argo" }

    mutating func job(fallbackName: String) -> JobManifest? {
        let root = document.value
        guard root.object != nil else {
            report("", "a job file is a Kubernetes Job: a mapping with apiVersion, kind, metadata and spec")
            return nil
        }
        let isWorkflow = root["kind"]?.string == "Workflow"
        if !isWorkflow {
            check(root, "", ManifestFields.job, "a Job")
            expect(root["apiVersion"], "/apiVersion", "batch/v1")
            expect(root["kind"], "/kind", "Job")
        }
        let metadata = root["metadata"] ?? [:]
        let name = text(metadata["name"] ?? metadata["generateName"], "/metadata/name") ?? fallbackName
        if let obstacle = rules.obstacle(to: executor) {
            let isNamed = metadata["annotations"]?[JobRules.annotation] != nil
            let place = isNamed ? "/metadata/annotations/\(escaped(JobRules.annotation))" : isWorkflow ? "/kind" : ""
            report(place, obstacle)
        } else if let policy = rules.policies[executor] {
            for finding in JobPolicyCheck.findings(in: root, policy: policy, executor: executor) {
                report(finding.place, finding.reason)
            }
        }
        checkAnnotations(metadata["annotations"])
        let annotation = metadata["annotations"]?[JobSelection.annotation]
        let globs = text(annotation, "/metadata/annotations/\(escaped(JobSelection.annotation))") ?? ""
        let read = isWorkflow ? workflowSpec(root, "/spec") : jobSpec(root["spec"], "/spec")
        guard var spec = read else { return nil }
        spec.executor = isStandard ? nil : executor
        for option in ManifestFields.options {
            let place = "/metadata/annotations/\(escaped("reactord/\(option)"))"
            spec.options[option] = text(metadata["annotations"]?["reactord/\(option)"], place)
        }
        if isCluster { spec.manifest = root }
        return JobManifest(name: name, appliesTo: JobSelection.globs(globs), spec: spec)
    }

    /// Ours are known; all others are somebody else's.
    private mutating func checkAnnotations(_ value: JSONValue?) {
        let known = ManifestFields.annotations
        for name in (value?.object ?? []).map(\.name) where name.hasPrefix("reactord/") && !known.contains(name) {
            report(
                "/metadata/annotations/\(escaped(name))",
                "there is no such annotation; there is \(known.sorted().joined(separator: ", "))")
        }
    }

    private mutating func jobSpec(_ value: JSONValue?, _ place: String) -> JobSpec? {
        guard let value = mapping(value, place, ManifestFields.spec, "a Job's spec") else { return nil }
        let backoff = count(value["backoffLimit"], "\(place)/backoffLimit", least: 0)
        let deadline = count(value["activeDeadlineSeconds"], "\(place)/activeDeadlineSeconds", least: 1)
        let kept = count(value["ttlSecondsAfterFinished"], "\(place)/ttlSecondsAfterFinished", least: 0)
        for field in ["parallelism", "completions"]
        where executor != "kubernetes" && !isAbsent(value[field]) && value[field]?.int != 1 {
            report("\(place)/\(field)", "only 1 is supported: one upload, one run")
        }
        guard let template = mapping(value["template"], "\(place)/template", ManifestFields.template, "a pod template")
        else { return nil }
        let podPlace = "\(place)/template/spec"
        guard let pod = mapping(template["spec"], podPlace, ManifestFields.pod, "a pod") else { return nil }
        if let policy = pod["restartPolicy"]?.string, policy != "Never", policy != "OnFailure" {
            report("\(podPlace)/restartPolicy", "must be Never or OnFailure, not \(policy)")
        }
        let first = containers(pod["initContainers"], "\(podPlace)/initContainers")
        let main = containers(pod["containers"], "\(podPlace)/containers")
        if main.isEmpty, problems.isEmpty { report("\(podPlace)/containers", "a job needs at least one container") }
        var seen: Set<String> = []
        for (list, containers) in [("initContainers", first), ("containers", main)] {
            for (index, container) in containers.enumerated() where !seen.insert(container.name).inserted {
                report("\(podPlace)/\(list)/\(index)/name", "\(container.name) is the name of another container too")
            }
        }
        var spec = JobSpec(
            initContainers: first, containers: main, activeDeadlineSeconds: deadline, backoffLimit: backoff ?? 0)
        spec.ttlSecondsAfterFinished = kept
        return spec
    }

    private mutating func containers(_ value: JSONValue?, _ place: String) -> [JobSpec.Container] {
        guard let value, !value.isNull else { return [] }
        guard let items = value.array else {
            report(place, "must be a list of containers")
            return []
        }
        var containers: [JobSpec.Container] = []
        for (index, item) in items.enumerated() {
            let place = "\(place)/\(index)"
            guard let item = mapping(item, place, ManifestFields.container, "a container") else { continue }
            let name = required(item["name"], "\(place)/name")
            if let name, !JobName.isLegal(name) || name.contains(".") {
                report("\(place)/name", "must be lower-case letters, digits and hyphens, at most 63, not \(name)")
            }
            let image = required(item["image"], "\(place)/image")
            containers.append(
                JobSpec.Container(
                    name: name ?? "", image: image ?? "", command: texts(item["command"], "\(place)/command"),
                    args: texts(item["args"], "\(place)/args"), env: variables(item["env"], "\(place)/env"),
                    workingDir: text(item["workingDir"], "\(place)/workingDir"),
                    resources: resources(item["resources"], "\(place)/resources")))
        }
        return containers
    }

    private mutating func variables(_ value: JSONValue?, _ place: String) -> [EnvironmentEntry] {
        guard let value, !value.isNull else { return [] }
        guard let items = value.array else {
            report(place, "must be a list of name and value")
            return []
        }
        var entries: [EnvironmentEntry] = []
        for (index, item) in items.enumerated() {
            let place = "\(place)/\(index)"
            guard let item = mapping(item, place, ManifestFields.variable, "a variable"),
                let name = required(item["name"], "\(place)/name")
            else { continue }
            // Filled in by the cluster.
            if isCluster, item["valueFrom"] != nil { continue }
            if name.isEmpty || name.contains("=") || name.utf8.contains(0) {
                report("\(place)/name", "is no name of a variable")
            }
            entries.append(EnvironmentEntry(name, text(item["value"], "\(place)/value") ?? ""))
        }
        return entries
    }

    /// What is asked for counts for processors, what it may have at most for memory.
    private mutating func resources(_ value: JSONValue?, _ place: String) -> JobResources {
        guard let value, !value.isNull else { return JobResources() }
        var amounts: [String: [String: (text: String, place: String)]] = [:]
        for list in ["requests", "limits"] {
            for member in value[list]?.object ?? [] {
                let here = "\(place)/\(list)/\(escaped(member.name))"
                let number = member.value.double.map { _ in JSONWriter.string(member.value) }
                guard let text = member.value.string ?? number, ResourceQuantity.thousandths(text) != nil else {
                    report(here, "is no amount: 500m, 2, 512Mi or 32Gi, for example")
                    continue
                }
                amounts[member.name, default: [:]][list] = (text, here)
            }
        }
        func amount(_ name: String, _ first: String, _ second: String) -> String? {
            (amounts[name]?[first] ?? amounts[name]?[second])?.text
        }
        let gpus = amounts.keys.first { $0.hasSuffix("/gpu") }
        var resources = JobResources(
            cpuMillis: amount("cpu", "requests", "limits").flatMap(ResourceQuantity.thousandths),
            memoryBytes: amount("memory", "limits", "requests").flatMap(ResourceQuantity.whole),
            gpus: gpus.flatMap { amount($0, "limits", "requests") }.flatMap(ResourceQuantity.whole))
        resources.cpuLimitMillis = (amounts["cpu"]?["limits"]?.text).flatMap(ResourceQuantity.thousandths)
        resources.memoryLimitBytes = (amounts["memory"]?["limits"]?.text).flatMap(ResourceQuantity.whole)
        return resources
    }

    // MARK: Values

    private mutating func mapping(
        _ value: JSONValue?, _ place: String, _ fields: Set<String>, _ what: String
    ) -> JSONValue? {
        guard let value, value.object != nil else {
            report(place, isAbsent(value) ? "is missing" : "must be a mapping")
            return nil
        }
        check(value, place, fields, what)
        return value
    }

    private mutating func check(_ value: JSONValue, _ place: String, _ fields: Set<String>, _ what: String) {
        for member in value.object ?? [] where !fields.contains(member.name) && !isCluster {
            if executor == "slurm", member.name == "workingDir" { continue }
            let reason = ManifestFields.unsupported[member.name] ?? "\(member.name) is no field of \(what)"
            report("\(place)/\(escaped(member.name))", reason)
        }
    }

    mutating func expect(_ value: JSONValue?, _ place: String, _ wanted: String) {
        if value?.string != wanted { report(place, "must be \(wanted)\(value?.string.map { ", not \($0)" } ?? "")") }
    }

    mutating func required(_ value: JSONValue?, _ place: String) -> String? {
        if isAbsent(value) { report(place, "is missing") }
        return text(value, place)
    }

    mutating func text(_ value: JSONValue?, _ place: String) -> String? {
        guard let value, !value.isNull else { return nil }
        guard let text = value.string else {
            report(place, "must be text: put it in quotes")
            return nil
        }
        if text.utf8.contains(0) { report(place, "must not hold a NUL byte") }
        return text
    }

    private mutating func texts(_ value: JSONValue?, _ place: String) -> [String] {
        guard let value, !value.isNull else { return [] }
        guard let items = value.array else {
            report(place, "must be a list of words")
            return []
        }
        return items.enumerated().compactMap { text($1, "\(place)/\($0)") }
    }

    mutating func count(_ value: JSONValue?, _ place: String, least: Int) -> Int? {
        guard let value, !value.isNull else { return nil }
        guard let number = value.int, (least...1_000_000_000).contains(number) else {
            report(place, "must be a whole number from \(least) on")
            return nil
        }
        return number
    }

    func isAbsent(_ value: JSONValue?) -> Bool { value?.isNull ?? true }

    mutating func report(_ place: String, _ reason: String) {
        problems.append(JobManifest.Problem(place: place, line: line(of: place), reason: reason))
    }

    /// The line of the value, or of the nearest thing around it when it is missing.
    private func line(of place: String) -> Int? {
        var pointer = place[...]
        while true {
            if let line = document.lines[String(pointer)] { return line }
            guard let slash = pointer.lastIndex(of: "/") else { return nil }
            pointer = pointer[..<slash]
        }
    }

    /// As RFC 6901 spells a name within a pointer.
    private func escaped(_ name: String) -> String {
        name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    }
}
