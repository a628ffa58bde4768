package import ActorCore
import ActorExecutors
import Foundation
import Reactors

/// Looks at everything that people write, and starts nothing.
package struct Check: Sendable {
    /// Where things are, and what they are held against.
    package struct Options: Sendable {
        package var configFile: String?
        package var secretsFile: String?
        package var environment: [String: String]
        /// Names of built-in reactors.
        package var builtins: Set<String>
        package var compiler: any SchemaCompiler

        package init(
            configFile: String?, secretsFile: String? = nil, environment: [String: String],
            builtins: Set<String>, compiler: any SchemaCompiler
        ) {
            self.configFile = configFile
            self.secretsFile = secretsFile
            self.environment = environment
            self.builtins = builtins
            self.compiler = compiler
        }
    }

    private let options: Options

    package init(_ options: Options) { self.options = options }

    /// Blocking: call it from a thread that may wait.
    package func run() -> CheckReport {
        var report = CheckReport()
        let settings: Settings
        do {
            settings = try SettingsLoader.load(
                file: options.configFile, environment: options.environment, secretsFile: options.secretsFile)
        } catch {
            for problem in Problem.all(of: error, file: options.configFile ?? "config.yml") { report.error(problem) }
            return report
        }
        for warning in settings.warnings { report.warn(warning) }
        for key in settings.notYetActive {
            report.warn(
                Problem(
                    file: settings.file ?? "config.yml", reason: "\(key) is configured but not part of this version"))
        }
        checkImages(settings, &report)
        if let socket = settings.executors.container?.socket,
            let path = ContainerExecutorSettings.path(of: socket), access(path, R_OK | W_OK) != 0
        {
            let what = errno == EACCES ? "may not be opened by this user" : "is not there"
            report.error(
                Problem(
                    file: settings.file ?? "config.yml",
                    reason: "executors.container.socket: \(path) \(what); start the engine (podman system service, or "
                        + "dockerd), or correct the path"))
        }
        if ProcessExecutorSettings.findSupervisor() == nil {
            report.error(
                Problem(
                    file: settings.file ?? "config.yml",
                    reason: "the program reactord-supervisor is not beside reactord, so no command can run: install it"
                ))
        }
        if let obstacle = settings.executors.process.cgroup.flatMap(ProcessExecutorSettings.obstacle(toCgroup:)) {
            let file = settings.file ?? "config.yml"
            report.error(
                Problem(file: file, line: line(of: "/executors/process/cgroup", in: file), reason: obstacle))
        }
        if let folder = settings.executors.process.pythonPath, !PythonPackages.isUsable(folder) {
            for problem in Problem.all(of: PythonPackages.refusal(folder, settings), file: settings.file ?? "") {
                report.error(problem)
            }
        }
        checkActors(settings, &report)
        return report
    }

    private func checkImages(_ settings: Settings, _ report: inout CheckReport) {
        for image in settings.executors.process.images {
            guard let obstacle = ProgramCheck(options).obstacle(to: image.command, in: settings.home) else { continue }
            report.error(
                Problem(
                    file: settings.file ?? "config.yml",
                    reason: "executors.process.images.\(image.image): \(obstacle)"))
        }
    }

    private func checkActors(_ settings: Settings, _ report: inout CheckReport) {
        let loaded = load(settings)
        if let problem = loaded.problem { report.error(problem) }
        for folder in loaded.quarantined {
            for problem in folder.problems { report.error(problem) }
        }
        let names = Set(loaded.actors.map(\.spec.name)).union(loaded.actors.map(\.spec.id.rawValue))
        for actor in loaded.actors {
            report.actors += 1
            for warning in actor.warnings { report.warn(warning) }
            for problem in actor.settingProblems { report.error(problem) }
            checkProgram(of: actor, settings, &report)
            checkSamples(of: actor, &report)
            if let link = actor.spec.link, !names.contains(link) {
                report.warn(Problem(file: file(of: actor), reason: "link names no actor of this house: \(link)"))
            }
            checkJobFiles(of: actor, settings, &report)
        }
        report.actors += loaded.quarantined.count
        if let problem = JobManagerCheck(settings, loaded).problem {
            let file = settings.file ?? "config.yml"
            let place = Problem(
                file: file, line: line(of: "/pipelines/job_manager_id", in: file), reason: problem.reason)
            if problem.isCertain { report.error(place) } else { report.warn(place) }
        }
    }

    /// Job files of any folder: what a repository of them runs before it takes a change. They are held against the
    /// executors of config.yml; where there is none, against all that there are.
    package func jobFiles(below folder: String) -> CheckReport {
        var report = CheckReport()
        do {
            let settings = try SettingsLoader.load(
                file: options.configFile, environment: options.environment, secretsFile: options.secretsFile)
            var check = JobFileCheck(root: folder, house: settings, template: template(of: settings))
            if settings.file == nil {
                var rules = settings.executors.rules
                for name in ExecutorSettings.available where rules.policies[name] == nil {
                    rules.policies[name] = JobPolicy()
                }
                check = JobFileCheck(root: folder, rules: rules, template: template(of: settings))
            }
            check.run(&report)
        } catch {
            for problem in Problem.all(of: error, file: options.configFile ?? "config.yml") { report.error(problem) }
        }
        if report.jobFiles == 0, report.isGood {
            report.error(Problem(file: folder, reason: "there is no job file below it"))
        }
        return report
    }

    /// What the ingest of this house puts into job files.
    private func template(of settings: Settings) -> JobTemplate {
        let ingest = load(settings).actors.first { $0.spec.run == .builtin("ingest") }
        return ingest.flatMap { try? IngestSettings(json: $0.spec.settings) }?.template ?? JobTemplate()
    }

    private func load(_ settings: Settings) -> LoadedFolders {
        let context = ActorFolderLoader.Context(
            tenant: settings.tenant, owner: "admin", environment: options.environment, secrets: settings.secrets,
            compiler: options.compiler, builtins: options.builtins)
        return ActorFolderLoader(context: context).load(folder: settings.actors.folder)
    }

    private func checkJobFiles(of actor: LoadedActor, _ house: Settings, _ report: inout CheckReport) {
        guard let folder = actor.spec.folder else { return }
        var template = JobTemplate()
        if actor.spec.run == .builtin("ingest"), let settings = try? IngestSettings(json: actor.spec.settings) {
            template = settings.template
            for set in settings.jobSets {
                guard case .folder(let folder) = set.source else { continue }
                JobFileCheck(root: folder, house: house, template: template).run(&report)
            }
        }
        JobFileCheck(root: "\(folder)/jobs", house: house, template: template).run(&report)
    }

    private func file(of actor: LoadedActor) -> String { (actor.spec.folder ?? actor.spec.name) + "/actor.yml" }

    private func checkProgram(of actor: LoadedActor, _ settings: Settings, _ report: inout CheckReport) {
        switch actor.spec.run {
        case .builtin: return
        case .command(let words):
            let folder = actor.spec.folder ?? "."
            let program = ProgramCheck(options)
            guard let obstacle = program.obstacle(to: words, in: folder) ?? program.missingScript(of: words, in: folder)
            else { return }
            report.error(
                Problem(
                    file: file(of: actor), line: line(of: "/run/command", in: file(of: actor)),
                    reason: "run.command: \(obstacle)"))
        case .image(let image):
            let process = settings.executors.process
            if settings.executors.container != nil, actor.spec.executor != "process" { return }
            guard !process.images.contains(where: { $0.image == image }) else { return }
            report.error(
                Problem(
                    file: file(of: actor),
                    reason: "run.image: the process executor knows no command for \(image); "
                        + "name it under executors.process.images in config.yml, or set executors.container.socket"))
        }
    }

    /// Of a value in a file that was read before; nil when that cannot be told.
    private func line(of pointer: String, in file: String) -> Int? {
        guard let text = try? BoundedFile.read(file, limit: 1_048_576).bytes,
            let document = try? YAMLReader().read(yaml: text, file: file)
        else { return nil }
        return ProblemCollector(file: file, lines: document.lines).line(of: pointer)
    }

    private func checkSamples(of actor: LoadedActor, _ report: inout CheckReport) {
        // The loader has compiled them once already: this cannot fail.
        let schemas = actor.spec.schemas.compactMap { try? options.compiler.compile($0) }
        for sample in actor.samples {
            report.samples += 1
            do {
                _ = try JSONReader.read(sample.text)
            } catch {
                let line = sample.text.prefix(error.offset).count { $0 == UInt8(ascii: "\n") } + 1
                report.error(Problem(file: sample.file, line: line, reason: "not valid JSON: \(error.reason)"))
                continue
            }
            let violations = schemas.map { $0.violations(of: sample.text) }
            guard !schemas.isEmpty, !violations.contains(where: \.isEmpty) else { continue }
            // The schema that it fails least is the one it was meant for.
            let nearest = violations.min { $0.count < $1.count } ?? []
            for violation in nearest {
                let place = violation.place.isEmpty ? "the message" : violation.place
                report.error(Problem(file: sample.file, reason: "\(place): \(violation.problem)"))
            }
        }
    }
}
