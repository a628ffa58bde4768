package import ActorCore
import Crypto
import FoundationEssentials

/// The word that a job's callbacks must show: made once, constant for the job's life (section 4.10).
package enum JobToken {
    private static let length = 16

    /// First generation: of `pepper:pipeline:job:salt`.
    package static func make(pepper: String, pipeline: PipelineID, job: JobID, salt: String) -> String {
        hash("\(pepper):\(pipeline):\(job):\(salt)")
    }

    /// Of a pipeline of the first generation: of `pepper:pipeline:salt`.
    package static func make(pepper: String, pipeline: PipelineID, salt: String) -> String {
        hash("\(pepper):\(pipeline):\(salt)")
    }

    /// Second generation, jobs and pipelines: of the salt and of what Python prints for the record's identity.
    package static func make(salt: String, uuid: String, owner: String, tenant: String) -> String {
        make(salt: salt, fields: [[.string(uuid), ["owner": .string(owner), "tenant": .string(tenant)]]])
    }

    /// - Parameter fields: a text is taken as it is, anything else as Python prints it.
    package static func make(salt: String, fields: [JSONValue]) -> String {
        hash(([salt] + fields.map { $0.string ?? PythonText.repr($0) }).joined(separator: ":"))
    }

    /// Base64 of the random bytes given as hex; the second generation wrote it in lower case.
    package static func salt(randomHex: String, _ generation: JobGeneration = .first) -> String {
        let salt = Data(Hexadecimal.bytes(randomHex) ?? []).base64EncodedString()
        return generation == .first ? salt : salt.lowercased()
    }

    /// Takes the same time whatever the two texts are: digests of one length are compared to the last byte.
    package static func matches(_ shown: String, _ expected: String) -> Bool {
        ConstantTime.areEqual(
            Array(SHA256.hash(data: Array(shown.utf8))), Array(SHA256.hash(data: Array(expected.utf8))))
    }

    private static func hash(_ text: String) -> String {
        String(Fingerprint.sha256(Array(text.utf8)).prefix(length))
    }
}
