import ActorCore
import ActorExecutors
import FoundationEssentials
import Glibc
import Testing

/// How to reach an API server, by a kubeconfig file.
struct KubeConfigTests {
    private func access(
        _ user: JSONValue, cluster: JSONValue = ["server": "https://h:6443/"], isUnverifiedAllowed: Bool = false
    ) throws -> KubeAccess {
        let file = KubeConfigFile(
            name: "config", folder: "/etc/kube",
            value: [
                "current-context": "c",
                "contexts": [["name": "c", "context": ["cluster": "k", "user": "u", "namespace": "lab"]]],
                "clusters": [["name": "k", "cluster": cluster]], "users": [["name": "u", "user": user]],
            ])
        return try KubeAccess(
            kubeconfig: KubeConfigFile.merged([file]), context: nil, file: "config",
            isUnverifiedAllowed: isUnverifiedAllowed)
    }

    @Test func certificatesAndTokens() throws {
        let pem = try access(["client-certificate-data": "QUJD", "client-key": "keys/u.pem"])
        #expect(pem.server == "https://h:6443" && pem.namespace == "lab")
        #expect(pem.tls.certificate == .bytes(Array("ABC".utf8)) && pem.tls.key == .file("/etc/kube/keys/u.pem"))
        #expect(try access(["token": "t"]).credential == .token("t"))
        #expect(try access(["tokenFile": "t"]).credential == .tokenFile("/etc/kube/t"))
        #expect(try access(["username": "a", "password": "b"]).credential == .basic(user: "a", password: "b"))
        let authority = try access([:], cluster: ["server": "https://h", "certificate-authority": "ca.pem"])
        #expect(authority.tls.authorities == .file("/etc/kube/ca.pem"))
    }

    @Test func whatIsNotTaken() throws {
        #expect(throws: EngineFailure.self) {
            try access([:], cluster: ["server": "https://h", "insecure-skip-tls-verify": true])
        }
        #expect(throws: EngineFailure.self) { try access(["client-certificate-data": "!!"]) }
        #expect(throws: EngineFailure.self) { try access(["auth-provider": ["name": "gcp"]]) }
        #expect(throws: EngineFailure.self) {
            try KubeAccess(kubeconfig: [:], context: nil, file: "config")
        }
        #expect(throws: EngineFailure.self) {
            try access([:], cluster: ["server": "https://h", "proxy-url": "http://proxy"])
        }
        #expect(throws: EngineFailure.self) {
            try access(["exec": ["command": "login", "interactiveMode": "Always"]])
        }
    }

    @Test func anUnverifiedServerOnlyWhereTheHouseAllowsIt() throws {
        let cluster: JSONValue = [
            "server": "https://h", "insecure-skip-tls-verify": true, "certificate-authority": "ca.pem",
        ]
        #expect(throws: EngineFailure.self) { try access([:], cluster: cluster) }
        let tls = try access([:], cluster: cluster, isUnverifiedAllowed: true).tls
        #expect(tls.isUnverified && tls.authorities == nil)
        #expect(try !access([:], isUnverifiedAllowed: true).tls.isUnverified)
    }

    @Test func somebodyElseAndWhatAPluginIsTold() throws {
        let acting = try access([
            "token": "t", "as": "ada", "as-groups": ["lab", "gpu"], "as-user-extra": ["scopes": ["view"]],
        ])
        #expect(
            acting.impersonation == [
                EnvironmentEntry("Impersonate-User", "ada"), EnvironmentEntry("Impersonate-Group", "lab"),
                EnvironmentEntry("Impersonate-Group", "gpu"), EnvironmentEntry("Impersonate-Extra-scopes", "view"),
            ])
        let plugin: JSONValue = ["exec": ["command": "bin/login", "provideClusterInfo": true]]
        let cluster: JSONValue = [
            "server": "https://h", "certificate-authority-data": "QUJD\nREVG\n",
            "extensions": [["name": "client.authentication.k8s.io/exec", "extension": ["audience": "lab"]]],
        ]
        let told = try access(plugin, cluster: cluster)
        #expect(told.tls.authorities == .bytes(Array("ABCDEF".utf8)))
        guard case .plugin(let found) = told.credential else { return #expect(Bool(false), "no plugin") }
        #expect(found.command == "/etc/kube/bin/login")
        #expect(found.cluster?["server"] == "https://h" && found.cluster?["config"]?["audience"] == "lab")
    }

    /// As kubectl reads $KUBECONFIG: of each name the first counts, and a path begins where its file lies.
    @Test func severalFilesAreOne() throws {
        let first = KubeConfigFile(
            name: "/a/config", folder: "/a",
            value: [
                "contexts": [["name": "c", "context": ["cluster": "k", "user": "u"]]],
                "users": [["name": "u", "user": ["client-key": "u.key"]]],
            ])
        let second = KubeConfigFile(
            name: "/b/config", folder: "/b",
            value: [
                "current-context": "c", "users": [["name": "u", "user": ["token": "other"]]],
                "clusters": [["name": "k", "cluster": ["server": "https://h", "certificate-authority": "ca.pem"]]],
            ])
        let access = try KubeAccess(kubeconfig: KubeConfigFile.merged([first, second]), context: nil, file: "both")
        #expect(access.tls.key == .file("/a/u.key") && access.tls.authorities == .file("/b/ca.pem"))
        #expect(access.credential == .none)
    }

    @Test func aFileGoesBeforeAToken() throws {
        #expect(try access(["token": "t", "tokenFile": "f"]).credential == .tokenFile("/etc/kube/f"))
    }

    /// A token that the server takes no longer is handed out anew, once, and the request goes on.
    @Test func aTokenThatIsNotTakenIsRenewed() async throws {
        let folder = "\(FileManager.default.temporaryDirectory.path)/plugin-renewed-\(getpid())"
        mkdir(folder, 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = """
            #!/bin/sh
            echo run >> \(folder)/runs
            echo "{\\"status\\": {\\"token\\": \\"t$(wc -l < \(folder)/runs)\\"}}"
            """
        writeElsewhere("\(folder)/plugin", script, mode: 0o700)
        let fake = KubeFake()
        var access = KubeAccess(server: "https://h")
        access.credential = .plugin(
            KubePlugin(command: "\(folder)/plugin", arguments: [], environment: [], version: "v1"))
        let client = KubeClient(
            http: fake, documents: NoDocuments(), source: .init(), access: access,
            now: { Timestamp(milliseconds: 0) })
        fake.answer(401, ["kind": "Status", "reason": "Unauthorized"])
        let answer = try await client.send("GET", "/apis/batch/v1/namespaces/a/jobs")
        #expect(answer.status == 200)
        #expect(fake.requests.map { $0.headers["authorization"] } == ["Bearer t1", "Bearer t2"])
        // One that is refused again is refused.
        for _ in 1...2 { fake.answer(401, ["kind": "Status", "reason": "Unauthorized"]) }
        #expect(try await client.send("GET", "/apis/batch/v1/namespaces/a/jobs").status == 401)
    }

    @Test func aPluginHandsOutAToken() async throws {
        let folder = "\(FileManager.default.temporaryDirectory.path)/plugin-\(getpid())"
        mkdir(folder, 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = """
            #!/bin/sh
            echo run >> \(folder)/runs
            echo '{"kind": "ExecCredential", "status": {"token": "from-'$1-$WHO'",
             "expirationTimestamp": "2099-01-01T00:00:00Z"}}'
            """
        writeElsewhere("\(folder)/plugin", script, mode: 0o700)
        let config = """
            {"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
             "clusters": [{"name": "k", "cluster": {"server": "https://h"}}],
             "users": [{"name": "u", "user": {"exec": {"command": "./plugin", "args": ["x"],
              "env": [{"name": "WHO", "value": "me"}]}}}]}
            """
        try config.write(toFile: "\(folder)/config", atomically: true, encoding: .utf8)
        let fake = KubeFake()
        let client = KubeClient(
            http: fake, documents: NoDocuments(), source: .init(kubeconfig: "\(folder)/config"),
            now: { Timestamp(milliseconds: 0) })
        for _ in 1...2 { _ = try await client.send("GET", "/apis/batch/v1/namespaces/a/jobs") }
        #expect(fake.requests.map { $0.headers["authorization"] } == ["Bearer from-x-me", "Bearer from-x-me"])
        #expect(try String(contentsOfFile: "\(folder)/runs", encoding: .utf8) == "run\n")
    }
}
