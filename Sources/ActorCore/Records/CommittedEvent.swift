/// A fact that is on disk. Published after the commit, never before; feeds live pages, waiting callers, links.
package enum CommittedEvent: Sendable, Equatable {
    case messageAccepted(actor: ActorID, execution: ExecutionID)
    case executionStarted(actor: ActorID, execution: ExecutionID, attempt: Int)
    case executionFinished(actor: ActorID, execution: ExecutionID, status: ExecutionStatus, outcome: Outcome)
    case executionRetrying(actor: ActorID, execution: ExecutionID, at: Timestamp)
    case jobMoved(JobID, pipeline: PipelineID, status: PipelineJobState, event: PipelineJobEvent)
    case jobRefused(JobID, event: String)
    /// It has not moved for its pipeline's limit.
    case jobStalled(JobID, pipeline: PipelineID, since: Timestamp)
    /// `action` is cancel or delete.
    case jobDeleted(JobID, action: String)
    case documentChanged(kind: String, id: String)
    case deadLettered(actor: ActorID, execution: ExecutionID)
    case actorsChanged

    /// What a subscriber filters by.
    package enum Kind: String, Sendable, CaseIterable {
        case messageAccepted = "message.accepted"
        case executionStarted = "execution.started"
        case executionFinished = "execution.finished"
        case executionRetrying = "execution.retrying"
        case jobMoved = "job.moved"
        case jobRefused = "job.refused"
        case jobStalled = "job.stalled"
        case jobDeleted = "job.deleted"
        case documentChanged = "document.changed"
        case deadLettered = "dead_letter.parked"
        case actorsChanged = "actors.changed"
    }

    package var kind: Kind {
        switch self {
        case .messageAccepted: .messageAccepted
        case .executionStarted: .executionStarted
        case .executionFinished: .executionFinished
        case .executionRetrying: .executionRetrying
        case .jobMoved: .jobMoved
        case .jobRefused: .jobRefused
        case .jobStalled: .jobStalled
        case .jobDeleted: .jobDeleted
        case .documentChanged: .documentChanged
        case .deadLettered: .deadLettered
        case .actorsChanged: .actorsChanged
        }
    }

    /// `execution.finished`.
    package var type: String { kind.rawValue }

    /// The event as `/api/v1/events` sends it.
    package var json: JSONValue {
        switch self {
        case .messageAccepted(let actor, let execution):
            ["actor_id": .string(actor.rawValue), "execution_id": .string(execution.rawValue)]
        case .executionStarted(let actor, let execution, let attempt):
            [
                "actor_id": .string(actor.rawValue), "execution_id": .string(execution.rawValue),
                "attempt": JSONValue(attempt),
            ]
        case .executionFinished(let actor, let execution, let status, let outcome):
            [
                "actor_id": .string(actor.rawValue), "execution_id": .string(execution.rawValue),
                "status": .string(status.rawValue), "outcome": .string(outcome.rawValue),
            ]
        case .executionRetrying(let actor, let execution, let at):
            [
                "actor_id": .string(actor.rawValue), "execution_id": .string(execution.rawValue),
                "at": .string(at.iso8601),
            ]
        case .jobMoved(let job, let pipeline, let status, let event):
            [
                "uuid": .string(job.rawValue), "pipeline_uuid": .string(pipeline.rawValue),
                "status": .string(status.rawValue), "event": .string(event.rawValue),
            ]
        case .jobRefused(let job, let event): ["uuid": .string(job.rawValue), "event": .string(event)]
        case .jobStalled(let job, let pipeline, let since):
            [
                "uuid": .string(job.rawValue), "pipeline_uuid": .string(pipeline.rawValue),
                "since": .string(since.iso8601),
            ]
        case .jobDeleted(let job, let action): ["uuid": .string(job.rawValue), "action": .string(action)]
        case .documentChanged(let kind, let id): ["kind": .string(kind), "id": .string(id)]
        case .deadLettered(let actor, let execution):
            ["actor_id": .string(actor.rawValue), "execution_id": .string(execution.rawValue)]
        case .actorsChanged: [:]
        }
    }

    /// The actor whose message or execution it is about; nil when it is about something else.
    package var actor: ActorID? {
        switch self {
        case .messageAccepted(let actor, _), .executionStarted(let actor, _, _), .executionFinished(let actor, _, _, _),
            .executionRetrying(let actor, _, _), .deadLettered(let actor, _):
            actor
        default: nil
        }
    }

    /// The job that it is about; nil when it is about something else.
    package var job: JobID? {
        switch self {
        case .jobMoved(let job, _, _, _), .jobRefused(let job, _), .jobStalled(let job, _, _), .jobDeleted(let job, _):
            job
        default: nil
        }
    }

    /// The pipeline of that job, where the event says it.
    package var pipeline: PipelineID? {
        switch self {
        case .jobMoved(_, let pipeline, _, _), .jobStalled(_, let pipeline, _): pipeline
        default: nil
        }
    }
}
