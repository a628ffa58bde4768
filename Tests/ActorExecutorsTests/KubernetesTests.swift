import ActorCore
import ActorExecutors
import ActorTesting
import FoundationEssentials
import Glibc
import Testing

/// The client against a model of an API server, which is held to recorded exchanges itself.
@Suite(.timeLimit(.minutes(1))) struct KubernetesEngineTests {
    private let fake = KubeFake()
    private let folder = "\(Scene.base)/kube-\(UInt64.random(in: 0...9_999_999))"

    private func engine(_ settings: KubernetesEngineSettings = .init(namespace: "lab")) -> KubernetesEngine {
        let client = KubeClient(
            http: fake, documents: NoDocuments(), source: .init(),
            access: KubeAccess(server: "https://api.example.org:6443", credential: .token("secret")),
            now: { Timestamp(milliseconds: 0) })
        return KubernetesEngine(client: client, settings: settings)
    }

    private func order(_ pod: JSONValue, attempt: Int = 1, metadata: JSONValue = ["name": "beats"]) -> JobOrder {
        let job = JobID("107acb37-3a5c-57b3-a0ff-a07b67e85ca2")
        mkdir(folder, 0o700)
        let run = EngineRun(
            job: job, attempt: attempt, name: EngineRun.name("beats", job: job, attempt: attempt), logs: folder)
        return JobOrder(
            run: run, steps: [], environment: [EnvironmentEntry("UUID", "a$(b)"), EnvironmentEntry("HOME", "/h")],
            folders: RunFolders(work: "/w", output: "/o", logs: folder),
            manifest: [
                "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
                "spec": ["ttlSecondsAfterFinished": 90, "template": ["spec": pod]],
            ])
    }

    private static let pod: JSONValue = [
        "restartPolicy": "Never",
        "containers": [
            ["name": "a", "image": "i", "command": ["/bin/true"], "env": [["name": "X", "value": "$(UUID)"]]]
        ],
    ]

    @Test func itKeepsThePort() async throws {
        mkdir(folder, 0o700)
        let folders = RunFolders(work: folder, output: folder, logs: folder)
        let found = try await JobEngineSuite(engine(), folders: folders, image: "i").problems()
        #expect(found.isEmpty)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// What it sends is what kubectl sends: the same method, path and parameters, the same body of a DELETE.
    @Test func theRequestsAreThoseOfKubectl() async throws {
        let order = order(Self.pod)
        let engine = engine()
        var run = order.run
        run.id = try await engine.submit(order)
        _ = try await engine.look([run])
        _ = try await engine.look([run])
        try await engine.keepLogs(run, maxBytes: 1000)
        try await engine.forget(run)
        let records = KubeRecords.read("kubernetes_exchanges")["exchanges"]?.array ?? []
        func recorded(_ scenario: String, _ number: Int) throws -> JSONValue {
            try #require(records.first { $0["scenario"]?.string == scenario && $0["n"]?.int == number })
        }
        let create = try #require(fake.requests.first { $0.method == "POST" })
        let theirs = try recorded("kubectl_create", 6)
        #expect(create.path == theirs["path"]?.string?.replacing("s-kubectl", with: "lab"))
        #expect(theirs["query"] == "fieldManager=kubectl-create&fieldValidation=Strict")
        #expect(create.query == ["fieldManager": "reactord", "fieldValidation": "Strict"])
        #expect(create.headers["content-type"] == "application/json")
        #expect(create.headers["authorization"] == "Bearer secret")
        for member in ["apiVersion", "kind"] { #expect(create.body[member] == theirs["body"]?[member]) }
        let delete = try #require(fake.requests.first { $0.method == "DELETE" })
        #expect(delete.body == (try recorded("kubectl_other", 24))["body"])
        let pods = try #require(fake.requests.last { $0.path.hasSuffix("/pods") })
        let list = try recorded("kubectl_other", 2)
        #expect(
            KubeFake.unescaped(list["query"]?.string ?? "")
                == "labelSelector=batch.kubernetes.io/job-name=fromyaml&limit=500")
        #expect(
            pods.query["labelSelector"] == "batch.kubernetes.io/job-name=\(run.name)" && pods.query["limit"] == "500")
        let log = try #require(fake.requests.first { $0.path.hasSuffix("/log") })
        #expect(log.path == "/api/v1/namespaces/lab/pods/\(run.name)-pod/log" && log.query["container"] == "a")
    }

    /// The model answers what the recorded server answered, as far as it models it.
    @Test func theModelIsHeldToTheRecords() async throws {
        let records = KubeRecords.read("kubernetes_exchanges")["exchanges"]?.array ?? []
        let held = [
            "create_refused": [1, 2, 4, 5, 9, 54], "kubectl_create": [6, 8, 10, 12], "kubectl_other": [26, 27],
        ]
        for (scenario, numbers) in held {
            let fake = KubeFake()
            for number in numbers {
                let record = try #require(
                    records.first { $0["scenario"]?.string == scenario && $0["n"]?.int == number })
                let query = record["query"]?.string ?? ""
                let tail = query.isEmpty ? "" : "?\(query)"
                let answer = try await fake.send(
                    OutgoingRequest(
                        method: record["method"]?.string ?? "", url: "https://h\(record["path"]?.string ?? "")\(tail)",
                        body: record["body"].map(JSONWriter.bytes) ?? []), policy: .anywhere)
                #expect(answer.status == record["status"]?.int, "\(scenario) \(number)")
                let body = try JSONReader.read(answer.body)
                #expect(body["kind"] == record["answer"]?["kind"], "\(scenario) \(number)")
                #expect(body["reason"] == record["answer"]?["reason"], "\(scenario) \(number)")
                let text = body["message"]?.string ?? ""
                #expect(record["answer"]?["message"]?.string?.hasPrefix(text) ?? text.isEmpty, "\(scenario) \(number)")
            }
        }
    }

    /// Every refusal that was recorded, and what it means for a job.
    @Test func whatRefusalsMean() async throws {
        let records = KubeRecords.read("kubernetes_exchanges")["exchanges"]?.array ?? []
        let expected: [Int: EngineFailure.Kind] = [
            400: .unacceptable, 401: .refused, 403: .refused, 404: .refused, 405: .refused, 409: .refused,
            410: .unreachable, 422: .unacceptable, 500: .unreachable, 504: .unreachable,
        ]
        for record in records {
            guard let status = record["status"]?.int, status >= 400 else { continue }
            let answer = KubeClient.Answer(
                status: status, body: record["answer"] ?? .null, text: Array((record["text"]?.string ?? "").utf8),
                retryAfter: nil)
            let failure = try #require(answer.failure("it"))
            let isQuota = failure.message.contains("exceeded quota")
            #expect(failure.kind == (isQuota ? .quota : expected[status]), "\(record)")
        }
    }

    @Test func theManifestThatIsSubmitted() throws {
        let order = order(
            Self.pod, metadata: ["generateName": "x-", "labels": ["app": "mine", "reactord/job": "forged"]])
        let settings = KubernetesEngineSettings(namespace: "lab", labels: ["team": "ephys"])
        let json = try KubeManifest(order: order, settings: settings).json()
        #expect(json["metadata"]?["name"] == .string(order.run.name) && json["metadata"]?["generateName"] == nil)
        let labels = try #require(json["metadata"]?["labels"])
        #expect(labels["app"] == "mine" && labels["team"] == "ephys")
        #expect(labels["reactord/job"] == .string(order.run.job.rawValue) && labels["reactord/attempt"] == "1")
        #expect(json["spec"]?["template"]?["metadata"]?["labels"]?["reactord/job"] == labels["reactord/job"])
        // Kubernetes would try six times more, and take the outcome away before it was seen.
        #expect(json["spec"]?["backoffLimit"] == 0 && json["spec"]?["ttlSecondsAfterFinished"]?.int ?? 0 > 86_400)
        let pod = try #require(json["spec"]?["template"]?["spec"])
        #expect(pod["automountServiceAccountToken"] == false)
        let env = pod["containers"]?.array?.first?["env"]?.array ?? []
        #expect(env == [["name": "UUID", "value": "a$$(b)"], ["name": "X", "value": "$(UUID)"]])
        #expect(pod["containers"]?.array?.first?["volumeMounts"] == nil)
    }

    @Test func aSharedVolumeShowsTheRunFolders() throws {
        let settings = KubernetesEngineSettings(
            namespace: "lab", sharedVolume: ["persistentVolumeClaim": ["claimName": "lab"]], sharedPath: "/data")
        let pod = try #require(
            KubeManifest(order: order(Self.pod), settings: settings).json()["spec"]?["template"]?["spec"])
        #expect(
            pod["volumes"]?.array == [["persistentVolumeClaim": ["claimName": "lab"], "name": "reactord-shared"]])
        let container = try #require(pod["containers"]?.array?.first)
        #expect(container["volumeMounts"]?.array == [["name": "reactord-shared", "mountPath": "/data"]])
        #expect(container["workingDir"] == "/w")
        let environment = container["env"]?.array ?? []
        let home: JSONValue = ["name": "HOME", "value": "/h"]
        #expect(environment.contains(home))
    }

    @Test func aDeadlineLeavesTheLogs() throws {
        var order = order(Self.pod)
        order.deadlineSeconds = 100
        let json = try KubeManifest(order: order, settings: .init()).json()
        #expect(json["spec"]?["template"]?["spec"]?["activeDeadlineSeconds"] == 100)
        #expect(json["spec"]?["activeDeadlineSeconds"] == 160)
    }

    @Test func aLostAnswerAndANameThatIsTaken() async throws {
        let order = order(Self.pod)
        let engine = engine()
        fake.loseAnswer()
        let failure = await #expect(throws: EngineFailure.self) { _ = try await engine.submit(order) }
        #expect(failure?.kind == .unreachable && fake.jobCount == 1)
        #expect(try await engine.submit(order) == "lab/\(order.run.name)")
        #expect(fake.jobCount == 1)
        // The same name, somebody else's job.
        let other = KubeFake()
        other.put(job: ["metadata": ["name": .string(order.run.name), "namespace": "lab"]])
        let client = KubeClient(
            http: other, documents: NoDocuments(), source: .init(), access: KubeAccess(server: "https://h"),
            now: { Timestamp(milliseconds: 0) })
        let taken = await #expect(throws: EngineFailure.self) {
            _ = try await KubernetesEngine(client: client, settings: .init(namespace: "lab")).submit(order)
        }
        #expect(taken?.kind == .unacceptable)
    }

    @Test func aTrialBeforeTheSubmission() async throws {
        let engine = engine(.init(namespace: "lab", isTriedFirst: true))
        _ = try await engine.submit(order(Self.pod))
        #expect(fake.requests.map { $0.query["dryRun"] } == ["All", nil])
        fake.answer(422, ["kind": "Status", "reason": "Invalid", "message": "no"])
        let failure = await #expect(throws: EngineFailure.self) {
            _ = try await engine.submit(order(Self.pod, attempt: 2))
        }
        #expect(failure?.kind == .unacceptable && fake.jobCount == 1)
    }

    @Test func aListThatGrewOldIsBegunAgainAndAWatchGoesOnFromIt() async throws {
        let order = order(Self.pod)
        let engine = engine()
        var run = order.run
        run.id = try await engine.submit(order)
        fake.answer(200, ["items": [], "metadata": ["continue": "token", "resourceVersion": "1"]])
        fake.answer(410, ["kind": "Status", "reason": "Expired", "message": "too old"])
        #expect(try await engine.look([run])[run.job] != nil)
        try await engine.pause(milliseconds: 60_000)
        let watch = try #require(fake.requests.last { $0.query["watch"] == "true" })
        #expect(watch.query["resourceVersion"] == "101" && watch.query["allowWatchBookmarks"] == "true")
    }

    @Test func logsOfAllPodsAreKept() async throws {
        let engine = engine()
        let order = order(Self.pod)
        for (name, text) in [("p1", "first\n"), ("p2", "second\n")] {
            fake.put(
                pod: [
                    "metadata": [
                        "name": .string(name), "namespace": "lab",
                        "labels": ["batch.kubernetes.io/job-name": .string(order.run.name)],
                        "creationTimestamp": .string("2026-11-21T12:00:0\(name.last ?? "0")Z"),
                    ], "spec": Self.pod,
                ], logs: ["a": text])
        }
        try await engine.keepLogs(order.run, maxBytes: 1000)
        let kept = try String(contentsOfFile: order.run.logFile(.main, "a"), encoding: .utf8)
        #expect(kept == "--- p1\nfirst\n--- p2\nsecond\n")
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// Nothing is read where the way to the server is known.
struct NoDocuments: DocumentReader {
    func read(yaml: [UInt8], file: String) throws(ActorError) -> ParsedDocument {
        ParsedDocument(value: (try? JSONReader.read(yaml)) ?? .null, lines: [:])
    }
}
