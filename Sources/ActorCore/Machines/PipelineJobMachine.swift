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
}

/// The published state machine of a PipelineJob as one table: state and event in, next state or a refusal out.
package struct PipelineJobMachine: Sendable, Equatable {
    package private(set) var state: PipelineJobState

    package init(state: PipelineJobState = .created) { self.state = state }

    package enum Action: Sendable, Equatable {
        /// The event is accepted: append it to the history and move.
        case move(from: PipelineJobState, to: PipelineJobState)
        /// The event is not allowed here: the record stays as it is.
        case refuse(String)
    }

    /// Event to (states it may come from, where it leads); a nil target leaves the state as it is.
    package static let transitions: [PipelineJobEvent: (sources: [PipelineJobState], target: PipelineJobState?)] = [
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

    package mutating func handle(_ event: PipelineJobEvent) -> Action {
        guard let next = Self.destination(of: event, from: state) else {
            return .refuse("Can't trigger event \(event.rawValue) from state \(state.rawValue)!")
        }
        let before = state
        state = next
        return .move(from: before, to: next)
    }

    /// Where `event` leads from `state`, or nil when it is refused there.
    package static func destination(of event: PipelineJobEvent, from state: PipelineJobState) -> PipelineJobState? {
        guard let rule = transitions[event], rule.sources.contains(state) else { return nil }
        return rule.target ?? state
    }

    /// The events that `state` accepts, in the order of the published table.
    package static func events(from state: PipelineJobState) -> [PipelineJobEvent] {
        PipelineJobEvent.allCases.filter { destination(of: $0, from: state) != nil }
    }
}
