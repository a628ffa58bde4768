/// What runs work.
package struct ExecutorSettings: Sendable, Equatable {
    /// The ones that exist, and the ones that a later version brings.
    package static let available = ["process"]
    package static let planned = ["container", "kubernetes", "argo", "slurm"]

    package var standard = "process"
    package var process = ProcessSettings()
    package var container = ContainerSettings()
    package var kubernetes = KubernetesSettings()
    package var argo = ArgoSettings()
    package var slurm = SlurmSettings()

    package init() {}
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
    package var runtime: String?
    package var ulimits: [String: Int] = [:]
    package var network = "none"
}

/// A Kubernetes cluster.
package struct KubernetesSettings: Sendable, Equatable {
    package var kubeconfig: String?
    package var context: String?
    package var namespace = "default"
}

/// Argo Workflows.
package struct ArgoSettings: Sendable, Equatable {
    package var namespace = "argo"
    package var via = "kubernetes"
    package var server: String?
}

/// A Slurm cluster.
package struct SlurmSettings: Sendable, Equatable {
    package var via = "cli"
    package var partition: String?
    package var account: String?
}
