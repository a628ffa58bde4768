"""What can go wrong with a managed job."""

from datacatalog.pipelinejobs.errors import JobUpdateFailure


class ManagedPipelineJobError(JobUpdateFailure):
    """The job was not made, or an event was refused and the job is as it was: `reason`, `state`, `legal_events`."""
