import ActorCore
import Testing

/// Signing and checking with a stand-in for HMAC; the real one is tested where cryptography is at hand.
@Suite struct WebhookTests {
    /// No cryptography: different keys and messages give different codes, that is all.
    static let signature = WebhookSignature { key, message in
        var code = [UInt8](repeating: 0, count: 32)
        for (index, byte) in (key + [0] + message).enumerated() {
            code[index % 32] = code[index % 32] &* 31 &+ byte &+ UInt8(truncatingIfNeeded: index)
        }
        return code
    }

    let now = Timestamp(milliseconds: 1_614_265_330_500)
    let body = Array(#"{"a":1}"#.utf8)

    private func secret(_ seed: UInt8) throws -> WebhookSecret {
        try #require(WebhookSecret(key: Array(repeating: seed, count: 32)))
    }

    private func check(
        _ headers: [(name: String, value: String)], body: [UInt8]? = nil, _ secrets: [WebhookSecret], later: Int64 = 0
    ) -> WebhookSignature.Verdict {
        Self.signature.check(
            header: { name in headers.first { $0.name == name }?.value }, body: body ?? self.body, secrets: secrets,
            at: now.adding(milliseconds: later * 1000))
    }

    @Test func everyLiveSecretSignsAndEitherIsEnough() throws {
        let headers = Self.signature.headers(
            id: "evt_1", at: now, body: body, secrets: [try secret(1), try secret(2)])
        #expect(headers.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(headers[1].value == "1614265330")
        #expect(headers[2].value.split(separator: " ").count == 2)
        #expect(check(headers, [try secret(1)]) == .valid)
        #expect(check(headers, [try secret(2)]) == .valid)
        #expect(check(headers, [try secret(3), try secret(2)]) == .valid)
        #expect(check(headers, [try secret(3)]) == .mismatch)
        #expect(check(headers, body: Array(#"{"a":2}"#.utf8), [try secret(1)]) == .mismatch)
        #expect(check(headers, []) == .mismatch)
    }

    @Test func timeIsChecked() throws {
        let headers = Self.signature.headers(id: "evt_1", at: now, body: body, secrets: [try secret(1)])
        #expect(check(headers, [try secret(1)], later: 300) == .valid)
        #expect(check(headers, [try secret(1)], later: 301) == .outsideTolerance(seconds: 301))
        #expect(check(headers, [try secret(1)], later: -300) == .valid)
        #expect(check(headers, [try secret(1)], later: -301) == .outsideTolerance(seconds: -301))
    }

    @Test func headersThatAreChangedDoNotFit() throws {
        let good = Self.signature.headers(id: "evt_1", at: now, body: body, secrets: [try secret(1)])
        func with(_ name: String, _ value: String?) -> [(name: String, value: String)] {
            good.filter { $0.name != name } + (value.map { [(name: name, value: $0)] } ?? [])
        }
        #expect(check(with("webhook-id", "evt_2"), [try secret(1)]) == .mismatch)
        #expect(check(with("webhook-timestamp", "1614265331"), [try secret(1)]) == .mismatch)
        for (name, value) in [
            ("webhook-id", nil), ("webhook-id", ""), ("webhook-timestamp", nil), ("webhook-timestamp", "soon"),
            ("webhook-timestamp", "-1"), ("webhook-timestamp", "01614265330"), ("webhook-signature", nil),
            ("webhook-signature", ""), ("webhook-signature", "v1a,AAAA"), ("webhook-signature", "v1,?"),
        ] as [(String, String?)] {
            guard case .malformed = check(with(name, value), [try secret(1)]) else {
                Issue.record("\(name): \(value ?? "missing")")
                continue
            }
        }
        // Foreign signatures beside the right one do no harm.
        let mixed = "v1a,AAAA v1,AAAA \(good[2].value) v2,x"
        #expect(check(with("webhook-signature", mixed), [try secret(1)]) == .valid)
    }

    @Test func secretsKeepToThemselves() throws {
        let text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        let secret = try #require(WebhookSecret(text))
        #expect(secret.reveal() == text)
        #expect(!"\(secret)".contains("MfKQ"))
        #expect(!String(reflecting: secret).contains("MfKQ"))
        for wrong in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA", "whsec_????"] {
            #expect(WebhookSecret(wrong) == nil)
        }
        #expect(WebhookSecret(key: Array(repeating: 0, count: 65)) == nil)
    }

    @Test func retryAfterIsSecondsOrADate() {
        let now = Timestamp(milliseconds: 784_111_777_000)
        #expect(RetryAfter.seconds("120", at: now) == 120)
        #expect(RetryAfter.seconds("-5", at: now) == 0)
        #expect(RetryAfter.seconds("Sun, 06 Nov 1994 08:49:37 GMT", at: now) == 0)
        #expect(RetryAfter.seconds("Sun, 06 Nov 1994 08:50:37 GMT", at: now) == 60)
        #expect(RetryAfter.seconds("Tue, 29 Feb 2000 00:00:00 GMT", at: now) == 951_782_400 - 784_111_777)
        for wrong in ["", "soon", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"]
        {
            #expect(RetryAfter.seconds(wrong, at: now) == nil, "\(wrong)")
        }
    }
}
