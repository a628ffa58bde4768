package import ActorCore

extension ProcessExecutorSettings {
    /// The local command that a container's image stands for, or why there is none.
    package func command(
        image: String, command: [String], arguments: [String]
    ) throws(ActorError) -> [String] {
        let entry = images[image]
        guard entry != nil || anyImage else {
            throw ActorError(
                .invalidInput,
                "image \(image) is not known to the process executor: list it under executors.process.images "
                    + "with the local command it stands for, or choose the container executor")
        }
        if command.isEmpty {
            guard let own = entry?.command, !own.isEmpty else {
                throw ActorError(
                    .invalidInput,
                    "image \(image) has no command of its own on this machine: give the container a command, or list "
                        + "one under executors.process.images")
            }
            return own + arguments
        }
        guard anyImage || entry?.anyCommand == true else {
            throw ActorError(
                .invalidInput,
                "image \(image) runs only its own command here: leave out the container's command, or set any_command "
                    + "for it under executors.process.images")
        }
        return command + arguments
    }
}
