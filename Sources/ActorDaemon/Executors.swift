internal import ActorCore
internal import ActorExecutors
internal import Foundation
internal import Logging

/// Makes the executors that the settings name.
enum Executors {
    static func make(
        _ settings: Settings, data: DataFolder, client: any HTTPClient, clock: any Timekeeper, logger: Logger
    ) throws(ActorError) -> StepExecutors {
        let python = try PythonPackages.folder(settings)
        return StepExecutors(
            process: process(settings.executors.process, python, data, logger),
            container: try container(settings, python, data, client, clock, logger))
    }

    private static func process(
        _ process: ProcessSettings, _ python: String?, _ data: DataFolder, _ logger: Logger
    ) -> ProcessExecutor {
        var own = ProcessExecutorSettings(
            maxRunning: process.maxRunning, graceSeconds: process.graceSeconds,
            images: Dictionary(
                process.images.map { ($0.image, ImageCommand(command: $0.command, anyCommand: $0.anyCommand)) },
                uniquingKeysWith: { first, _ in first }),
            anyImage: process.anyImage, pythonPath: python)
        own.limits = process.ulimits
        own.account = process.user.map { ProcessExecutorSettings.Account(user: $0.user, group: $0.group) }
        own.cgroup = process.cgroup
        if let obstacle = process.cgroup.flatMap(ProcessExecutorSettings.obstacle(toCgroup:)) {
            logger.error("no command can run: its control group is not usable", metadata: ["problem": "\(obstacle)"])
        }
        return ProcessExecutor(settings: own, logger: logger, folder: data.commands)
    }

    private static func container(
        _ settings: Settings, _ python: String?, _ data: DataFolder, _ client: any HTTPClient,
        _ clock: any Timekeeper, _ logger: Logger
    ) throws(ActorError) -> ContainerExecutor? {
        guard let container = settings.executors.container,
            let socket = ContainerExecutorSettings.path(of: container.socket)
        else { return nil }
        // Two daemons may share an engine; each touches its own containers only.
        let instance = Hexadecimal.text(try data.readOrMakeKey("instance.key").prefix(6))
        var own = ContainerExecutorSettings(socket: socket, instance: instance)
        own.maxRunning = container.maxRunning
        own.graceSeconds = settings.executors.process.graceSeconds
        own.runtime = container.runtime
        own.ulimits = container.ulimits
        own.network = container.network
        own.networks = container.allowNetworks
        own.mounts = container.mounts.compactMap(SettingsReader.mount)
        own.pull = ContainerExecutorSettings.Pull(rawValue: container.pull) ?? .ifNotPresent
        own.images = container.allowImages
        // Files that a container leaves in a run's folders must be ours to remove.
        own.user = container.user ?? (geteuid() == 0 ? nil : "\(geteuid()):\(getegid())")
        own.pidsLimit = container.pidsLimit
        own.capabilities = container.capabilities
        own.memoryBytes = container.memoryBytes
        own.cpuMillis = container.cpuMillis
        own.keepSeconds = container.keepSeconds
        own.pythonPath = python
        if access(socket, F_OK) != 0 {
            logger.warning(
                "the container engine's socket is not there; what needs it waits", metadata: ["socket": "\(socket)"])
        }
        return ContainerExecutor(settings: own, client: client, clock: clock, logger: logger)
    }
}
