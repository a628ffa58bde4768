/// What the house lets job files do: which executors there are, and the policy of each. Neither a message nor a job
/// file can widen it.
package struct JobRules: Sendable, Equatable {
    /// Executors that are given a whole job; all others run one command at a time.
    package static let engineNames: Set<String> = ["slurm", "kubernetes", "argo"]
    /// The annotation of a job file that says where it runs.
    package static let annotation = "reactord/executor"

    /// Where a job runs that does not say.
    package var standard: String
    /// Executors that are set up here, with what jobs may do there.
    package var policies: [String: JobPolicy]

    package init(standard: String = "process", policies: [String: JobPolicy] = ["process": JobPolicy()]) {
        self.standard = standard
        self.policies = policies
    }

    package var names: [String] { policies.keys.sorted() }

    /// Why a job may not run there; nil when it may.
    package func obstacle(to executor: String) -> String? {
        if policies[executor] != nil { return nil }
        return "there is no executor \(executor) here; there is \(names.joined(separator: ", ")) "
            + "(executors in config.yml)"
    }

    package static func isEngine(_ executor: String?) -> Bool { executor.map(engineNames.contains) ?? false }
}

/// What jobs may do at one executor; what is not listed is refused.
package struct JobPolicy: Sendable, Equatable {
    /// Globs over image names (`*` is anything).
    package var images: [String]
    /// Kinds of volumes: `emptyDir`, `persistentVolumeClaim` …
    package var volumes: [String]
    /// Globs over the names of secrets and config maps that may be mounted or read.
    package var secrets: [String]
    /// Folders of nodes that may be mounted, with all below them.
    package var hostPaths: [String]
    /// Globs over labels of nodes that may be chosen by.
    package var nodeSelectors: [String]
    package var serviceAccounts: [String]
    package var namespaces: [String]
    /// Slurm partitions and accounts that a job file may name.
    package var partitions: [String]
    package var accounts: [String]
    package var isPrivilegedAllowed: Bool
    package var isHostNetworkAllowed: Bool

    package init(
        images: [String] = ["*"], volumes: [String] = ["emptyDir"], secrets: [String] = [],
        hostPaths: [String] = [], nodeSelectors: [String] = [], serviceAccounts: [String] = [],
        namespaces: [String] = [], partitions: [String] = [], accounts: [String] = [],
        isPrivilegedAllowed: Bool = false, isHostNetworkAllowed: Bool = false
    ) {
        self.images = images
        self.volumes = volumes
        self.secrets = secrets
        self.hostPaths = hostPaths
        self.nodeSelectors = nodeSelectors
        self.serviceAccounts = serviceAccounts
        self.namespaces = namespaces
        self.partitions = partitions
        self.accounts = accounts
        self.isPrivilegedAllowed = isPrivilegedAllowed
        self.isHostNetworkAllowed = isHostNetworkAllowed
    }
}
