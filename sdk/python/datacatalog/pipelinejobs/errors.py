"""What can go wrong with a PipelineJob."""


class PipelineJobError(Exception):
    """The job could not be used in this way, or the daemon could not be reached."""


class JobCreateFailure(PipelineJobError):
    """`setup` did not make a job."""


class JobUpdateFailure(PipelineJobError):
    """An event was refused, and the job is as it was; `reason` is what the daemon says."""

    def __init__(self, message, reason=""):
        super().__init__("{}: {}".format(message, reason) if reason else message)
        self.reason = reason
