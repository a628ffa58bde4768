package import ActorCore

/// Why something was not done to a job: a sentence for people, and what a program needs to do better.
package struct JobRefusal: Sendable, Equatable {
    package var code: ActorError.Code
    package var message: String
    /// How the job stands, and what it would have accepted instead; nil where the asker may not know.
    package var state: PipelineJobState?
    package var legalEvents: [PipelineJobEvent] = []

    package init(
        _ code: ActorError.Code, _ message: String, state: PipelineJobState? = nil,
        legalEvents: [PipelineJobEvent] = []
    ) {
        self.code = code
        self.message = message
        self.state = state
        self.legalEvents = legalEvents
    }

    /// The same for a wrong token, one that has expired, and none: a guess learns nothing from it.
    package static let token = JobRefusal(.forbidden, "Token is not valid")

    package static func unknownJob(_ uuid: JobID) -> JobRefusal {
        JobRefusal(.notFound, "\(uuid) is not a valid job ID")
    }

    /// What an execution answers that refused something.
    package func json(of uuid: JobID?) -> JSONValue {
        var json: JSONValue = [
            "error": ["code": .string(code.rawValue), "message": .string(message)],
            "uuid": JSONValue(uuid?.rawValue),
        ]
        if let state {
            json = json.setting("status", .string(state.rawValue)).setting("state", .string(state.rawValue))
            json = json.setting("legal_events", .array(legalEvents.map { .string($0.rawValue) }))
        }
        return json
    }

    /// Of a message that could not be read.
    package init(_ failure: ReactorFailure) { self.init(.invalidInput, failure.message) }
}
