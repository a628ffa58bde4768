"""The message that moves a job, and who makes it."""

import time

from ..errors import PipelineJobError


class PipelineJobClientError(PipelineJobError):
    """A message that cannot be made or is not to be sent any more."""


class PipelineJobUpdateMessage:
    """`{uuid, token, event, data}`; other keys are dropped, data is `{}` unless it is given."""

    def __init__(self, **fields):
        for name in ("uuid", "token", "event"):
            if not fields.get(name):
                raise PipelineJobClientError('parameter "{}" is mandatory'.format(name))
        self.uuid, self.token, self.event = fields["uuid"], fields["token"], fields["event"]
        self.data = {} if fields.get("data") is None else fields["data"]

    def to_dict(self):
        return {"uuid": self.uuid, "token": self.token, "event": self.event, "data": self.data}


class PipelineJobClient:
    """Makes the messages; `handler`, of whoever builds on it, sends them."""

    def __init__(self, uuid=None, token=None, data=None):
        self.uuid, self.token = uuid, token
        self.data = {} if data is None else data
        self.status = None
        self._begun = time.monotonic()

    def setup(self):
        return self

    def run(self, message=None):
        return self._tell("run", message, "RUNNING")

    def update(self, message=None):
        return self._tell("update", message, self.status)

    def finish(self, message="Unspecified"):
        return self._tell("finish", self._closing(message), "FINISHED")

    def fail(self, message="Unspecified"):
        return self._tell("fail", self._closing(message), "FAILED")

    def handler(self, message):
        raise NotImplementedError("a client that sends messages says how")

    def _closing(self, message):
        elapsed = int((time.monotonic() - self._begun) * 1000000)
        return dict(_payload(message), elapsed="{} usec".format(elapsed))

    def _tell(self, event, message, status):
        if self.status in ("FAILED", "FINISHED"):
            raise PipelineJobClientError(
                "the job is in a terminal state, {}: it takes no {} any more".format(self.status, event))
        fields = PipelineJobUpdateMessage(uuid=self.uuid, token=self.token, event=event, data=_payload(message))
        self.handler(fields.to_dict())
        self.status = status
        return self


def _payload(message):
    if message is None:
        return {}
    return message if isinstance(message, dict) else {"message": str(message)}
