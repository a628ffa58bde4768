"""The client of an actor that was told about a job in its message."""

from .client import PipelineJobClient, PipelineJobClientError, PipelineJobUpdateMessage

__all__ = ["PipelineJobClient", "PipelineJobClientError", "PipelineJobUpdateMessage", "ReactorsPipelineJobClient"]


class ReactorsPipelineJobClient(PipelineJobClient):
    """Takes uuid and token from the message: `pipelinejob`, `__options.pipelinejob` or `options.pipelinejob`."""

    def __init__(self, reactor, reactor_msg, **_):
        details = _details(reactor_msg)
        if details is None:
            raise PipelineJobClientError(
                "Failed to find job details in message: it needs {'pipelinejob': {'uuid': ..., 'token': ...}}")
        super().__init__(details["uuid"], details["token"], details.get("data"))
        self._reactor = reactor
        pipelines = reactor.settings.get("pipelines")
        manager = pipelines.get("job_manager_id") if isinstance(pipelines, dict) else None
        self._manager = manager or "pipeline-jobs-manager"
        if hasattr(reactor, "redact"):
            reactor.redact(self.token)

    def handler(self, message):
        self._reactor.send_message(self._manager, message, retryMaxAttempts=3)


def _details(message):
    for holder in (message, message.get("__options"), message.get("options")):
        details = holder.get("pipelinejob") if isinstance(holder, dict) else None
        if isinstance(details, dict) and details.get("uuid") and details.get("token"):
            return details
    return None
