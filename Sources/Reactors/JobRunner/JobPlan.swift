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
        let base = [
            EnvironmentEntry("UUID", message.upload.name), EnvironmentEntry("REACTORD_HOME", home),
            EnvironmentEntry("REACTORD_INPUT", message.upload.folder),
            EnvironmentEntry("REACTORD_WORK", folders.work), EnvironmentEntry("REACTORD_OUTPUT", folders.output),
            EnvironmentEntry("REACTORD_JOB_UUID", message.job.rawValue),
            EnvironmentEntry("REACTORD_ARCHIVE_PATH", message.path), EnvironmentEntry("HOME", folders.work),
        ]
        return ContainerEnvironment.make(base, container)
    }

    /// - Parameter millisecondsLeft: of the whole job; nil when it has no limit.
    package func work(_ step: JobStep, _ folders: RunFolders, millisecondsLeft: Int64?) -> Work {
        let container = self.container(of: step)
        let environment = self.environment(container, folders)
        let values = ContainerEnvironment.table(environment)
        var work = Work(
            id: workID(step), command: container.command.map { ContainerEnvironment.expand($0, values) },
            environment: environment, workingDirectory: folders.work, logFile: logFile(step, folders),
            maxLogBytes: maxLogBytes, timeoutMilliseconds: millisecondsLeft)
        work.image = container.image
        work.arguments = container.args.map { ContainerEnvironment.expand($0, values) }
        work.folders = [
            WorkMount(host: folders.work, inside: folders.work, isReadOnly: false),
            WorkMount(host: folders.output, inside: folders.output, isReadOnly: false),
            WorkMount(host: message.upload.folder, inside: message.upload.folder, isReadOnly: true),
        ]
        work.labels = [
            EnvironmentEntry("job", message.job.rawValue), EnvironmentEntry("step", step.title),
            EnvironmentEntry("attempt", String(step.attempt)),
        ]
        return work
    }
}
