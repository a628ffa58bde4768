internal import ActorCore
internal import ActorExecutors

/// Makes the job engines that config.yml names. None of them is asked anything before there is a job for it.
struct EngineMaker {
    let settings: Settings
    /// Absolute; what a shared volume holds.
    let dataFolder: String

    func engines(client: any HTTPClient, clock: any Timekeeper) -> JobEngines {
        var engines: [any JobEngine] = []
        let configured = settings.executors.configured
        if configured.contains("slurm") { engines.append(slurm) }
        if configured.contains("kubernetes") {
            engines.append(KubernetesEngine(client: kubeClient(client, clock), settings: kubernetes))
        }
        if configured.contains("argo") {
            let isServer = settings.executors.argo.via == "server"
            let way = isServer ? argoServer(client, clock) : kubeClient(client, clock)
            engines.append(ArgoEngine(client: way, settings: argo, isServer: isServer))
        }
        return JobEngines(engines, rules: settings.executors.rules)
    }

    static func pollMilliseconds(of engine: String, _ settings: Settings) -> Int64 {
        switch engine {
        case "slurm": Milliseconds.of(seconds: settings.executors.slurm.pollSeconds)
        case "kubernetes": Milliseconds.of(seconds: settings.executors.kubernetes.pollSeconds)
        default: Milliseconds.of(seconds: settings.executors.argo.pollSeconds)
        }
    }

    /// What an engine would be given; nil for an executor that runs one command at a time.
    func preview(_ order: JobOrder, on name: String) throws(EngineFailure) -> String? {
        switch name {
        case "slurm": try slurm.preview(order)
        case "kubernetes": JSONWriter.pretty(try KubeManifest(order: order, settings: kubernetes).json()) + "\n"
        case "argo": JSONWriter.pretty(try ArgoManifest(order: order, settings: argo).json()) + "\n"
        default: nil
        }
    }

    private var slurm: SlurmEngine {
        let slurm = settings.executors.slurm
        return SlurmEngine(
            settings: SlurmEngineSettings(
                binaries: slurm.binaries, partition: slurm.partition, account: slurm.account,
                imageCommand: slurm.imageCommand, options: slurm.options),
            resolve: { [local] image, command, arguments throws(ActorError) in
                try local.command(image: image, command: command, arguments: arguments)
            })
    }

    /// What images stand for on this machine, and on nodes that see the same files.
    var local: ProcessExecutorSettings {
        let process = settings.executors.process
        return ProcessExecutorSettings(images: Self.images(process), anyImage: process.anyImage)
    }

    static func images(_ process: ProcessSettings) -> [String: ImageCommand] {
        Dictionary(
            process.images.map { ($0.image, ImageCommand(command: $0.command, anyCommand: $0.anyCommand)) },
            uniquingKeysWith: { first, _ in first })
    }

    private var kubernetes: KubernetesEngineSettings {
        let kubernetes = settings.executors.kubernetes
        return KubernetesEngineSettings(
            namespace: kubernetes.namespace,
            moreNamespaces: settings.executors.policies["kubernetes"]?.namespaces ?? [], labels: kubernetes.labels,
            sharedVolume: kubernetes.sharedVolume.isNull ? nil : kubernetes.sharedVolume, sharedPath: dataFolder,
            isTriedFirst: kubernetes.isTriedFirst)
    }

    /// On the cluster that executors.kubernetes names.
    private var argo: KubernetesEngineSettings {
        var argo = kubernetes
        argo.namespace = settings.executors.argo.namespace
        argo.moreNamespaces = settings.executors.policies["argo"]?.namespaces ?? []
        return argo
    }

    private func kubeClient(_ client: any HTTPClient, _ clock: any Timekeeper) -> KubeClient {
        KubeClient(
            http: client, documents: YAMLReader(),
            source: .init(
                kubeconfig: settings.executors.kubernetes.kubeconfig, context: settings.executors.kubernetes.context,
                isUnverifiedAllowed: settings.executors.kubernetes.isUnverifiedAllowed),
            now: { clock.now() })
    }

    private func argoServer(_ client: any HTTPClient, _ clock: any Timekeeper) -> KubeClient {
        let argo = settings.executors.argo
        var tls = TLSSettings(authorities: argo.authorities.map { .file($0) })
        tls.isUnverified = argo.isUnverified
        let credential: KubeAccess.Credential =
            if let file = argo.tokenFile {
                .tokenFile(file)
            } else if let token = argo.token {
                // `argo auth token` prints the first word too.
                .token(String(token.reveal().split(separator: " ").last ?? ""))
            } else {
                .none
            }
        return KubeClient(
            http: client, documents: YAMLReader(), source: .init(),
            access: KubeAccess(server: argo.server ?? "", tls: tls, credential: credential), now: { clock.now() })
    }
}
