package import ActorCore

/// The job states of the Agave API, as callbacks report them, and the events they stand for (PipelineJobs, section 3).
package enum AgaveStatus {
    private static let events: [String: PipelineJobEvent] = [
        "CREATED": .resource, "UPDATED": .update, "DELETED": .fail, "PERMISSION_GRANT": .resource,
        "PERMISSION_REVOKE": .resource, "PENDING": .resource, "STAGING_INPUTS": .resource, "CLEANING_UP": .resource,
        "ARCHIVING": .resource, "STAGING_JOB": .resource, "FINISHED": .finish, "KILLED": .update, "FAILED": .fail,
        "STOPPED": .fail, "RUNNING": .run, "PAUSED": .resource, "QUEUED": .resource, "SUBMITTING": .resource,
        "STAGED": .resource, "PROCESSING_INPUTS": .resource, "ARCHIVING_FINISHED": .resource,
        "ARCHIVING_FAILED": .fail, "HEARTBEAT": .update,
    ]

    /// In any case; a state that is not listed says only that something happened.
    package static func event(for status: String) -> PipelineJobEvent { events[status.uppercased()] ?? .update }
}
