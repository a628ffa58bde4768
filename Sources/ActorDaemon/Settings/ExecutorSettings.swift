package import ActorCore

/// What runs work.
package struct ExecutorSettings: Sendable, Equatable {
    /// Those that run a command of an actor or a step of a job, and those that are given whole jobs.
    package static let ofSteps = ["process", "container"]
    package static let available = ofSteps + ["slurm", "kubernetes", "argo"]

    package var standard = "process"
    package var process = ProcessSettings()
    /// Nil when no engine is configured.
    package var container: ContainerSettings?
    package var kubernetes = KubernetesSettings()
    package var argo = ArgoSettings()
    package var slurm = SlurmSettings()
    /// Those that config.yml names, and the standard one.
    package var configured: Set<String> = ["process"]
    /// What jobs may do at each.
    package var policies: [String: JobPolicy] = [:]

    package init() {}

    /// What job files may ask for here.
    package var rules: JobRules {
        let known = configured.intersection(Self.available)
        return JobRules(
            standard: standard,
            policies: Dictionary(uniqueKeysWithValues: known.map { ($0, policies[$0] ?? JobPolicy()) }))
    }
}

/// Local commands.
package struct ProcessSettings: Sendable, Equatable {
    package var maxRunning = 4
    /// Between SIGTERM and SIGKILL.
    package var graceSeconds = 10.0
    package var images: [ImageCommand] = []
    /// A job's command runs on this host whatever its image says.
    package var anyImage = false
    /// Folder of the Python packages that scripts import, absolute; nil takes the one that came with the binary.
    package var pythonPath: String?

    /// Resource limits of every command, by the names of limits.conf(5).
    package var ulimits: [String: Int] = [:]
    /// The user that commands run as; nil for the daemon's own.
    package var user: UserAccount?
    /// A control group of ours, absolute: groups for commands with limits are made in it.
    package var cgroup: String?

    /// A user of this machine.
    package struct UserAccount: Sendable, Equatable {
        package var name: String
        package var user: UInt32
        package var group: UInt32
    }

    /// The local command that an image name stands for.
    package struct ImageCommand: Sendable, Equatable {
        package var image: String
        package var command: [String]
        /// A container of this image may bring its own command.
        package var anyCommand = false
    }
}

/// A container engine, reached over its socket.
package struct ContainerSettings: Sendable, Equatable {
    package var socket = "unix:///run/podman/podman.sock"
    package var maxRunning = 4
    package var runtime: String?
    package var ulimits: [String: Int] = [:]
    /// The network of containers that ask for none, and those that may be asked for.
    package var network = "none"
    package var allowNetworks: [String] = []
    /// Folders that job files may mount: `/path`, or `/path:rw` for writing.
    package var mounts: [String] = []
    package var pull = "IfNotPresent"
    package var allowImages = ["*"]
    package var user: String?
    package var pidsLimit = 4096
    package var capabilities: [String] = []
    /// Quantities as Kubernetes writes them, for containers that say nothing.
    package var memoryBytes: Int64?
    package var cpuMillis: Int64?
    package var keepSeconds = 0
}

/// A Kubernetes cluster.
package struct KubernetesSettings: Sendable, Equatable {
    package var kubeconfig: String?
    package var context: String?
    package var namespace = "default"
    package var pollSeconds = 5.0
    package var labels: [String: String] = [:]
    /// The source of a volume with the data folder, as a pod names it; null: pods do not see our files.
    package var sharedVolume = JSONValue.null
    package var isTriedFirst = false
    /// A kubeconfig may switch off the check of the server's certificate.
    package var isUnverifiedAllowed = false
}

/// Argo Workflows.
package struct ArgoSettings: Sendable, Equatable {
    package var namespace = "argo"
    package var pollSeconds = 5.0
    package var via = "kubernetes"
    /// The Argo server, and what it is told of us, for `via: server`.
    package var server: String?
    package var token: Secret?
    package var tokenFile: String?
    package var authorities: String?
    package var isUnverified = false
}

/// A Slurm cluster.
package struct SlurmSettings: Sendable, Equatable {
    package var via = "cli"
    package var partition: String?
    package var account: String?
    /// Where sbatch and the others are; nil for PATH.
    package var binaries: String?
    package var pollSeconds = 5.0
    /// Put before the command of a container, `$(image)` being its image: `[apptainer, exec, "docker://$(image)"]`.
    /// Without it images are local commands, as `executors.process.images` says.
    package var imageCommand: [String] = []
    /// More options for every sbatch.
    package var options: [String] = []
}
