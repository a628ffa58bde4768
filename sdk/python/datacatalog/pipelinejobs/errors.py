"""What can go wrong with a PipelineJob."""


class PipelineJobError(Exception):
    """The job could not be used in this way, or the daemon could not be reached."""


class JobCreateFailure(PipelineJobError):
    """`setup` did not make a job."""


class JobUpdateFailure(PipelineJobError):
    """An event was refused, and the job is as it was.

    `reason` is what the daemon says; `state` is where the job stands and `legal_events` what it would take now, where
    whoever asked may know.
    """

    def __init__(self, message, reason="", document=None):
        super().__init__("{}: {}".format(message, reason) if reason else message)
        document = document if isinstance(document, dict) else {}
        self.reason, self.state = reason, document.get("state")
        self.legal_events = list(document.get("legal_events") or [])
