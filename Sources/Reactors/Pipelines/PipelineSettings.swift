package import ActorCore

/// How a pipeline wants its jobs treated, read from `settings` of its record.
package struct PipelineSettings: Sendable, Equatable {
    /// The state machine of new jobs.
    package var machine = PipelineJobMachine.Edition.current
    /// What the tokens of new jobs may do; nil leaves it to the house.
    package var tokenEvents: [PipelineJobEvent]?
    /// How long the tokens of new jobs are valid; nil leaves it to the house.
    package var tokenHours: Double?

    package init() {}

    /// Keys that it does not know belong to other parts and are left to them.
    package init(_ json: JSONValue) throws(ReactorFailure) {
        if let value = json["machine"], !value.isNull {
            guard let edition = value.string.flatMap(PipelineJobMachine.Edition.init(named:)) else {
                let names = PipelineJobMachine.Edition.allCases.map(\.rawValue).joined(separator: ", ")
                throw ReactorFailure(.refused, "settings/machine: must be one of \(names)")
            }
            machine = edition
        }
        if let value = json["token_events"], !value.isNull {
            tokenEvents = try Self.tokenEvents(value, at: "settings/token_events")
        }
        if let value = json["token_hours"], !value.isNull {
            tokenHours = try Self.hours(value, at: "settings/token_hours")
        }
        try PipelineTreatment.check(json)
    }

    /// What a token may do: a list of events, without those that need an admin; `*` is all of them.
    package static func tokenEvents(
        _ json: JSONValue, at place: String
    ) throws(ReactorFailure) -> [PipelineJobEvent] {
        let all = PipelineJobEvent.allCases.filter { !$0.needsAdmin && $0 != .create }
        if json == "*" || json == ["*"] { return all }
        let named = json.array?.compactMap { $0.string.flatMap(PipelineJobEvent.init(named:)) }
        guard let named, named.count == json.array?.count, named.allSatisfy(all.contains) else {
            let names = all.map(\.rawValue).joined(separator: ", ")
            throw ReactorFailure(.refused, "\(place): must be a list of \(names), or \"*\" for all of them")
        }
        return all.filter(named.contains)
    }

    package static func hours(_ json: JSONValue, at place: String) throws(ReactorFailure) -> Double {
        guard let hours = json.double, hours > 0, hours <= 24 * 3660 else {
            throw ReactorFailure(.refused, "\(place): must be a number of hours above 0, at most ten years")
        }
        return hours
    }
}
