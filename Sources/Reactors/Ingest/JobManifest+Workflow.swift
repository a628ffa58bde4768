import ActorCore

/// A Workflow of Argo as a job file: Argo knows its fields; what can be known without a cluster is checked here.
extension ManifestReader {
    private static let works: [String] = [
        "container", "script", "containerSet", "steps", "dag", "suspend", "resource", "data", "http", "plugin",
    ]

    mutating func workflowSpec(_ root: JSONValue, _ place: String) -> JobSpec? {
        expect(root["apiVersion"], "/apiVersion", "argoproj.io/v1alpha1")
        if executor != "argo" { report("/kind", "a Workflow runs on argo only, not on \(executor)") }
        guard let spec = root["spec"], spec.object != nil else {
            report(place, isAbsent(root["spec"]) ? "is missing" : "must be a mapping")
            return nil
        }
        templates(spec, place)
        let deadline = count(spec["activeDeadlineSeconds"], "\(place)/activeDeadlineSeconds", least: 1)
        let kept = count(
            spec["ttlStrategy"]?["secondsAfterCompletion"], "\(place)/ttlStrategy/secondsAfterCompletion", least: 0)
        var read = JobSpec(containers: [], activeDeadlineSeconds: deadline)
        read.ttlSecondsAfterFinished = kept
        return read
    }

    private mutating func templates(_ spec: JSONValue, _ place: String) {
        // Whoever names a template of the cluster has its templates and its entrypoint from there.
        if spec["workflowTemplateRef"] != nil { return }
        let entrypoint = required(spec["entrypoint"], "\(place)/entrypoint")
        guard let templates = spec["templates"]?.array, !templates.isEmpty else {
            return report("\(place)/templates", "must be a list of templates, with one at least")
        }
        var names: Set<String> = []
        for (index, template) in templates.enumerated() {
            let here = "\(place)/templates/\(index)"
            if let name = required(template["name"], "\(here)/name"), !names.insert(name).inserted {
                report("\(here)/name", "\(name) is the name of another template too")
            }
            let does = Self.works.filter { template[$0] != nil }
            if does.count != 1 {
                let what = does.isEmpty ? "nothing" : does.joined(separator: " and ")
                report(here, "a template does one thing (\(Self.works.joined(separator: ", "))), not \(what)")
            }
        }
        if let entrypoint, !names.contains(entrypoint) {
            report("\(place)/entrypoint", "there is no template \(entrypoint)")
        }
        for (index, template) in templates.enumerated() {
            let here = "\(place)/templates/\(index)"
            for (group, steps) in (template["steps"]?.array ?? []).enumerated() {
                for (number, step) in (steps.array ?? [steps]).enumerated() {
                    target(step, names, "\(here)/steps/\(group)/\(number)")
                }
            }
            for (number, task) in (template["dag"]?["tasks"]?.array ?? []).enumerated() {
                target(task, names, "\(here)/dag/tasks/\(number)")
            }
        }
    }

    private mutating func target(_ task: JSONValue, _ names: Set<String>, _ place: String) {
        guard let name = text(task["template"], "\(place)/template") else { return }
        if !names.contains(name) { report("\(place)/template", "there is no template \(name)") }
    }
}
