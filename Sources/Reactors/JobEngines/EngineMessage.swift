package import ActorCore

/// What the actor that keeps the jobs of engines is told.
package enum EngineMessage: Sendable, Equatable {
    /// From the actor that made the job: have an engine run it.
    case run(JobRunMessage)
    /// From a person: run this job file, wherever it says.
    case start(JobStart)
    /// From the watch of the engines.
    case word(EngineWord)

    package static func decode(_ json: JSONValue?) throws(ReactorFailure) -> EngineMessage {
        if let json, json["kind"]?.string == "start" { return .start(try JobStart.decode(json)) }
        guard json?["kind"]?.string != "run" else { return .run(try JobRunMessage.decode(json)) }
        guard let json, let word = EngineWord(json: json) else {
            throw ReactorFailure(
                .refused, "/kind: must be \"start\" with a job file, or \"run\" from the actor that made the job")
        }
        return .word(word)
    }
}

/// What the watch of an engine has to say of one job.
package struct EngineWord: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// The moment has come that the job waits for.
        case due
        /// The job is not open any more in the catalogue.
        case withdraw
        case seen(EngineWatchRules.Sight)
    }

    package let job: JobID
    /// The state of the job that it was said of.
    package let revision: Int
    package let content: Content

    init?(json: JSONValue) {
        guard let job = json["job"]?.string, let revision = json["revision"]?.int else { return nil }
        self.job = JobID(job)
        self.revision = revision
        switch json["kind"]?.string {
        case "due": content = .due
        case "withdraw": content = .withdraw
        case "seen":
            if let trouble = json["trouble"]?.string {
                content = .seen(.unreachable(trouble))
            } else if let observation = json["observation"] {
                guard let read = EngineObservation(json: observation) else { return nil }
                content = .seen(.observed(read))
            } else {
                content = .seen(.absent)
            }
        default: return nil
        }
    }
}
