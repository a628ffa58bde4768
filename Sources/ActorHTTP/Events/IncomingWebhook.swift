import ActorCore
import ActorRuntime
import Crypto
import HTTPTypes

extension HTTPFront {
    /// An actor that asks for it takes only messages that one of its secrets has signed, lately.
    ///
    /// Answers the key under which the same webhook, sent again, is the same message; nil when none was asked for.
    func checkSignature(
        _ headers: HTTPFields, _ body: [UInt8], of spec: ActorSpec
    ) throws(ActorError) -> IdempotencyKey? {
        guard !spec.webhookSecrets.isEmpty else { return nil }
        let secrets = spec.webhookSecrets.compactMap { system.secret($0) }.compactMap { WebhookSecret($0) }
        guard !secrets.isEmpty else {
            throw ActorError(
                .unavailable,
                "none of the webhook_secrets of actor \(spec.name) is set to a whsec_… text in secrets.json or the "
                    + "environment")
        }
        func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
        switch WebhookSignature.sha256.check(header: header, body: body, secrets: secrets, at: system.now()) {
        case .valid: break
        case .malformed(let why):
            throw ActorError(.forbidden, "actor \(spec.name) takes signed webhooks only: \(why)")
        case .outsideTolerance:
            throw ActorError(
                .forbidden,
                "the webhook was signed more than \(WebhookSignature.tolerance) seconds away from now; "
                    + "is a clock wrong?")
        case .mismatch: throw ActorError(.forbidden, "no signature of the webhook fits a secret of actor \(spec.name)")
        }
        let id = SHA256.hash(data: Array((header(WebhookSignature.Header.id) ?? "").utf8))
        return IdempotencyKey(
            key: "\u{1}webhook:" + Hexadecimal.text(id), digest: Hexadecimal.text(SHA256.hash(data: body)))
    }
}
