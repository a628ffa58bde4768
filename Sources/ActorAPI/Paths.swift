internal import ActorCore

/// Every path of the HTTP API in one place, so that the server and its clients cannot drift apart.
package enum Paths {
    /// The daemon's own API: snake_case, problem+json.
    package static let root = "/api/v1"
    /// The prefixes under which the actors API is served: second generation, third, and behind a gateway.
    package static let actorPrefixes = ["/actors/v2", "/v3/actors", "/actors"]

    package static let health = "/healthz"
    package static let ready = "/readyz"
    package static let page = "/ui/"
    /// What there is, as OpenAPI describes it.
    package static let description = "/openapi.json"

    package static let actors = root + "/actors"
    package static let executions = root + "/executions"
    package static let jobs = root + "/jobs"
    package static let stateMachine = root + "/fsm"
    package static let stateMachineDrawing = stateMachine + ".svg"
    package static let adminToken = root + "/admin-token"
    package static let pipelines = root + "/pipelines"
    package static let uploads = root + "/uploads"
    package static let jobSets = root + "/job-sets"
    package static let deadLetters = root + "/dead-letters"
    package static let events = root + "/events"
    package static let audit = root + "/audit"
    package static let importAbaco = root + "/import/abaco"
    package static let subscriptions = root + "/subscriptions"

    package static func actor(_ word: String) -> String { "\(actors)/\(escaped(word))" }
    package static func nonces(_ word: String) -> String { "\(actor(word))/nonces" }
    package static func execution(_ id: String) -> String { "\(executions)/\(escaped(id))" }
    package static func log(_ execution: String) -> String { "\(Self.execution(execution))/logs" }
    package static let jobCounts = jobs + "/counts"
    package static let callbackMaps = root + "/callback-maps"
    package static let watches = root + "/watches"
    package static func watch(_ id: String) -> String { "\(watches)/\(escaped(id))" }
    package static func files(_ uuid: String) -> String { "\(job(uuid))/files" }
    /// `path` may have slashes.
    package static func file(_ path: String, of uuid: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return "\(files(uuid))/\(parts.map { escaped(String($0)) }.joined(separator: "/"))"
    }
    package static func jobLogs(_ uuid: String) -> String { "\(job(uuid))/logs" }
    package static func graph(_ uuid: String) -> String { "\(job(uuid))/graph" }
    package static func crate(_ uuid: String) -> String { "\(job(uuid))/ro-crate" }
    package static func job(_ uuid: String) -> String { "\(jobs)/\(escaped(uuid))" }
    package static func history(_ uuid: String) -> String { "\(job(uuid))/history" }
    package static func jobEvents(_ uuid: String) -> String { "\(job(uuid))/events" }
    package static func jobToken(_ uuid: String) -> String { "\(job(uuid))/token" }
    package static func pipeline(_ uuid: String) -> String { "\(pipelines)/\(escaped(uuid))" }
    package static func upload(_ id: String) -> String { "\(uploads)/\(escaped(id))" }
    /// Where one file of an upload is put; `path` may have slashes.
    package static func uploadFile(_ name: String, path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return "\(upload(name))/\(parts.map { escaped(String($0)) }.joined(separator: "/"))"
    }
    package static func uploadDone(_ name: String) -> String { "\(upload(name))/done" }
    package static func deadLetter(_ id: Int64) -> String { "\(deadLetters)/\(id)" }
    package static func replay(_ deadLetter: Int64) -> String { "\(Self.deadLetter(deadLetter))/replay" }
    package static let replayAll = deadLetters + "/replay"

    package static func subscription(_ id: String) -> String { "\(subscriptions)/\(escaped(id))" }
    package static func rotate(_ subscription: String) -> String { "\(Self.subscription(subscription))/rotate" }
    package static func testEvent(_ subscription: String) -> String { "\(Self.subscription(subscription))/test" }
    package static func deliveries(_ subscription: String) -> String {
        "\(Self.subscription(subscription))/deliveries"
    }
    package static func resend(_ delivery: Int64, of subscription: String) -> String {
        "\(deliveries(subscription))/\(delivery)/resend"
    }

    /// Where messages for one actor go, in the second generation's spelling.
    package static func messages(_ word: String) -> String { "\(actorPrefixes[0])/\(escaped(word))/messages" }

    /// `path?a=1&b=2`, without the parameters that are nil.
    package static func query(_ path: String, _ parameters: [(String, String?)]) -> String {
        let pairs = parameters.compactMap { name, value in value.map { "\(escaped(name))=\(escaped($0))" } }
        return pairs.isEmpty ? path : "\(path)?\(pairs.joined(separator: "&"))"
    }

    package static func escaped(_ text: String) -> String { PercentText.escaped(text) }
}
