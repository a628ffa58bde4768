package import ActorCore

/// The executors of this house that run one command at a time, and the choice among them.
package final class StepExecutors: Executor {
    private let process: ProcessExecutor
    private let container: ContainerExecutor?

    /// - Parameter container: nil when no engine is configured.
    package init(process: ProcessExecutor, container: ContainerExecutor?) {
        self.process = process
        self.container = container
    }

    /// An image that the administrator gave a local command for runs as that; any other in a container.
    private func choose(_ work: Work) throws(ActorError) -> any Executor {
        switch work.executor {
        case "container":
            guard let container else {
                throw ActorError(
                    .invalidInput,
                    "no container engine is configured here: set executors.container.socket in config.yml")
            }
            return container
        case "process": return process
        case nil:
            guard let image = work.image, process.settings.images[image] == nil else { return process }
            if let container { return container }
            if process.settings.anyImage { return process }
            throw ActorError(
                .invalidInput,
                "image \(image) cannot be run here: set executors.container.socket in config.yml so that it runs in a "
                    + "container, or list it under executors.process.images with the local command it stands for")
        case let name?:
            throw ActorError(.invalidInput, "\(name) runs no single commands: use process or container")
        }
    }

    package func run(_ work: Work) async -> WorkResult {
        // What was started goes on where it was started, whatever the settings say now.
        if await process.keeps(work.id) { return await process.run(work) }
        let executor: any Executor
        do throws(ActorError) {
            executor = try choose(work)
        } catch {
            return WorkResult(end: .couldNotStart(error.message))
        }
        return await executor.run(work)
    }

    package func forget(_ id: String) async {
        if await process.keeps(id) { return await process.forget(id) }
        await container?.forget(id)
    }

    package func reclaim(_ id: String) async {
        if await process.keeps(id) { return await process.reclaim(id) }
        await container?.reclaim(id)
    }

    package func kept() async -> [String] {
        var ids = await process.kept()
        if let container { ids += await container.kept() }
        return ids
    }

    package func isLost(_ id: String) async -> Bool {
        if await process.keeps(id) { return await process.isLost(id) }
        return await container?.isLost(id) ?? false
    }

    package func detach() {
        process.detach()
        container?.detach()
    }

    package func admit(_ work: Work) throws(ActorError) { try choose(work).admit(work) }
}
