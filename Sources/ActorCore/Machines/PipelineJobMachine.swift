/// Where a PipelineJob stands (PipelineJobs, section 1.1).
package enum PipelineJobState: String, Sendable, CaseIterable {
    /// Inputs and configuration are recorded.
    case created = "CREATED"
    /// Processing.
    case running = "RUNNING"
    /// Did not complete.
    case failed = "FAILED"
    /// Computation done, outputs archived.
    case finished = "FINISHED"
    /// Outputs are being linked to metadata.
    case indexing = "INDEXING"
    /// Outputs are being checked.
    case validating = "VALIDATING"
    /// Outputs were found correct.
    case validated = "VALIDATED"
    /// Outputs are invalid.
    case rejected = "REJECTED"
    /// Outputs are released for general use.
    case finalized = "FINALIZED"
    /// Job and outputs are withdrawn.
    case retired = "RETIRED"
    /// Being cleaned for another run.
    case reset = "RESET"
}

/// What may happen to a PipelineJob (PipelineJobs, section 1.2).
package enum PipelineJobEvent: String, Sendable, CaseIterable {
    case create, run, update, resource, fail, finish, index, indexed, validate, validated, reject, finalize, retire,
        reset, ready

    /// In any case of its letters.
    package init?(named name: String) { self.init(rawValue: name.lowercased()) }

    /// Only an admin may cause them (section 4.10).
    package var needsAdmin: Bool { self == .reset || self == .ready }
}

/// The published state machine of a PipelineJob as one table: state and event in, next state or a refusal out.
package struct PipelineJobMachine: Sendable, Equatable {
    package private(set) var state: PipelineJobState
    package let edition: Edition

    package init(state: PipelineJobState = .created, edition: Edition = .current) {
        self.state = state
        self.edition = edition
    }

    /// The table has changed over the years (section 1.7); a pipeline may ask for an earlier one.
    package enum Edition: String, Sendable, CaseIterable {
        /// Eleven states, fifteen events.
        case current = "v2_head"
        /// The same without `fail` of what never ran; `retire` only at the end of a validation.
        case april2019 = "v2_0_0"
        /// Nine states, nine events: when the documentation of the first generation was written.
        case seedEra = "v1_seed_era"

        /// `v2`, `v2.0.0` and `v1` are taken too, in any case.
        package init?(named name: String) {
            let word = name.lowercased()
            let short: [String: Edition] = [
                "current": .current, "v2": .current, "2": .current, "v2.0.0": .april2019, "v1": .seedEra,
                "1": .seedEra,
            ]
            guard let edition = short[word] ?? Edition(rawValue: word) else { return nil }
            self = edition
        }
    }

    package enum Action: Sendable, Equatable {
        /// The event is accepted: append it to the history and move.
        case move(from: PipelineJobState, to: PipelineJobState)
        /// The event is not allowed here: the record stays as it is.
        case refuse(String)
    }

    /// The states that an event may come from, and where it leads; a nil target leaves the state as it is.
    package typealias Rule = (sources: [PipelineJobState], target: PipelineJobState?)

    package static let transitions: [PipelineJobEvent: Rule] = [
        .create: ([.created], .created),
        .run: ([.created, .running], .running),
        .update: ([.created, .running, .validating, .indexing], nil),
        .resource: ([.created, .running], nil),
        .fail: ([.created, .running, .validating, .indexing], .failed),
        .finish: ([.running, .finished], .finished),
        .index: ([.indexing, .finished], .indexing),
        .indexed: ([.finished, .indexing], .finished),
        .validate: ([.finished, .validated], .validating),
        .validated: ([.validated, .validating], .validated),
        .reject: ([.validating], .rejected),
        .finalize: ([.validated], .finalized),
        .retire: ([.failed, .finalized, .finished, .rejected, .validating, .validated], .retired),
        .reset: (PipelineJobState.allCases, .reset),
        .ready: ([.reset], .created),
    ]

    private static let april2019Transitions = transitions.merging([
        .fail: ([.running, .validating, .indexing], .failed), .retire: ([.rejected, .finalized], .retired),
    ]) { $1 }

    private static let seedEraTransitions: [PipelineJobEvent: Rule] = [
        .run: ([.created, .running], .running),
        .update: ([.running], nil),
        .fail: (states(of: .seedEra), .failed),
        .finish: ([.running, .finished], .finished),
        .validate: ([.finished], .validating),
        .validated: ([.validating], .validated),
        .reject: ([.validating], .rejected),
        .finalize: ([.validated], .finalized),
        .retire: ([.failed, .finished, .validating, .validated, .finalized], .retired),
    ]

    package static func transitions(of edition: Edition) -> [PipelineJobEvent: Rule] {
        switch edition {
        case .current: transitions
        case .april2019: april2019Transitions
        case .seedEra: seedEraTransitions
        }
    }

    package static func states(of edition: Edition) -> [PipelineJobState] {
        edition == .seedEra
            ? PipelineJobState.allCases.filter { $0 != .indexing && $0 != .reset } : PipelineJobState.allCases
    }

    /// In the order of the published table.
    package static func events(of edition: Edition) -> [PipelineJobEvent] {
        PipelineJobEvent.allCases.filter { transitions(of: edition)[$0] != nil }
    }

    package mutating func handle(_ event: PipelineJobEvent) -> Action {
        guard let next = Self.destination(of: event, from: state, edition) else {
            let isKnown = Self.transitions(of: edition)[event] != nil
            return .refuse(isKnown ? refusal(of: event) : Self.unknown(event.rawValue, edition))
        }
        let before = state
        state = next
        return .move(from: before, to: next)
    }

    /// The letters of the original (section 1.6): its first edition spelled states in lower case.
    private func refusal(of event: PipelineJobEvent) -> String {
        let place = edition == .seedEra ? state.rawValue.lowercased() : state.rawValue
        return "Can't trigger event \(event.rawValue) from state \(place)!"
    }

    /// What is said of a name that is no event.
    package static func unknown(_ name: String, _ edition: Edition = .current) -> String {
        let names = events(of: edition).map(\.rawValue).joined(separator: ", ")
        return "Unknown event \(name): it must be one of \(names)"
    }

    /// Where `event` leads from `state`, or nil when it is refused there.
    package static func destination(
        of event: PipelineJobEvent, from state: PipelineJobState, _ edition: Edition = .current
    ) -> PipelineJobState? {
        guard let rule = transitions(of: edition)[event], rule.sources.contains(state) else { return nil }
        return rule.target ?? state
    }

    /// The events that `state` accepts, in the order of the published table.
    package static func events(
        from state: PipelineJobState, _ edition: Edition = .current
    ) -> [PipelineJobEvent] {
        PipelineJobEvent.allCases.filter { destination(of: $0, from: state, edition) != nil }
    }
}
