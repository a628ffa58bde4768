import ActorCore
import CryptoExtras
import Foundation

/// A gateway of the old days: a key of 1024 bits, and tokens whose parts are in plain base64 with padding.
struct GatewayFixture: Sendable {
    let key: _RSA.Signing.PrivateKey

    init() throws { key = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)) }

    var publicKey: String { key.publicKey.pemRepresentation }

    /// What `config.yml` says about it.
    static let configuration = """
        auth:
          jwt:
            - header: X-Jwt-Assertion-*
              algorithms: [RS256]
              public_key_file: gateway.pem
              username_claim: http://wso2.org/claims/enduser
              roles_claim: http://wso2.org/claims/role
              role_map:
                Internal/abaco-admin: admin
                Internal/abaco-privileged: privileged
                Internal/everyone: user
                Internal/abaco-limited: limited
        """

    enum User: String {
        case admin = "testuser"
        case privileged = "testshareuser"
        case user = "testotheruser"
        case limited = "testlimiteduser"
        case nobody = "testguest"

        var roles: String {
            switch self {
            case .admin: "Internal/everyone,Internal/abaco-admin"
            case .privileged: "Internal/everyone,Internal/abaco-privileged"
            case .user: "Internal/everyone"
            case .limited: "Internal/abaco-limited"
            case .nobody: "Internal/guests"
            }
        }
    }

    func token(_ user: User, expires: Int64 = 1_500_000_000_000, algorithm: String = "RS256") throws -> String {
        let head: JSONValue = ["typ": "JWT", "alg": .string(algorithm)]
        let claims: JSONValue = [
            "iss": "wso2.org/products/am", "exp": .int(expires),
            "http://wso2.org/claims/enduser": .string("\(user.rawValue)@carbon.super"),
            "http://wso2.org/claims/role": .string(user.roles),
        ]
        let signed =
            Data(JSONWriter.bytes(head)).base64EncodedString() + "."
            + Data(JSONWriter.bytes(claims)).base64EncodedString()
        let proof = try key.signature(for: Data(signed.utf8), padding: .insecurePKCS1v1_5)
        return signed + "." + proof.rawRepresentation.base64EncodedString()
    }

    func header(_ user: User, tenant: String = "DEV-DEVELOP") throws -> (name: String, value: String) {
        (name: "X-Jwt-Assertion-\(tenant)", value: try token(user))
    }
}

/// Programs that stand for the images of a peer's test suite.
enum PeerImages {
    static let printer = """
        #!/bin/sh
        echo "Contents of MSG: $MSG"
        echo "Environment:"
        env
        """

    /// Ends when it is told to, or after a minute.
    static let sleeper = """
        import time
        for _ in range(600):
            print("still here", flush=True)
            time.sleep(0.1)
        """

    /// Sends back what it was sent, twice.
    static let answerer = """
        import os, socket
        message = open(os.environ["ABACO_BINARY_DATA"], "rb").read()
        results = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        results.connect(os.environ["ABACO_RESULTS_SOCK"])
        results.send(message)
        results.send(message[::-1])
        print("sent", len(message), "MSG" in os.environ)
        """

    static func configuration(in folder: String) -> String {
        var text = "executors:\n  process:\n    max_running: 8\n    grace_seconds: 0.2\n    images:\n"
        for image in ["jstubbs/abaco_test", "jstubbs/abaco_test2", "abacosamples/test", "abacosamples/wc"] {
            text += "      \(image): {command: [/bin/sh, \(folder)/images/printer.sh]}\n"
        }
        text += "      abacosamples/failing: {command: [/bin/sh, -c, 'echo what it said before; exit 3']}\n"
        text += "      abacosamples/py3_func: {command: [python3, \(folder)/images/answerer.py]}\n"
        return text + "      abacosamples/sleep_loop: {command: [python3, \(folder)/images/sleeper.py]}\n"
    }

    static func write(to daemon: RunningDaemon) throws {
        try daemon.write(printer, to: "images/printer.sh")
        try daemon.write(sleeper, to: "images/sleeper.py")
        try daemon.write(answerer, to: "images/answerer.py")
    }
}
