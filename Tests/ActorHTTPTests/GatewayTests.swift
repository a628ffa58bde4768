import ActorCore
import ActorTesting
import Crypto
import CryptoExtras
import FoundationEssentials
import Glibc
import HTTPTypes
import Hummingbird
import Logging
import NIOPosix
import Testing

@testable import ActorHTTP

@Suite("signed tokens of a gateway")
struct GatewayTests {
    private static let rsa = Result { try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)) }
    private static let other = Result { try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)) }
    private static let curve = P256.Signing.PrivateKey()
    private static let edwards = Curve25519.Signing.PrivateKey()

    private static let claims: JSONValue = [
        "sub": "ann", "exp": 1_900_000_000, "roles": "Internal/everyone,Internal/abaco-admin", "tenant": "DEV-DEVELOP",
    ]

    private func signed(_ head: JSONValue, _ claims: JSONValue, padded: Bool = false) -> String {
        let parts = [head, claims].map { part in
            padded
                ? Data(JSONWriter.bytes(part)).base64EncodedString() : SignedToken.text(JSONWriter.bytes(part))
        }
        return parts.joined(separator: ".")
    }

    private func token(
        _ claims: JSONValue = claims, algorithm: String = "RS256", with key: _RSA.Signing.PrivateKey? = nil,
        padded: Bool = false
    ) throws -> String {
        let text = signed(["alg": .string(algorithm), "typ": "JWT"], claims, padded: padded)
        let key = try key ?? Self.rsa.get()
        let padding: _RSA.Signing.Padding = algorithm.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
        let proof: _RSA.Signing.RSASignature =
            algorithm.hasSuffix("512")
            ? try key.signature(for: SHA512.hash(data: Array(text.utf8)), padding: padding)
            : try key.signature(for: SHA256.hash(data: Array(text.utf8)), padding: padding)
        let bytes = Array(proof.rawRepresentation)
        return text + "." + (padded ? Data(bytes).base64EncodedString() : SignedToken.text(bytes))
    }

    /// The keys of one run, which go when it ends.
    private static let keys: String = {
        let folder = "\(FileManager.default.temporaryDirectory.path)/gateway-keys-\(getpid())"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: GatewayTests.keys) }
        return folder
    }()

    private func gateway(
        _ key: String, header: String = "X-Jwt-Assertion-*", algorithms: [String] = ["RS256"],
        tenantClaim: String? = nil, defaultRoles: Set<Role> = [.user]
    ) -> Gateway {
        let file = "\(Self.keys)/\(UUID().uuidString).pem"
        try? key.write(toFile: file, atomically: true, encoding: .utf8)
        return Gateway(
            GatewaySettings(
                header: header, algorithms: algorithms, keyFile: file, usernameClaim: "sub",
                tenantClaim: tenantClaim, rolesClaim: "roles",
                roleMap: ["Internal/everyone": .user, "Internal/abaco-admin": .admin], defaultRoles: defaultRoles),
            client: nil, clock: ManualClock(), pool: .singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func principal(_ token: String, of gateway: Gateway, tenant: String? = "T") async -> Principal? {
        await gateway.principal(of: token, headerTenant: tenant, standardTenant: "HOUSE")
    }

    @Test("a good token says who it is, with either spelling of base64")
    func good() async throws {
        let gateway = gateway(try Self.rsa.get().publicKey.pemRepresentation)
        let expected = Principal(username: "ann", tenant: "T", roles: [.user, .admin])
        #expect(await principal(try token(), of: gateway) == expected)
        #expect(await principal(try token(padded: true), of: gateway) == expected)
        // The text between the lines alone, as old configurations have it.
        let bare = try Self.rsa.get().publicKey.pemRepresentation.split(separator: "\n")
            .filter { !$0.hasPrefix("-----") }.joined()
        #expect(await principal(try token(), of: self.gateway(bare)) == expected)
    }

    @Test("what is forged, expired or not meant is refused")
    func bad() async throws {
        let gateway = gateway(try Self.rsa.get().publicKey.pemRepresentation)
        let good = try token()
        let parts = good.split(separator: ".").map(String.init)
        let secret = SymmetricKey(data: Array(try Self.rsa.get().publicKey.pemRepresentation.utf8))
        let confused = signed(["alg": "HS256"], Self.claims)
        let mac = SignedToken.text(
            Array(HMAC<SHA256>.authenticationCode(for: Array(confused.utf8), using: secret)))
        let bad: [(String, String)] = [
            ("none", signed(["alg": "none"], Self.claims) + "."),
            ("None", signed(["alg": "None"], Self.claims) + "." + parts[2]),
            ("the public key as a shared secret", confused + "." + mac),
            ("another key", try token(with: try Self.other.get())),
            ("an algorithm that is not listed", try token(algorithm: "RS512")),
            ("expired", try token(Self.claims.setting("exp", 1_000_000_000))),
            ("not yet", try token(Self.claims.setting("nbf", 1_899_999_999))),
            ("a time that is none", try token(Self.claims.setting("exp", "tomorrow"))),
            (
                "other claims",
                "\(parts[0]).\(SignedToken.text(JSONWriter.bytes(Self.claims.setting("sub", "eve")))).\(parts[2])"
            ),
            (
                "a header that must be understood",
                signed(["alg": "RS256", "crit": ["b64"]], Self.claims) + "." + parts[2]
            ),
            ("no user", try token(Self.claims.removing("sub"))),
            ("a user of blanks", try token(Self.claims.setting("sub", "a b"))),
            ("two parts", "\(parts[0]).\(parts[1])"), ("four parts", good + ".x"), ("nothing", ""), ("dots", ".."),
            ("no JSON", "abc.abc.abc"), ("too long", String(repeating: "a", count: 20_000)),
        ]
        for (name, token) in bad {
            let found = await principal(token, of: gateway)
            #expect(found == nil, "\(name)")
        }
        #expect(await principal(good, of: gateway) != nil)
    }

    @Test("other kinds of keys, by PEM and by key set")
    func keys() async throws {
        let text = signed(["alg": "ES256", "kid": "k1"], Self.claims)
        let proof = try Self.curve.signature(for: SHA256.hash(data: Array(text.utf8)))
        let elliptic = text + "." + SignedToken.text(Array(proof.rawRepresentation))
        let pem = gateway(Self.curve.publicKey.pemRepresentation, algorithms: ["ES256"])
        #expect(await principal(elliptic, of: pem) != nil)

        let point = Array(Self.curve.publicKey.x963Representation)
        func set(_ id: String) -> String {
            let key: JSONValue = [
                "kty": "EC", "crv": "P-256", "kid": .string(id), "use": "sig",
                "x": .string(SignedToken.text(point[1...32])), "y": .string(SignedToken.text(point[33...64])),
            ]
            let edwards: JSONValue = [
                "kty": "OKP", "crv": "Ed25519", "kid": "ed",
                "x": .string(SignedToken.text(Array(Self.edwards.publicKey.rawRepresentation))),
            ]
            return JSONWriter.string(["keys": [["kty": "oct", "k": "AAAA", "kid": "k1"], key, edwards]])
        }
        let known = gateway(set("k1"), algorithms: ["ES256", "EdDSA"])
        #expect(await principal(elliptic, of: known) != nil)
        #expect(await principal(elliptic, of: gateway(set("k2"), algorithms: ["ES256"])) == nil)

        let other = signed(["alg": "EdDSA", "kid": "ed"], Self.claims)
        let mark = try Self.edwards.signature(for: Array(other.utf8))
        #expect(await principal(other + "." + SignedToken.text(Array(mark)), of: known) != nil)

        let pss = gateway(try Self.rsa.get().publicKey.pemRepresentation, algorithms: ["PS256"])
        #expect(await principal(try token(algorithm: "PS256"), of: pss) != nil)
        #expect(await principal(try token(), of: pss) == nil)
    }

    @Test("keys that are published at an address are fetched, again when a token fits none, and kept when it is away")
    func published() async throws {
        let point = Array(Self.curve.publicKey.x963Representation)
        func keys(_ id: String) -> String {
            let key: JSONValue = [
                "kty": "EC", "crv": "P-256", "kid": .string(id),
                "x": .string(SignedToken.text(point[1...32])), "y": .string(SignedToken.text(point[33...64])),
            ]
            return JSONWriter.string(["keys": [key]])
        }
        func token(_ id: String) throws -> String {
            let text = signed(["alg": "ES256", "kid": .string(id)], Self.claims)
            let proof = try Self.curve.signature(for: SHA256.hash(data: Array(text.utf8)))
            return text + "." + SignedToken.text(Array(proof.rawRepresentation))
        }
        let http = ScriptedHTTP()
        http.on("GET", "https://id.example/keys", .status(200, keys("old")), .status(200, keys("new")), .status(503))
        let clock = ManualClock()
        let gateway = Gateway(
            GatewaySettings(
                header: "Authorization", algorithms: ["ES256"], keyFile: nil, keysURL: "https://id.example/keys",
                usernameClaim: "sub", tenantClaim: nil, rolesClaim: nil, roleMap: [:], defaultRoles: [.user]),
            client: http, clock: clock, pool: .singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(await principal(try token("old"), of: gateway)?.username == "ann")
        #expect(await principal(try token("new"), of: gateway) == nil)
        #expect(http.requests.count == 1, "looked for at most every 30 seconds")
        clock.advance(milliseconds: 31_000)
        #expect(await principal(try token("new"), of: gateway)?.username == "ann")
        #expect(await principal(try token("old"), of: gateway) == nil)
        clock.advance(milliseconds: 31_000)
        #expect(await principal(try token("other"), of: gateway) == nil)
        #expect(http.requests.count == 3)
        #expect(await principal(try token("new"), of: gateway)?.username == "ann", "what was known stays valid")
    }

    @Test("tenants: from the header, from a claim, and never against one another")
    func tenants() async throws {
        let pem = try Self.rsa.get().publicKey.pemRepresentation
        #expect(await principal(try token(), of: gateway(pem), tenant: nil)?.tenant == "HOUSE")
        let claimed = gateway(pem, tenantClaim: "tenant")
        #expect(await principal(try token(), of: claimed, tenant: nil)?.tenant == "DEV-DEVELOP")
        #expect(await principal(try token(), of: claimed, tenant: "DEV-DEVELOP")?.tenant == "DEV-DEVELOP")
        #expect(await principal(try token(), of: claimed, tenant: "AGAVE-PROD") == nil)
        #expect(await principal(try token(Self.claims.removing("tenant")), of: claimed, tenant: nil) == nil)
    }

    @Test("roles: mapped ones, the standard ones without a claim, none for who has only others")
    func roles() async throws {
        let gateway = gateway(try Self.rsa.get().publicKey.pemRepresentation)
        func roles(_ value: JSONValue?) async throws -> Set<Role>? {
            let claims = value.map { Self.claims.setting("roles", $0) } ?? Self.claims.removing("roles")
            return await principal(try token(claims), of: gateway)?.roles
        }
        #expect(try await roles(["Internal/everyone"]) == [.user])
        #expect(try await roles(" Internal/everyone , x") == [.user])
        #expect(try await roles(nil) == [.user])
        #expect(try await roles("admin,other") == [])
    }
}

@Suite("logins")
struct LoginTests {
    private let clock = ManualClock()
    private var logins: LoginTokens {
        LoginTokens(
            key: [UInt8](repeating: 7, count: 32), passwords: ["ann": "correct horse"], tenant: "T", clock: clock)
    }

    @Test("a password gives tokens that are what they say, for a while")
    func tokens() throws {
        let pair = try logins.login("ann", "correct horse")
        #expect(logins.user(of: pair.access) == "ann")
        #expect(logins.user(of: pair.refresh) == nil, "a refresh token opens nothing")
        #expect(logins.user(of: try logins.refresh(pair.refresh).access) == "ann")
        #expect(throws: ActorError.self) { _ = try logins.refresh(pair.access) }
        #expect(logins.user(of: pair.access + "x") == nil)
        let others = LoginTokens(
            key: [UInt8](repeating: 8, count: 32), passwords: ["ann": "correct horse"], tenant: "T", clock: clock)
        #expect(others.user(of: pair.access) == nil, "another daemon's")
        let gone = LoginTokens(key: [UInt8](repeating: 7, count: 32), passwords: [:], tenant: "T", clock: clock)
        #expect(gone.user(of: pair.access) == nil, "a user who is not configured any more")
        clock.advance(milliseconds: LoginTokens.accessSeconds * 1000)
        #expect(logins.user(of: pair.access) == nil)
    }

    @Test("a changed password ends what was made with the old one")
    func changedPassword() throws {
        func tokens(_ passwords: [String: String]) -> LoginTokens {
            LoginTokens(key: [UInt8](repeating: 7, count: 32), passwords: passwords, tenant: "T", clock: clock)
        }
        let pair = try tokens(["ann": "correct horse"]).login("ann", "correct horse")
        let changed = tokens(["ann": "battery staple", "bob": "correct horse"])
        #expect(changed.user(of: pair.access) == nil)
        #expect(throws: ActorError.self) { _ = try changed.refresh(pair.refresh) }
        let new = try changed.login("ann", "battery staple")
        #expect(changed.user(of: new.access) == "ann")
        let restarted = tokens(["ann": "correct horse"])
        #expect(restarted.user(of: pair.access) == "ann", "the same password after a restart")
        #expect(restarted.user(of: try restarted.refresh(pair.refresh).access) == "ann")
        #expect(restarted.user(of: new.access) == nil)
    }

    @Test("guessing is slow")
    func guessing() throws {
        let logins = logins
        for _ in 0..<10 {
            #expect(throws: ActorError.self) { _ = try logins.login("ann", "wrong") }
        }
        do {
            _ = try logins.login("ann", "correct horse")
            Issue.record("not refused")
        } catch {
            #expect(error.code == .tooManyRequests)
        }
        clock.advance(milliseconds: 60_001)
        _ = try logins.login("ann", "correct horse")
        #expect(throws: ActorError.self) { _ = try logins.login("nobody", "correct horse") }
    }
}

@Suite("seals")
struct SealTests {
    @Test("what is closed opens with its own key only, and shows nothing")
    func seal() throws {
        let seal = Seal(key: Array(0..<32))
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        let closed = try seal.close("my välue", now: now)
        #expect(closed.hasPrefix("gAAAAA") && !closed.contains("value"))
        #expect(seal.open(closed) == "my välue")
        #expect(try seal.close("my välue", now: now) != closed)
        #expect(Seal(key: Array(1..<33)).open(closed) == nil)
        #expect(seal.open("") == nil && seal.open("gAAAAA") == nil)
        var broken = Array(closed.utf8)
        broken[40] = broken[40] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        #expect(seal.open(String(decoding: broken, as: UTF8.self)) == nil)
    }

    /// The example of the format's own specification.
    @Test("a token that another implementation made opens")
    func known() {
        let key = SignedToken.bytes("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=") ?? []
        let token =
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
        #expect(Seal(key: key).open(token) == "hello")
    }
}
