import ActorCore
import ActorDaemon
import Foundation
import Testing

@Suite("settings")
struct SettingsTests {
    private func read(
        _ text: String, _ environment: [String: String] = [:], _ secrets: [String: String] = [:]
    ) throws(ActorError) -> Settings {
        try SettingsLoader.read(
            Array(text.utf8), file: "/lab/config.yml", home: "/lab", environment: environment,
            secrets: SecretsFile(values: secrets.mapValues { Secret($0) }))
    }

    private func problems(_ text: String, _ environment: [String: String] = [:]) -> [String] {
        do {
            _ = try read(text, environment)
            return []
        } catch {
            return error.details.map { "\($0.place): \($0.problem)" }
        }
    }

    @Test("nothing is everything by default")
    func defaults() throws {
        let settings = try read("")
        #expect(settings.server.host == "127.0.0.1")
        #expect(settings.server.port == 8000)
        #expect(settings.auth.isOn)
        #expect(settings.tenant == "LAB")
        #expect(settings.limits == Limits())
        #expect(settings.actors.folder == "/lab/actors")
        #expect(settings.executors == ExecutorSettings())
        #expect(settings.notYetActive.isEmpty)
        #expect(settings.publicURL(port: 4321) == "http://127.0.0.1:4321")
    }

    @Test("every documented key is taken")
    func everything() throws {
        let settings = try read(Self.whole)
        #expect(settings.server.publicURL == "https://lab.example.org/rx")
        #expect(settings.server.fieldCase == .snake)
        #expect(settings.limits.maxBodyBytes == 1000)
        #expect(settings.limits.maxHops == 9)
        #expect(settings.limits.idempotencyHours == 24 && settings.limits.maxMailbox == 5000)
        #expect(settings.limits.maxWaitingBytes == 1_000_000 && settings.limits.maxPerSender == 100)
        #expect(settings.store.synchronous == .normal)
        #expect(settings.store.logsDays == 2)
        #expect(settings.warnings.map(\.line) == [9])
        #expect(settings.auth.users == [UserSettings(name: "alice", roles: [.admin])])
        #expect(settings.auth.tokensFile == "/lab/keys/tokens.json")
        #expect(settings.auth.jwt.first?.roleMap.map(\.role) == [.admin, .user])
        #expect(settings.auth.jwt.first?.publicKeyFile == "/lab/keys/gateway.pem")
        #expect(settings.tenant == "DEV-DEVELOP")
        #expect(settings.executors.process.images.map(\.image) == ["abacosamples/test"])
        #expect(settings.executors.process.pythonPath == "/lab/sdk/python")
        #expect(settings.executors.process.ulimits == ["nproc": 50])
        let container = try #require(settings.executors.container)
        #expect(container.socket == "unix:///run/docker.sock" && container.ulimits == ["nofile": 100])
        #expect(container.memoryBytes == 2 << 30 && container.cpuMillis == 1500 && container.mounts == ["/d:rw"])
        #expect(container.allowImages == ["org/*"] && container.pull == "Never" && container.network == "none")
        #expect(settings.callbacks.allow == ["10.0.0.7:8443"])
        #expect(
            settings.notYetActive == [
                "server.trusted_proxies", "connectors.s3", "connectors.ec2",
            ])
    }

    static let whole = """
        server:
          host: 127.0.0.1
          port: 9000
          public_url: https://lab.example.org/rx/
          case: snake
          max_body_bytes: 1000
          trusted_proxies: [10.0.0.1]
        store:
          synchronous: normal
          retention: {executions_days: 1, logs_days: 2, dead_letters_days: 3}
        actors: {folder: actors}
        inbox: {folder: /data/inbox}
        archive: {folder: archive}
        auth:
          mode: "on"
          users:
            alice: {roles: [admin]}
          tokens_file: keys/tokens.json
          jwt:
            - header: X-Jwt-Assertion-*
              algorithms: [RS256]
              public_key_file: keys/gateway.pem
              username_claim: http://wso2.org/claims/enduser
              tenant_claim: ~
              roles_claim: http://wso2.org/claims/role
              role_map: {Internal/abaco-admin: admin, Internal/everyone: user}
              default_roles: [user]
        tenants:
          DEV-DEVELOP: {api_server: https://dev.tenants.example.org}
        executors:
          default: process
          process:
            max_running: 2
            grace_seconds: 0.5
            images:
              abacosamples/test: {command: [/bin/sh, images/abaco_test.sh]}
            any_image: false
            python_path: sdk/python
            ulimits: {nproc: 50}
          container:
            socket: unix:///run/docker.sock
            runtime: ~
            ulimits: {nofile: 100}
            network: none
            memory: 2Gi
            cpu: 1.5
            mounts: ["/d:rw"]
            allow_images: ["org/*"]
            pull: Never
          kubernetes: {kubeconfig: ~, context: ~, namespace: default}
          argo: {namespace: argo, via: kubernetes, server: ~}
          slurm: {via: cli, partition: long, account: ~}
        connectors:
          s3: {endpoint: http://127.0.0.1:7480, region: us-east-1, path_style: true, access_key: ~, secret_key: ~}
          ica: {server: https://ica.illumina.com, api_key: ~}
          basespace: {server: https://api.basespace.illumina.com, access_token: ~}
          ec2: {endpoint: ~, region: eu-west-1, access_key: ~, secret_key: ~}
        callbacks: {allow: ["10.0.0.7:8443"], timeout_seconds: 20, retry_days: 3}
        pipelines: {job_manager_id: pipeline-jobs-manager, updates_nonce: ~}
        log: {level: debug}
        messages:
          idempotency_hours: 24
          max_waiting: 5000
          max_waiting_bytes: 1000000
          max_waiting_per_sender: 100
        limits: {max_hops: 9}
        """

    @Test(
        "what is wrong is named with file, line, key and what is allowed",
        arguments: [
            ("server:\n  prot: 1\n", 2, "prot is not a key of server; did you mean port?"),
            ("servr: {}\n", 1, "did you mean server?"),
            ("server:\n  port: abc\n", 2, "server.port takes a whole number from 0 to 65535, not \"abc\""),
            ("server:\n  port: 70000\n", 2, "from 0 to 65535, not 70000"),
            ("server:\n  port: \"80\"\n", 2, "whole number"),
            ("server: 5\n", 1, "server takes a mapping (key: value), not a number"),
            ("server:\n  host: [a]\n", 2, "server.host takes text, not a list"),
            ("server:\n  host: 127\n", 2, "put it in quotes"),
            ("server:\n  case: Camel\n", 2, "takes camel or snake, not \"Camel\"; did you mean camel?"),
            ("server:\n  public_url: lab.example.org\n", 2, "takes an address like"),
            ("server:\n  public_url: http://u:p@lab/\n", 2, "without user"),
            ("server:\n  trusted_proxies: a\n", 2, "takes a list of text, not text"),
            ("server:\n  trusted_proxies:\n    - a\n    - 5\n", 4, "one item is a number"),
            ("store:\n  synchronous: off\n", 2, "takes full or normal"),
            ("store:\n  retention:\n    logs_days: 0\n", 3, "store.retention.logs_days takes"),
            ("auth:\n  mode: maybe\n", 2, "takes on or off"),
            ("auth:\n  users:\n    bob: {roles: [amdin]}\n", 3, "did you mean admin?"),
            ("auth:\n  users:\n    bob: {role: [admin]}\n", 3, "did you mean roles?"),
            ("auth:\n  jwt: {}\n", 2, "begin each entry with a dash"),
            ("auth:\n  jwt:\n    - {algorithms: [none], public_key_file: k}\n", 3, "not \"none\""),
            ("auth:\n  jwt:\n    - {header: X}\n", 3, "public_key_file is needed"),
            ("tenants:\n  a b: {}\n", 2, "no tenant name"),
            ("executors:\n  slurm: {via: rest}\n", 2, "slurmrestd is not part of this version"),
            ("executors:\n  argo: {via: server}\n", 2, "server is missing: the Argo server"),
            ("executors:\n  argo: {token_file: t}\n", 2, "is for via: server"),
            (
                "executors:\n  argo: {via: server, server: 'https://h', token: a, token_file: t}\n", 2,
                "given twice"
            ),
            ("executors:\n  default: docker\n", 2, "executors.default takes process"),
            ("executors:\n  process:\n    images: {x: {}}\n", 3, "needs a command"),
            ("executors:\n  process:\n    ulimits: {nofiles: 5}\n", 3, "no limit that can be set; there are: as"),
            ("executors:\n  process:\n    ulimits: {nofile: many}\n", 3, "takes a whole number"),
            ("executors:\n  process:\n    user: no-such-user\n", 3, "this machine has no user no-such-user"),
            ("executors:\n  container:\n    socket: tcp://h:1\n", 3, "takes a Unix socket, for example unix://"),
            ("executors:\n  container:\n    pull: Sometimes\n", 3, "takes Always, IfNotPresent or Never"),
            ("executors:\n  container:\n    mounts: [data]\n", 3, "entry 1 is no absolute path"),
            ("executors:\n  container:\n    mounts: [/a, /a/../b]\n", 3, "entry 2 is no absolute path"),
            ("executors:\n  container:\n    memory: lots\n", 3, "as Kubernetes writes it"),
            ("executors:\n  container:\n    privileged: true\n", 3, "is not a key of executors.container"),
            ("executors:\n  process:\n    any_image: yes\n", 3, "takes true or false, not \"yes\""),
            ("executors:\n  process:\n    grace_seconds: -1\n", 3, "a number of at least 0"),
            ("executors:\n  process:\n    grace_seconds: 1.0e+30\n", 3, "a number of at most 86400, not"),
            ("executors:\n  slurm:\n    poll_seconds: 86401\n", 3, "a number of at most 86400, not 86401"),
            ("executors:\n  kubernetes:\n    poll_seconds: 1.0e+17\n", 3, "a number of at most 86400, not"),
            ("executors:\n  argo:\n    poll_seconds: 1.0e+17\n", 3, "a number of at most 86400, not"),
            ("callbacks:\n  retry_days: 1.0e+30\n", 2, "callbacks.retry_days takes a number of at most 36500, not"),
            ("connectors:\n  s3: {secret_key: 12345}\n", 2, "connectors.s3.secret_key takes text, not a number"),
            ("connectors:\n  ec3: {}\n", 2, "ec3 is not a key of connectors (keys: s3)"),
            ("connectors:\n  icaa: {}\n", 2, "icaa is not a key of connectors (keys: s3)"),
            ("callbacks:\n  allow: [http://x/]\n", 2, "hosts or host:port"),
            ("log:\n  level: verbose\n", 2, "takes trace, debug"),
            ("limits:\n  max_hops: 0\n", 2, "limits.max_hops takes"),
            ("server: {max_body_bytes: 5}\nlimits:\n  max_body_bytes: 5\n", 3, "keep one of them"),
            ("messages:\n  idempotency_hours: 0\n", 2, "idempotency_hours takes a whole number from 1 to 87600"),
            ("messages:\n  max_waiting: many\n", 2, "messages.max_waiting takes a whole number of at least 1"),
            ("messages:\n  max_waiting_bytes: 1.5\n", 2, "messages.max_waiting_bytes takes"),
            ("messages:\n  max_waiting_per_sender: 0\n", 2, "messages.max_waiting_per_sender takes"),
            ("messages:\n  max_waitng: 5\n", 2, "did you mean max_waiting?"),
            ("limits: {max_mailbox: 5}\nmessages:\n  max_waiting: 5\n", 3, "keep one of them"),
            ("auth: {mode: \"off\"}\nserver:\n  host: 0.0.0.0\n", 3, "every caller admin"),
            ("a: 1\n a: 2\n", 2, "not valid YAML"),
        ])
    func refusals(text: String, line: Int, words: String) {
        let found = problems(text)
        #expect(found.contains { $0.hasPrefix("/lab/config.yml:\(line): ") && $0.contains(words) }, "\(found)")
    }

    @Test("the settings as they are shipped are the defaults")
    func shipped() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("config.yml"), encoding: .utf8)
        #expect(try read(text).limits == Limits())
        #expect(text.contains("max_waiting_per_sender: ~"))
    }

    @Test("all problems come at once")
    func allAtOnce() {
        #expect(problems("server: {port: x, case: y}\nfoo: 1\nlog: {level: z}\n").count == 4)
    }

    @Test("the environment wins over secrets.json, which wins over the file")
    func layers() throws {
        let text = "pipelines: {job_manager_id: file, updates_nonce: ~}\n"
        let secrets = ["_REACTOR_PIPELINES_JOB_MANAGER_ID": "secret", "_REACTOR_PIPELINES_UPDATES_NONCE": "n1"]
        let settings = try read(text, ["_REACTOR_PIPELINES_JOB_MANAGER_ID": "environment"], secrets)
        #expect(settings.pipelines.jobManager == "environment")
        #expect(settings.pipelines.updatesNonce?.reveal() == "n1")
    }

    @Test("a key that is ~ by default is filled although the file leaves it out")
    func openKeys() throws {
        let settings = try read("", ["_REACTOR_CONNECTORS_S3_SECRET_KEY": "k", "_REACTOR_SERVER_HOST": "0.0.0.0"])
        #expect(settings.connectors.s3.secretKey?.reveal() == "k")
        #expect(
            settings.server.host == "127.0.0.1", "a key with another default is only overridden where it is written")
        #expect(settings.notYetActive == ["connectors.s3"])
    }

    @Test("a wrong value of a variable is named by the variable and not shown")
    func variableProblems() {
        let found = problems("auth: {mode: \"on\"}\n", ["_REACTOR_AUTH_MODE": "hunter22"])
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("_REACTOR_AUTH_MODE: auth.mode takes on or off") == true)
        #expect(found.first?.contains("hunter22") == false)
    }

    @Test(
        "loopback is told from the rest",
        arguments: [
            ("127.0.0.1", true), ("127.8.9.1", true), ("localhost", true), ("::1", true), ("0.0.0.0", false),
            ("::", false), ("127.evil.example.org", false), ("10.0.0.1", false), ("1270.0.0.1", false),
        ])
    func loopback(host: String, expected: Bool) {
        #expect(ServerSettings.isLoopback(host) == expected)
    }

    @Test("secrets do not print")
    func secretsArePrivate() throws {
        let settings = try read("", ["_REACTOR_CONNECTORS_S3_SECRET_KEY": "canary-1"], ["OTHER": "canary-2"])
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("canary"))
        #expect(!"\(settings)".contains("canary"))
    }

    @Test("a missing file is an error only when it was asked for")
    func missingFile() throws {
        let folder = try TemporaryFolder()
        #expect(throws: ActorError.self) {
            try SettingsLoader.load(file: folder.path + "/none.yml", environment: [:])
        }
        let file = try folder.write("config.yml", "server: {port: 1}\n")
        try folder.write("secrets.json", "{\"_REACTOR_PIPELINES_UPDATES_NONCE\": \"n\"}", mode: 0o644)
        let settings = try SettingsLoader.load(file: file, environment: [:])
        #expect(settings.server.port == 1)
        #expect(settings.pipelines.updatesNonce?.reveal() == "n")
        #expect(settings.warnings.contains { $0.reason.contains("chmod 600") })
    }

    @Test("an object store as an inbox and for copies, and archives")
    func storage() throws {
        let settings = try read(
            """
            connectors:
              s3:
                ca_file: keys/ca.pem
                session_token: t
                access_key: a
                secret_key: k
                inbox: {bucket: in, prefix: lab/, poll_seconds: 5, settle_seconds: 0, delete: false,
                        max_object_bytes: 9}
                copy: {bucket: out}
            unpack: {enabled: false, max_files: 7, max_bytes: 8, max_ratio: 9}
            """)
        let s3 = settings.connectors.s3
        let inbox = try #require(s3.inbox)
        #expect(inbox.bucket == "in" && inbox.prefix == "lab/" && inbox.pollSeconds == 5 && inbox.settleSeconds == 0)
        #expect(!inbox.deletes && inbox.maxBytes == 9)
        #expect(s3.copy?.bucket == "out" && s3.copy?.prefix == "")
        #expect(s3.authorities == "/lab/keys/ca.pem" && s3.sessionToken?.reveal() == "t")
        #expect(settings.notYetActive == [])
        #expect(!settings.unpacking.isEnabled && settings.unpacking.limits.entries == 7)
        #expect(settings.unpacking.limits.bytes == 8 && settings.unpacking.limits.ratio == 9)
        #expect(problems("connectors: {s3: {inbox: {prefix: x}}}").count == 3)
        #expect(problems("unpack: {max_ratio: 0}").count == 1)
    }
}
