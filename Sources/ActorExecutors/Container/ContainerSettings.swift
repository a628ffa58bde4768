/// `executors.container` of the configuration: which engine, and what containers may have.
package struct ContainerExecutorSettings: Sendable, Equatable {
    /// When an image is fetched before a container is made from it.
    package enum Pull: String, Sendable, CaseIterable {
        case always = "Always"
        case ifNotPresent = "IfNotPresent"
        case never = "Never"
    }

    /// The engine's Unix socket, absolute.
    package var socket: String
    /// Tells our containers from those of another daemon on the same engine; letters and digits.
    package var instance: String
    package var maxRunning = 4
    /// Seconds between the stop signal and the kill.
    package var graceSeconds = 10.0
    /// An OCI runtime that the engine knows by this name; nil for its own choice.
    package var runtime: String?
    /// Soft and hard limits by the engine's names, for example nofile.
    package var ulimits: [String: Int] = [:]
    /// The network of containers whose job asks for none.
    package var network = "none"
    /// Networks that a job may ask for.
    package var networks: [String] = []
    /// Paths of this machine below which a job may mount.
    package var mounts: [Mount] = []
    package var pull = Pull.ifNotPresent
    /// Images that may be run; `*` at the end or the beginning stands for anything.
    package var images = ["*"]
    /// `uid` or `uid:gid` of containers whose job says none; nil for what the image says.
    package var user: String?
    package var pidsLimit = 4096
    /// Capabilities that containers keep; all others are dropped.
    package var capabilities: [String] = []
    /// Limits of containers whose job sets none.
    package var memoryBytes: Int64?
    package var cpuMillis: Int64?
    /// Seconds that a container is kept after its result is on record.
    package var keepSeconds = 0
    /// A folder of Python packages that scripts import, of this machine; nil for none.
    package var pythonPath: String?

    /// A path that may be mounted, and whether it may be written to.
    package struct Mount: Sendable, Equatable {
        package var path: String
        package var isWritable: Bool

        package init(path: String, isWritable: Bool) {
            self.path = path
            self.isWritable = isWritable
        }
    }

    package init(socket: String, instance: String) {
        self.socket = socket
        self.instance = instance
    }

    /// Where the packages are seen inside.
    static let pythonInside = "/opt/reactord/python"

    /// The path of a socket as settings write it, `unix:///run/…`; nil when it is none.
    package static func path(of socket: String) -> String? {
        let scheme = "unix://"
        let path = socket.hasPrefix(scheme) ? String(socket.dropFirst(scheme.count)) : socket
        return path.hasPrefix("/") && path.utf8.count < 108 && !path.utf8.contains(0) ? path : nil
    }
}
