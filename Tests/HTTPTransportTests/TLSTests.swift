import ActorCore
import Glibc
import HTTPTransport
import Logging
import Testing

/// Against OpenSSL's own server, which asks for a certificate that its authority has signed.
@Suite(.timeLimit(.minutes(2)))
struct TLSTests {
    @Test func theServerIsRecognisedAndWeAre() async throws {
        let server = try TLSServer()
        defer { server.stop() }
        let client = try CurlClient(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let settings = TLSSettings(
            authorities: .file("\(server.folder)/ca.pem"), certificate: .file("\(server.folder)/client.pem"),
            key: .file("\(server.folder)/client.key"), serverName: "server.example")
        let inMemory = TLSSettings(
            authorities: .bytes(try server.bytes("ca.pem")), certificate: .bytes(try server.bytes("client.pem")),
            key: .bytes(try server.bytes("client.key")), serverName: "server.example")
        var unknownAuthority = settings
        unknownAuthority.authorities = nil
        var otherName = settings
        otherName.serverName = "other.example"
        var noName = settings
        noName.serverName = nil
        var noCertificate = settings
        (noCertificate.certificate, noCertificate.key) = (nil, nil)
        var strangeName = settings
        strangeName.serverName = "server.example:1/@x"
        var missing = settings
        missing.key = .file("\(server.folder)/missing.key")
        var unverified = noName
        (unverified.authorities, unverified.isUnverified) = (nil, true)
        let cases: [(TLSSettings?, ActorError.Code?, String)] = [
            (settings, nil, ""), (inMemory, nil, ""), (nil, .unavailable, "certificate"),
            (unknownAuthority, .unavailable, "certificate"), (otherName, .unavailable, "other.example"),
            (noName, .unavailable, "127.0.0.1"), (noCertificate, .unavailable, ""),
            (strangeName, .invalidInput, "host name"), (missing, .unavailable, ""), (settings, nil, ""),
            // Whoever answers, when that is asked for; and nobody after it who did not ask.
            (unverified, nil, ""), (noName, .unavailable, "127.0.0.1"),
        ]
        for (tls, code, word) in cases {
            var request = OutgoingRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")
            request.tls = tls
            do throws(ActorError) {
                let response = try await client.send(request, policy: .anywhere)
                #expect(code == nil && response.status == 200, "\(String(describing: tls))")
            } catch {
                #expect(error.code == code, "\(String(describing: tls)): \(error)")
                #expect(error.message.contains(word), "\(error)")
            }
        }
        await client.shutdown()
    }
}

/// `openssl s_server` with certificates made for it.
private final class TLSServer {
    let folder: String
    let port: Int
    private let process: pid_t
    private let output: UnsafeMutablePointer<FILE>

    private static let script = """
        set -e
        key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
        openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=authority -days 30 2>/dev/null
        echo subjectAltName=DNS:server.example >names
        for who in server client; do
            openssl req $key -keyout $who.key -out $who.csr -subj /CN=$who.example 2>/dev/null
            openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -days 30 \\
                -out $who.pem 2>/dev/null
        done
        echo PID $$
        exec openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -CAfile ca.pem -Verify 2 \\
            -verify_return_error -www 2>/dev/null </dev/null
        """

    init() throws {
        var template = Array("/tmp/reactord-tls-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ActorError(.internalFailure, "no temporary folder") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let output = popen("cd \(folder) && \(Self.script)", "r") else {
            throw ActorError(.internalFailure, "no shell")
        }
        self.output = output
        var process: pid_t?
        var port: Int?
        var line = [CChar](repeating: 0, count: 4096)
        while port == nil, fgets(&line, 4096, output) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split { $0 == " " || $0 == "\n" }
            if words.first == "PID" { process = words.last.flatMap { pid_t(String($0)) } }
            if words.first == "ACCEPT" { port = words.last?.split(separator: ":").last.flatMap { Int(String($0)) } }
        }
        guard let process, let port else { throw ActorError(.internalFailure, "openssl s_server did not start") }
        self.process = process
        self.port = port
    }

    func bytes(_ name: String) throws -> [UInt8] {
        guard let file = fopen("\(folder)/\(name)", "r") else { throw ActorError(.notFound, name) }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }

    func stop() {
        kill(process, SIGTERM)
        pclose(output)
        for name in ["ca.key", "ca.pem", "ca.srl", "names"] { unlink("\(folder)/\(name)") }
        for who in ["server", "client"] {
            for kind in ["key", "csr", "pem"] { unlink("\(folder)/\(who).\(kind)") }
        }
        rmdir(folder)
    }
}
