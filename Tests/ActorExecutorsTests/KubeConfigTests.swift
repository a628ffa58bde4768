import ActorCore
import ActorExecutors
import FoundationEssentials
import Glibc
import Testing

/// How to reach an API server, by a kubeconfig file.
struct KubeConfigTests {
    private func access(_ user: JSONValue, cluster: JSONValue = ["server": "https://h:6443/"]) throws -> KubeAccess {
        try KubeAccess(
            kubeconfig: [
                "current-context": "c",
                "contexts": [["name": "c", "context": ["cluster": "k", "user": "u", "namespace": "lab"]]],
                "clusters": [["name": "k", "cluster": cluster]], "users": [["name": "u", "user": user]],
            ], context: nil, folder: "/etc/kube", file: "config")
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
            try KubeAccess(kubeconfig: [:], context: nil, folder: "/", file: "config")
        }
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
        try script.write(toFile: "\(folder)/plugin", atomically: true, encoding: .utf8)
        chmod("\(folder)/plugin", 0o700)
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
