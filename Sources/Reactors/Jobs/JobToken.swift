package import ActorCore
import Crypto
import FoundationEssentials

/// The word that a job's callbacks must show: made once, constant for the job's life (section 4.10, first generation).
package enum JobToken {
    /// The first 16 hex digits of SHA-256 of `pepper:pipeline:job:salt`.
    package static func make(pepper: String, pipeline: PipelineID, job: JobID, salt: String) -> String {
        String(Fingerprint.sha256(Array("\(pepper):\(pipeline):\(job):\(salt)".utf8)).prefix(16))
    }

    /// Base64 of the random bytes given as hex.
    package static func salt(randomHex: String) -> String {
        Data(HexText.decode(randomHex) ?? []).base64EncodedString()
    }

    /// Takes the same time whatever the two texts are: digests of one length are compared to the last byte.
    package static func matches(_ shown: String, _ expected: String) -> Bool {
        let pair = zip(SHA256.hash(data: Array(shown.utf8)), SHA256.hash(data: Array(expected.utf8)))
        return pair.reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
