/// Words that let an admin reset, ready and delete jobs, each for a window of time (PipelineJobs, section 4.10).
package struct AdminTokens: Sendable, Equatable {
    package static let standardLifetime: Int64 = 3600

    package let secret: String
    package let key: String
    package let lifetimeSeconds: Int64

    /// - Parameter lifetimeSeconds: how long one is current; it is valid for as long again.
    package init(secret: String, key: String, lifetimeSeconds: Int64 = Self.standardLifetime) {
        self.secret = secret
        self.key = key
        self.lifetimeSeconds = max(1, lifetimeSeconds)
    }

    /// As the settings of an actor have them; nil when they hold no secret.
    package init?(settings: JSONValue) {
        guard let secret = settings["admin_token_secret"]?.string, !secret.isEmpty,
            let key = settings["admin_token_key"]?.string, !key.isEmpty
        else { return nil }
        let lifetime = settings["admin_token_lifetime_seconds"]?.int.map(Int64.init)
        self.init(secret: secret, key: key, lifetimeSeconds: lifetime ?? Self.standardLifetime)
    }

    /// The one of this moment: the first 16 hex digits of the digest of `SECRET:KEY:d:d:…`, the digits of the number
    /// of the window.
    package func token(at now: Timestamp, _ digest: JobLedger.Digest) -> String {
        token(of: window(at: now), digest)
    }

    /// Until when the token of this moment is accepted.
    package func end(of now: Timestamp) -> Timestamp {
        Timestamp(milliseconds: (window(at: now) + 2) * lifetimeSeconds * 1000)
    }

    /// Whether `shown` is the token of this window or of the one before.
    package func accepts(_ shown: String, at now: Timestamp, _ digest: JobLedger.Digest) -> Bool {
        let window = window(at: now)
        let found = [window, window - 1].map {
            ConstantTime.areEqual(Array(shown.utf8), Array(token(of: $0, digest).utf8))
        }
        return found[0] || found[1]
    }

    private func window(at now: Timestamp) -> Int64 {
        let (quotient, remainder) = now.milliseconds.quotientAndRemainder(dividingBy: lifetimeSeconds * 1000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private func token(of window: Int64, _ digest: JobLedger.Digest) -> String {
        let digits = String(window).map(String.init).joined(separator: ":")
        return String(digest(Array("\(secret):\(key):\(digits)".utf8)).prefix(16))
    }
}
