import ActorConnectors
import ActorCore
import ActorTesting
import Foundation
import Glibc
import HTTPTransport
import Logging

/// A program that serves S3 while a test runs.
final class StoreServer {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    /// Installed by `scripts/setup --tests`.
    static let moto = "\(root)/.build-python-store/bin/moto_server"
    static let hasMoto = access(moto, X_OK) == 0
    /// `make engines` sets the variable, and `scripts/setup --engines` installs the program.
    static let hasGateway =
        ProcessInfo.processInfo.environment["REACTORD_ENGINES"] != nil && access("/usr/bin/radosgw", X_OK) == 0

    private let output: UnsafeMutablePointer<FILE>
    private let process: pid_t
    let port: Int

    /// - Parameter script: ends in `exec` of the server, prints `PID` and its number before, and a line that ends in
    ///   `:PORT` when it serves.
    init(_ script: String) throws {
        // Threads of the pool block signals and a child inherits that: TERM would never reach it.
        var none = sigset_t()
        var former = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &former)
        let opened = popen(script, "r")
        pthread_sigmask(SIG_SETMASK, &former, nil)
        guard let output = opened else { throw ActorError(.internalFailure, "no shell") }
        self.output = output
        var process: pid_t?
        var port: Int?
        var line = [CChar](repeating: 0, count: 4096)
        while port == nil, fgets(&line, 4096, output) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            if text.hasPrefix("PID ") { process = pid_t(text.dropFirst(4)) }
            if text.contains("http://127.0.0.1:") { port = text.split(separator: ":").last.flatMap { Int($0) } }
        }
        guard let process, let port else { throw ActorError(.internalFailure, "the store did not start") }
        self.process = process
        self.port = port
    }

    static func startMoto() throws -> StoreServer {
        try StoreServer(
            "echo PID $$; INITIAL_NO_AUTH_ACTION_COUNT=3 exec \(moto) -H 127.0.0.1 -p 0 2>&1 </dev/null")
    }

    /// One Ceph monitor, one store in memory, one gateway.
    static func startGateway(_ folder: String) throws -> StoreServer {
        try StoreServer("echo PID $$; exec \(root)/scripts/engines/radosgw \(folder) 2>\(folder).log </dev/null")
    }

    func stop() {
        kill(process, SIGTERM)
        pclose(output)
    }
}

/// Calls of Amazon's other services, as far as a test needs them to get keys from moto.
struct IdentityService {
    let client: CurlClient
    let port: Int

    func keys() async throws -> SigV4.Credentials {
        _ = try await call("CreateUser", [("UserName", "lab")])
        let policy = """
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            """
        _ = try await call("PutUserPolicy", [("UserName", "lab"), ("PolicyName", "all"), ("PolicyDocument", policy)])
        let key = try await call("CreateAccessKey", [("UserName", "lab")])["CreateAccessKeyResult"]?["AccessKey"]
        return SigV4.Credentials(
            accessKey: key?.text("AccessKeyId") ?? "", secretKey: key?.text("SecretAccessKey") ?? "")
    }

    private func call(_ action: String, _ fields: [(String, String)]) async throws -> XMLElement {
        let all = [("Action", action), ("Version", "2010-05-08")] + fields
        let body = Array(all.map { "\($0.0)=\(PercentText.escaped($0.1))" }.joined(separator: "&").utf8)
        let address = WebAddress(scheme: "http", host: "127.0.0.1:\(port)", path: "/")
        let signer = SigV4(
            credentials: SigV4.Credentials(accessKey: "none", secretKey: "none"), region: "us-east-1", service: "iam")
        let headers = signer.headers(
            method: "POST", address: address,
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
            payload: SigV4.hash(body), at: HastyClock.real)
        let response = try await client.send(
            OutgoingRequest(method: "POST", url: address.url, headers: headers, body: body), policy: .anywhere)
        return try XMLReader.read(response.body)
    }
}

extension HastyClock {
    static var real: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}

/// The time of day, and waits that are as long as they should be.
struct RealClock: Timekeeper {
    func now() -> Timestamp { HastyClock.real }
    func sleep(until deadline: Timestamp) async throws {
        try await Task.sleep(for: .milliseconds(max(0, deadline.since(now()))))
    }
}
