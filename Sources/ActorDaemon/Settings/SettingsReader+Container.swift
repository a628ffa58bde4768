import ActorCore
import ActorExecutors
import Foundation

extension SettingsReader {
    func readContainer(_ container: StrictMapping) -> ContainerSettings {
        var settings = ContainerSettings()
        settings.socket = container.text("socket", or: settings.socket)
        if ContainerExecutorSettings.path(of: settings.socket) == nil {
            container.report(
                "socket", "takes a Unix socket, for example unix:///run/podman/podman.sock or unix:///run/docker.sock")
        }
        settings.maxRunning = container.integer("max_running", or: settings.maxRunning, in: 1...10_000)
        settings.runtime = container.text("runtime")
        let ulimits = container.mapping("ulimits")
        for (name, text) in ulimits.textEntries() {
            guard let limit = Int(text) else {
                ulimits.report(name, "takes a whole number")
                continue
            }
            settings.ulimits[name] = limit
        }
        ulimits.finish()
        settings.network = container.text("network", or: settings.network)
        settings.allowNetworks = container.texts("allow_networks")
        settings.mounts = container.texts("mounts")
        for (index, mount) in settings.mounts.enumerated() where Self.mount(mount) == nil {
            container.report(
                "mounts",
                "entry \(index + 1) is no absolute path without .., or one with :ro or :rw behind it: \(mount)")
        }
        let policies = ContainerExecutorSettings.Pull.allCases.map(\.rawValue)
        settings.pull = container.choice("pull", or: settings.pull, of: policies)
        settings.allowImages = container.texts("allow_images", or: settings.allowImages)
        settings.user = container.text("user")
        settings.pidsLimit = container.integer("pids_limit", or: settings.pidsLimit, in: 1...4_194_304)
        settings.capabilities = container.texts("capabilities")
        settings.memoryBytes = quantity(container, "memory", ResourceQuantity.whole, "512Mi")
        settings.cpuMillis = quantity(container, "cpu", ResourceQuantity.thousandths, "500m")
        settings.keepSeconds = container.integer("keep_seconds", or: settings.keepSeconds, in: 0...31_536_000)
        container.finish()
        return settings
    }

    private func quantity(
        _ container: StrictMapping, _ key: String, _ read: (String) -> Int64?, _ example: String
    ) -> Int64? {
        guard let value = container.value(key), value != .null else { return nil }
        let text = value.string ?? JSONWriter.string(value)
        guard let amount = read(text), amount > 0 else {
            container.report(key, "takes an amount as Kubernetes writes it, for example \(example)")
            return nil
        }
        return amount
    }

    /// `/path`, `/path:ro` or `/path:rw`; nil for anything else.
    static func mount(_ text: String) -> ContainerExecutorSettings.Mount? {
        var path = text
        var isWritable = false
        if text.hasSuffix(":rw") || text.hasSuffix(":ro") {
            path = String(text.dropLast(3))
            isWritable = text.hasSuffix(":rw")
        }
        guard path.hasPrefix("/"), path.count > 1, !path.hasSuffix("/"), !path.contains(":"),
            !path.split(separator: "/").contains("..")
        else { return nil }
        return ContainerExecutorSettings.Mount(path: path, isWritable: isWritable)
    }
}
