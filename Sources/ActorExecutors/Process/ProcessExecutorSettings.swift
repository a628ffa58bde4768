import Glibc

/// `executors.process` of the configuration.
package struct ProcessExecutorSettings: Sendable, Equatable {
    /// Commands that may run at once; the others wait in line.
    package var maxRunning: Int
    /// Seconds between SIGTERM and SIGKILL.
    package var graceSeconds: Double
    /// Image names that stand for local commands.
    package var images: [String: ImageCommand]
    /// A container's command runs on the host whatever its image says: for machines of one user.
    package var anyImage: Bool
    /// Folder of Python packages, at the end of every command's PYTHONPATH; nil for none.
    package var pythonPath: String?
    /// Resource limits by the names of limits.conf(5): nofile, nproc, as, fsize, core, cpu, data, stack, memlock.
    package var limits: [String: Int] = [:]
    /// Whom commands run as; nil for the daemon's own user.
    package var account: Account?
    /// A control group in which groups for commands with limits are made; nil for none.
    package var cgroup: String?
    /// The program that watches commands; nil where it is usually found.
    package var supervisor: String?

    /// A user of this machine.
    package struct Account: Sendable, Equatable {
        package var user: UInt32
        package var group: UInt32

        package init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    /// Names of limits that may be set.
    package static let limitNames = [
        "as", "core", "cpu", "data", "fsize", "memlock", "nofile", "nproc", "stack",
    ]

    package init(
        maxRunning: Int = 4, graceSeconds: Double = 10, images: [String: ImageCommand] = [:], anyImage: Bool = false,
        pythonPath: String? = nil
    ) {
        self.maxRunning = maxRunning
        self.graceSeconds = graceSeconds
        self.images = images
        self.anyImage = anyImage
        self.pythonPath = pythonPath
    }

    var graceMilliseconds: Int { Int(max(0, min(graceSeconds, 86400)) * 1000) }

    /// Why no command can run in a group of the control group `path`, and what to do; nil when nothing is in the way.
    package static func obstacle(toCgroup path: String) -> String? { Cgroup.obstacle(to: path) }

    /// Beside this program, or where packages put it; nil when it is not there.
    package static func findSupervisor() -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return nil }
        // The kernel marks a program whose file was replaced while it runs.
        let program = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let slash = program.lastIndex(of: "/") else { return nil }
        let folder = program[..<slash]
        return ["\(folder)/reactord-supervisor", "\(folder)/../libexec/reactord/reactord-supervisor"]
            .first { access($0, X_OK) == 0 }
    }
}

/// The local command that an image name stands for.
package struct ImageCommand: Sendable, Equatable {
    package var command: [String]
    /// A container of this image may bring its own command.
    package var anyCommand: Bool

    package init(command: [String], anyCommand: Bool = false) {
        self.command = command
        self.anyCommand = anyCommand
    }
}
