package import ActorCore

/// Runs jobs as `batch/v1` Jobs of a cluster: made under a name of ours, looked at in lists, watched in between.
package final class KubernetesEngine: JobEngine {
    /// Jobs whose events are asked for in one look.
    private static let maxQuestions = 20

    package let name = "kubernetes"
    package let retriesItself = true
    package let leavesThings = true

    private let client: KubeClient
    private let settings: KubernetesEngineSettings
    private let pods: KubePods

    package init(client: KubeClient, settings: KubernetesEngineSettings) {
        self.client = client
        self.settings = settings
        self.pods = KubePods(client: client)
    }

    package func preview(_ order: JobOrder) throws(EngineFailure) -> String {
        JSONWriter.pretty(try KubeManifest(order: order, settings: settings).json()) + "\n"
    }

    // MARK: Submitting

    package func find(_ run: EngineRun) async throws(EngineFailure) -> String? {
        for namespace in settings.namespaces {
            if let job = try await job(run, in: namespace), Self.isOurs(job, run) { return Self.id(job) }
        }
        return nil
    }

    package func submit(_ order: JobOrder) async throws(EngineFailure) -> String {
        let manifest = KubeManifest(order: order, settings: settings)
        let body = try manifest.json()
        let path = Self.jobs(manifest.namespace)
        let query = [("fieldManager", "reactord"), ("fieldValidation", "Strict")]
        if settings.isTriedFirst {
            let trial = try await client.send("POST", path, query: query + [("dryRun", "All")], body: body)
            if trial.status != 409, let failure = trial.failure("the job was tried and refused") { throw failure }
        }
        let answer = try await client.send("POST", path, query: query, body: body)
        if answer.status == 409 { return try await adopt(order.run, in: manifest.namespace, answer) }
        if let failure = answer.failure("the job could not be made") { throw failure }
        return Self.id(answer.body)
    }

    /// The name is taken: by an earlier submission of the same attempt, or by something else.
    private func adopt(
        _ run: EngineRun, in namespace: String, _ refusal: KubeClient.Answer
    ) async throws(EngineFailure) -> String {
        guard let job = try await job(run, in: namespace) else {
            throw EngineFailure(.unreachable, "the job could not be made: \(refusal.message)")
        }
        if job["metadata"]?["deletionTimestamp"] != nil {
            throw EngineFailure(.unreachable, "an earlier job \(run.name) is being deleted")
        }
        guard Self.isOurs(job, run) else {
            throw EngineFailure(.unacceptable, "the name \(run.name) is taken by a job that is not ours")
        }
        return Self.id(job)
    }

    private func job(_ run: EngineRun, in namespace: String) async throws(EngineFailure) -> JSONValue? {
        let answer = try await client.send("GET", "\(Self.jobs(namespace))/\(run.name)")
        if answer.status == 404 { return nil }
        if let failure = answer.failure("the job \(run.name) cannot be read") { throw failure }
        return answer.body
    }

    private static func isOurs(_ job: JSONValue, _ run: EngineRun) -> Bool {
        let labels = job["metadata"]?["labels"]
        return labels?[KubeManifest.jobLabel]?.string == run.job.rawValue
            && labels?[KubeManifest.attemptLabel]?.string == String(run.attempt)
    }

    /// Namespace and name: enough to find it again, and what a person types.
    private static func id(_ job: JSONValue) -> String {
        "\(job["metadata"]?["namespace"]?.string ?? "")/\(job["metadata"]?["name"]?.string ?? "")"
    }

    private static func podsOf(_ run: EngineRun) -> String { "batch.kubernetes.io/job-name=\(run.name)" }
    private static func jobs(_ namespace: String) -> String { "/apis/batch/v1/namespaces/\(namespace)/jobs" }

    private func namespaces(of runs: [EngineRun]) -> [String] {
        let named = Set(runs.compactMap { $0.id?.split(separator: "/").first.map(String.init) })
        return runs.allSatisfy { $0.id != nil } ? named.sorted() : settings.namespaces
    }

    // MARK: Looking

    package func look(_ runs: [EngineRun]) async throws(EngineFailure) -> [JobID: EngineObservation] {
        let byName = Dictionary(runs.map { ($0.name, $0) }) { first, _ in first }
        var observations: [JobID: EngineObservation] = [:]
        var questions = 0
        for namespace in namespaces(of: runs) {
            let jobs = try await pods.objects(Self.jobs(namespace), Self.selector)
            let found = Dictionary(grouping: try await pods.objects(KubePods.path(namespace), Self.selector)) { pod in
                pod["metadata"]?["labels"]?["batch.kubernetes.io/job-name"]?.string
                    ?? pod["metadata"]?["labels"]?["job-name"]?.string ?? ""
            }
            for job in jobs {
                guard let run = byName[job["metadata"]?["name"]?.string ?? ""], Self.isOurs(job, run) else { continue }
                let own = found[run.name] ?? []
                var reports = KubeReports(job: job, pods: own, now: client.now())
                if reports.needsEvents, questions < Self.maxQuestions {
                    questions += 1
                    let names = [run.name] + own.compactMap { $0["metadata"]?["name"]?.string }
                    let events = await pods.events(of: names, in: namespace)
                    reports = KubeReports(job: job, pods: own, events: events, now: client.now())
                }
                observations[run.job] = reports.observation
            }
        }
        return observations
    }

    private static let selector = "\(KubeManifest.managedBy)=\(KubeManifest.managedByUs)"

    package func pause(milliseconds: Int64) async throws {
        let paths = settings.namespaces.flatMap { [Self.jobs($0), KubePods.path($0)] }
        try await pods.pause(paths, Self.selector, milliseconds: milliseconds)
    }

    // MARK: The end

    /// With its pods, whose containers get their own grace time; their logs are fetched before.
    package func cancel(_ run: EngineRun, graceSeconds: Int) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) {
            guard let job = try await job(run, in: namespace), Self.isOurs(job, run) else { continue }
            try await keepLogs(run, maxBytes: 1 << 20)
            try await delete(run, in: namespace)
        }
    }

    package func forget(_ run: EngineRun) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) { try await delete(run, in: namespace) }
    }

    private func delete(_ run: EngineRun, in namespace: String) async throws(EngineFailure) {
        // Without a policy its pods would be left behind.
        let answer = try await client.send(
            "DELETE", "\(Self.jobs(namespace))/\(run.name)", body: ["propagationPolicy": "Background"])
        if answer.status == 404 { return }
        if let failure = answer.failure("the job \(run.name) cannot be deleted") { throw failure }
    }

    package func keepLogs(_ run: EngineRun, maxBytes: Int) async throws(EngineFailure) {
        for namespace in namespaces(of: [run]) {
            try await pods.keepLogs(in: namespace, selector: Self.podsOf(run), maxBytes: maxBytes) { phase, _, name in
                run.logFile(phase, name)
            }
        }
    }
}
