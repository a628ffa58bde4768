import ActorCore
import ActorExecutors
import Foundation
import Reactors

/// Reads the job files of one actor, or of any folder, as a run would.
struct JobFileCheck {
    static let maxFiles = 1000

    /// Below which the job files lie.
    let root: String
    let rules: JobRules
    /// What the house declares for them.
    var template = JobTemplate()
    /// What images stand for on this machine; nil where that says nothing about job files.
    var local: ProcessExecutorSettings?
    /// Images that stand for nothing here run in containers, unless a job insists on `process`.
    var hasContainers = false

    init(root: String, rules: JobRules, template: JobTemplate) {
        self.root = root
        self.rules = rules
        self.template = template
    }

    init(root: String, house: Settings, template: JobTemplate) {
        self.init(root: root, rules: house.executors.rules, template: template)
        let process = house.executors.process
        local = ProcessExecutorSettings(images: EngineMaker.images(process), anyImage: process.anyImage)
        hasContainers = house.executors.container != nil
    }

    func run(_ report: inout CheckReport) {
        guard let walk = FileManager.default.enumerator(atPath: root) else { return }
        var paths: [String] = []
        for case let path as String in walk where path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
            guard paths.count < Self.maxFiles else {
                report.error(Problem(file: root, reason: "it has more than \(Self.maxFiles) job files"))
                return
            }
            paths.append(path)
        }
        var dependencies: [String: [String]] = [:]
        for path in paths.sorted() {
            report.jobFiles += 1
            let file = "\(root)/\(path)"
            do {
                let text = try BoundedFile.read(file, limit: 1_048_576).bytes
                let rendered = template.render(text, uuid: IngestReactor.sampleUpload)
                dependencies[path] = Self.dependencies(of: rendered, path: path)
                for problem in problems(of: rendered, file: file, path: path) { report.error(problem) }
            } catch {
                report.error(Problem(file: file, reason: error.message))
            }
        }
        checkOrder(dependencies, &report)
    }

    private func checkOrder(_ dependencies: [String: [String]], _ report: inout CheckReport) {
        for (path, names) in dependencies.sorted(by: { $0.key < $1.key }) {
            for name in names where dependencies[name] == nil && !name.contains(":") {
                report.error(Problem(file: "\(root)/\(path)", reason: "it depends on \(name), which is not there"))
            }
        }
        for (path, ring) in JobFileOrder.rings(dependencies).sorted(by: { $0.key < $1.key }) {
            let way = (ring + [ring[0]]).joined(separator: " → ")
            report.error(Problem(file: "\(root)/\(path)", reason: "it waits for itself: \(way)"))
        }
    }

    private static func dependencies(of rendered: [UInt8], path: String) -> [String] {
        guard let document = try? YAMLReader().read(yaml: rendered, file: path) else { return [] }
        return JobAnnotations(document, path: path).dependencies
    }

    /// What is wrong with a job file whose variables have been replaced.
    private func problems(of rendered: [UInt8], file: String, path: String) -> [Problem] {
        do {
            let document = try YAMLReader().read(yaml: rendered, file: file)
            let annotations = JobAnnotations(document, path: path)
            let found: [JobManifest.Problem]
            do {
                let manifest = try JobManifest.decode(document, fallbackName: "job", rules: rules)
                found = annotations.problems + imageProblems(manifest.spec, document, file: file)
            } catch {
                found = error.problems + annotations.problems.filter { !error.problems.contains($0) }
            }
            return found.map { problem in
                let place = Pointer.dotted(problem.place)
                let reason = place.isEmpty ? problem.reason : "\(place): \(problem.reason)"
                return Problem(file: file, line: problem.line, reason: reason)
            }
        } catch {
            return Problem.all(of: error, file: file)
        }
    }

    /// Images for which nothing stands on this machine, which a run would stumble over.
    private func imageProblems(
        _ spec: JobSpec, _ document: ParsedDocument, file: String
    ) -> [JobManifest.Problem] {
        guard let local, spec.executor == "process" || (spec.executor == nil && !hasContainers) else { return [] }
        let lines = ProblemCollector(file: file, lines: document.lines)
        var problems: [JobManifest.Problem] = []
        for (list, containers) in [("initContainers", spec.initContainers), ("containers", spec.containers)] {
            // What is still to be filled in cannot be looked up.
            for (index, container) in containers.enumerated() where !container.image.contains("$") {
                let place = "/spec/template/spec/\(list)/\(index)/image"
                do throws(ActorError) {
                    _ = try local.command(
                        image: container.image, command: container.command, arguments: container.args)
                } catch {
                    problems.append(
                        JobManifest.Problem(place: place, line: lines.line(of: place), reason: error.message))
                }
            }
        }
        return problems
    }
}
