import ActorCore
import ActorRuntime
import HTTPTypes
import Hummingbird

extension HTTPFront {
    /// Sends a message to the actor that keeps jobs or pipelines and answers what it answered. What it does and
    /// refuses it writes into the audit log itself.
    ///
    /// - Parameter owner: of the thing in question, if it is there.
    func ask(
        _ keeper: String, _ body: JSONValue, _ caller: Caller, owner: String?, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let spec = try actor(keeper, caller, .execute)
        var environment: [EnvironmentEntry] = []
        if let said = authority(of: caller, owner: owner, body).word {
            environment.append(EnvironmentEntry(JobAuthority.variable, said))
        }
        let record = try await system.ask(
            MessageDraft(
                actor: spec.id, body: JSONWriter.bytes(body), environment: environment, sender: caller.username),
            timeoutMilliseconds: 30000)
        guard record.outcome == .succeeded, let result = record.result else { throw KeeperRefusal(record) }
        return .json(result, status: status)
    }

    /// A token that is shown counts as shown: who tries one wants to know whether it opens.
    private func authority(of caller: Caller, owner: String?, _ body: JSONValue) -> JobAuthority {
        guard caller.nonce == nil, body["token"] == nil else { return .token(nil) }
        if caller.isAdmin { return .admin }
        return owner == caller.username ? .owner : .token(nil)
    }
}

/// A refusal of an actor that keeps jobs or pipelines, on its way to the error middleware.
struct KeeperRefusal: Error {
    let code: ActorError.Code
    let message: String
    let execution: ExecutionID
    /// What the answer has beside the sentence: how the job stands, and what it would take.
    let facts: [JSONValue.Member]

    init(_ record: ExecutionRecord) {
        let error = record.result?["error"]
        let word = error?["code"]?.string.flatMap(ActorError.Code.init(rawValue:))
        self.code = word ?? .refusedTransition
        self.message = error?["message"]?.string ?? record.reason ?? "nothing was changed"
        self.execution = record.id
        self.facts = ["uuid", "state", "legal_events"].compactMap { name in
            record.result?[name].flatMap { $0.isNull ? nil : JSONValue.Member(name, $0) }
        }
    }
}
