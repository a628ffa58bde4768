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
