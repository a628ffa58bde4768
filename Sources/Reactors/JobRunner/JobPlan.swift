package import ActorCore

/// Turns a step of a job into the command that an executor runs: names, variables, folders, time that is left.
package struct JobPlan: Sendable {
    package let message: JobRunMessage
    package let execution: ExecutionID
    /// The folder of `config.yml`.
    package let home: String
    package let maxLogBytes: Int

    package init(message: JobRunMessage, execution: ExecutionID, home: String, maxLogBytes: Int) {
        self.message = message
        self.execution = execution
        self.home = home
        self.maxLogBytes = maxLogBytes
    }

    package func container(of step: JobStep) -> JobSpec.Container {
        switch step.phase {
        case .initial: message.spec.initContainers[step.index]
        case .main: message.spec.containers[step.index]
        }
    }

    /// The same in every delivery of the message, so that leftovers of an earlier one are found.
    package func workID(_ step: JobStep) -> String { "\(execution)-\(step.slug)" }

    package func logFile(_ step: JobStep, _ folders: RunFolders) -> String { "\(folders.logs)/\(step.slug).log" }

    package func environment(_ container: JobSpec.Container, _ folders: RunFolders) -> [EnvironmentEntry] {
        JobVariables.make(base(folders), container)
    }

    /// What every container is told. A job that was run by hand has no input.
    private func base(_ folders: RunFolders) -> [EnvironmentEntry] {
        let input = message.upload.folder.isEmpty ? [] : [EnvironmentEntry("REACTORD_INPUT", message.upload.folder)]
        return [EnvironmentEntry("UUID", message.upload.name), EnvironmentEntry("REACTORD_HOME", home)] + input + [
            EnvironmentEntry("REACTORD_WORK", folders.work), EnvironmentEntry("REACTORD_OUTPUT", folders.output),
            EnvironmentEntry("REACTORD_JOB_UUID", message.job.rawValue),
            EnvironmentEntry("REACTORD_ARCHIVE_PATH", message.path), EnvironmentEntry("HOME", folders.work),
        ]
    }

    /// The whole job for an engine.
    package func order(_ run: EngineRun, _ folders: RunFolders) -> JobOrder {
        let spec = message.spec
        let phases = [(JobPhase.initial, spec.initContainers), (.main, spec.containers)]
        let steps = phases.flatMap { phase, containers in
            containers.map { step(phase, $0, run, folders) }
        }
        return JobOrder(
            run: run, steps: steps, environment: base(folders), folders: folders,
            deadlineSeconds: spec.activeDeadlineSeconds, backoffLimit: spec.backoffLimit, options: spec.options,
            manifest: spec.manifest)
    }

    private func step(
        _ phase: JobPhase, _ container: JobSpec.Container, _ run: EngineRun, _ folders: RunFolders
    ) -> JobOrder.Step {
        let environment = self.environment(container, folders)
        let values = JobVariables.table(environment)
        return JobOrder.Step(
            phase: phase, name: container.name, slug: phase.slug(container.name, attempt: run.attempt),
            image: container.image, command: container.command.map { JobVariables.expand($0, values) },
            args: container.args.map { JobVariables.expand($0, values) }, environment: environment,
            workingDirectory: container.workingDir, resources: container.resources)
    }

    /// - Parameter millisecondsLeft: of the whole job; nil when it has no limit.
    package func work(_ step: JobStep, _ folders: RunFolders, millisecondsLeft: Int64?) -> Work {
        let container = self.container(of: step)
        let environment = self.environment(container, folders)
        let values = JobVariables.table(environment)
        var work = Work(
            id: workID(step), command: container.command.map { JobVariables.expand($0, values) },
            environment: environment, workingDirectory: folders.work, logFile: logFile(step, folders),
            maxLogBytes: maxLogBytes, timeoutMilliseconds: millisecondsLeft)
        work.image = container.image
        work.arguments = container.args.map { JobVariables.expand($0, values) }
        work.folders = [
            WorkMount(host: folders.work, inside: folders.work, isReadOnly: false),
            WorkMount(host: folders.output, inside: folders.output, isReadOnly: false),
        ]
        let input = message.upload.folder
        if !input.isEmpty { work.folders.append(WorkMount(host: input, inside: input, isReadOnly: true)) }
        work.executor = message.spec.executor
        work.cpuMillis = container.resources.cpuLimitMillis
        work.memoryBytes = container.resources.memoryLimitBytes
        work.labels = [
            EnvironmentEntry("job", message.job.rawValue), EnvironmentEntry("step", step.title),
            EnvironmentEntry("attempt", String(step.attempt)),
        ]
        return work
    }
}
