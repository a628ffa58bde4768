import ActorCore
import ActorExecutors
import Foundation

extension SettingsReader {
    func readExecutors(_ executors: StrictMapping, _ settings: inout Settings) {
        let names = ExecutorSettings.available
        let chosen = executors.choice("default", or: settings.executors.standard, of: names)
        settings.executors.standard = chosen
        settings.executors.configured = Set(
            names.filter { problems.lines["/executors/\($0)"] != nil || ["process", chosen].contains($0) })
        readProcess(executors.mapping("process"), &settings.executors.process)
        readEngines(executors, &settings.executors)
        let configured = settings.executors.configured
        settings.executors.policies = settings.executors.policies.filter { configured.contains($0.key) }
        executors.finish()
    }

    private func readProcess(_ process: StrictMapping, _ settings: inout ProcessSettings) {
        settings.maxRunning = process.integer("max_running", or: settings.maxRunning, in: 1...10_000)
        settings.graceSeconds = process.number(
            "grace_seconds", or: settings.graceSeconds, atLeast: 0, atMost: 86400)
        let images = process.mapping("images")
        for (image, entry) in images.entries() {
            let command = entry.texts("command").map(beside)
            if command.first?.isEmpty ?? true {
                images.report(image, "needs a command: a list of the program and its arguments")
            }
            let anyCommand = entry.flag("any_command", or: false)
            entry.finish()
            settings.images.append(
                ProcessSettings.ImageCommand(image: image, command: command, anyCommand: anyCommand))
        }
        settings.anyImage = process.flag("any_image", or: settings.anyImage)
        settings.pythonPath = path(process, "python_path")
        let ulimits = process.mapping("ulimits")
        for (name, text) in ulimits.textEntries() {
            guard ProcessExecutorSettings.limitNames.contains(name) else {
                let names = ProcessExecutorSettings.limitNames.joined(separator: ", ")
                ulimits.report(name, "is no limit that can be set; there are: \(names)")
                continue
            }
            guard let limit = Int(text), limit >= 0 else {
                ulimits.report(name, "takes a whole number")
                continue
            }
            settings.ulimits[name] = limit
        }
        ulimits.finish()
        if let name = process.text("user") {
            settings.user = account(name)
            if settings.user == nil {
                process.report("user", "this machine has no user \(name): adduser --system --group \(name)")
            } else if geteuid() != 0 {
                process.report("user", "only a daemon that runs as root can run commands as somebody else")
            }
        }
        settings.cgroup = path(process, "cgroup")
        process.finish()
    }

    private func account(_ name: String) -> ProcessSettings.UserAccount? {
        var entry = passwd()
        var buffer = [CChar](repeating: 0, count: 16384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return ProcessSettings.UserAccount(name: name, user: entry.pw_uid, group: entry.pw_gid)
    }

    /// A file beside `config.yml`, by its path from there, is meant wherever the command runs.
    private func beside(_ word: String) -> String {
        guard word.contains("/"), !word.hasPrefix("/"), !word.hasPrefix("-") else { return word }
        let path = SettingsLoader.absolute(word, from: home)
        return FileManager.default.fileExists(atPath: path) ? path : word
    }

    private func readEngines(_ executors: StrictMapping, _ settings: inout ExecutorSettings) {
        // Keys that are there for a variable to fill, and that none has filled, ask for nothing.
        let written = executors.value("container")?.object?.contains { !$0.value.isNull } ?? false
        let container = readContainer(executors.mapping("container"))
        if written || settings.standard == "container" { settings.container = container }

        let kubernetes = executors.mapping("kubernetes")
        settings.kubernetes.kubeconfig = path(kubernetes, "kubeconfig")
        settings.kubernetes.context = kubernetes.text("context")
        settings.kubernetes.namespace = kubernetes.text("namespace", or: settings.kubernetes.namespace)
        settings.kubernetes.pollSeconds = kubernetes.number(
            "poll_seconds", or: settings.kubernetes.pollSeconds, atLeast: 0.5, atMost: 86400)
        let labels = kubernetes.mapping("labels")
        for (name, text) in labels.textEntries() { settings.kubernetes.labels[name] = text }
        settings.kubernetes.sharedVolume = kubernetes.value("shared_volume") ?? .null
        if settings.kubernetes.sharedVolume != .null, settings.kubernetes.sharedVolume.object == nil {
            kubernetes.report(
                "shared_volume", "takes a volume as a pod names it: persistentVolumeClaim: {claimName: …}")
        }
        settings.kubernetes.isTriedFirst = kubernetes.flag("dry_run_first", or: false)
        settings.kubernetes.isUnverifiedAllowed = kubernetes.flag("insecure_skip_tls_verify", or: false)
        var kubernetesPolicy = policy(kubernetes)
        kubernetesPolicy.namespaces.append(settings.kubernetes.namespace)
        settings.policies["kubernetes"] = kubernetesPolicy
        kubernetes.finish()

        readArgo(executors.mapping("argo"), &settings)

        let slurm = executors.mapping("slurm")
        settings.slurm.via = slurm.choice("via", or: settings.slurm.via, of: ["cli", "rest"])
        settings.slurm.partition = slurm.text("partition")
        settings.slurm.account = slurm.text("account")
        settings.slurm.binaries = path(slurm, "binaries")
        settings.slurm.pollSeconds = slurm.number(
            "poll_seconds", or: settings.slurm.pollSeconds, atLeast: 0.5, atMost: 86400)
        settings.slurm.imageCommand = slurm.texts("image_command")
        settings.slurm.options = slurm.texts("options")
        if settings.slurm.via == "rest" {
            slurm.report("via", "takes cli: slurmrestd is not part of this version")
        }
        settings.policies["slurm"] = policy(slurm)
        slurm.finish()
    }

    private func readArgo(_ argo: StrictMapping, _ settings: inout ExecutorSettings) {
        settings.argo.namespace = argo.text("namespace", or: settings.argo.namespace)
        settings.argo.via = argo.choice("via", or: settings.argo.via, of: ["kubernetes", "server"])
        settings.argo.server = url(argo, "server")
        settings.argo.token = argo.secret("token")
        settings.argo.tokenFile = path(argo, "token_file")
        settings.argo.authorities = path(argo, "certificate_authority")
        settings.argo.isUnverified = argo.flag("insecure_skip_tls_verify", or: false)
        settings.argo.pollSeconds = argo.number(
            "poll_seconds", or: settings.argo.pollSeconds, atLeast: 0.5, atMost: 86400)
        let isServer = settings.argo.via == "server"
        if isServer, settings.argo.server == nil {
            argo.report("server", "is missing: the Argo server, for example https://argo.example.org:2746")
        }
        if settings.argo.token != nil, settings.argo.tokenFile != nil {
            argo.report("token", "is given twice: by token and by token_file")
        }
        for key in ["server", "token", "token_file", "certificate_authority"] where !isServer {
            if argo.isSet(key) { argo.report(key, "is for via: server; the cluster is executors.kubernetes") }
        }
        var argoPolicy = policy(argo)
        argoPolicy.namespaces.append(settings.argo.namespace)
        settings.policies["argo"] = argoPolicy
        argo.finish()
    }

    /// What jobs may do there; everything that is not listed is refused.
    private func policy(_ executor: StrictMapping) -> JobPolicy {
        let mapping = executor.mapping("policy")
        let standard = JobPolicy()
        let policy = JobPolicy(
            images: mapping.texts("images", or: standard.images),
            volumes: mapping.texts("volumes", or: standard.volumes), secrets: mapping.texts("secrets"),
            hostPaths: mapping.texts("host_paths"), nodeSelectors: mapping.texts("node_selectors"),
            serviceAccounts: mapping.texts("service_accounts"), namespaces: mapping.texts("namespaces"),
            partitions: mapping.texts("partitions"), accounts: mapping.texts("accounts"),
            isPrivilegedAllowed: mapping.flag("privileged", or: false),
            isHostNetworkAllowed: mapping.flag("host_network", or: false))
        mapping.finish()
        return policy
    }

    func readConnectors(_ connectors: StrictMapping, _ settings: inout Settings) {
        readS3(connectors.mapping("s3"), &settings.connectors.s3)

        let ica = connectors.mapping("ica")
        settings.connectors.ica.server = url(ica, "server") ?? settings.connectors.ica.server
        settings.connectors.ica.apiKey = ica.secret("api_key")
        ica.finish()

        let baseSpace = connectors.mapping("basespace")
        settings.connectors.baseSpace.server = url(baseSpace, "server") ?? settings.connectors.baseSpace.server
        settings.connectors.baseSpace.accessToken = baseSpace.secret("access_token")
        baseSpace.finish()

        let ec2 = connectors.mapping("ec2")
        settings.connectors.ec2.endpoint = url(ec2, "endpoint")
        settings.connectors.ec2.region = ec2.text("region", or: settings.connectors.ec2.region)
        settings.connectors.ec2.accessKey = ec2.secret("access_key")
        settings.connectors.ec2.secretKey = ec2.secret("secret_key")
        ec2.finish()
        connectors.finish(notNaming: ["ica", "basespace", "ec2"])
    }

    /// What somebody set and this version does not act on: said plainly at start, never passed over in silence.
    func notYetActive(_ settings: Settings) -> [String] {
        let connectors = settings.connectors
        let parts: [(key: String, isSet: Bool)] = [
            ("server.trusted_proxies", !settings.server.trustedProxies.isEmpty),
            (
                "connectors.s3",
                connectors.s3 != S3Settings() && connectors.s3.inbox == nil && connectors.s3.copy == nil
            ),
            ("connectors.ica", connectors.ica != ICASettings()),
            ("connectors.basespace", connectors.baseSpace != BaseSpaceSettings()),
            ("connectors.ec2", connectors.ec2 != EC2Settings()),
        ]
        return parts.filter(\.isSet).map(\.key)
    }
}
