"""A job as the daemon's catalogue has it: what both generations' clients do with it."""

import time
import urllib.parse
import uuid as uuids

from reactors.client import ApiError

from . import identity
from .errors import JobCreateFailure, JobUpdateFailure, PipelineJobError

MANAGER = "pipeline-jobs-manager"
_LOCAL_STATES = {"run": "RUNNING", "fail": "FAILED", "finish": "FINISHED", "reset": "RESET", "ready": "CREATED"}


class CatalogueJob:
    """Whoever builds on it has `_api`, `_local`, `_logger` and `_redact`, and makes the job with `_create`."""

    # Seconds that an event may take to be handled before its method gives up waiting.
    patience = 600
    create_failure, update_failure, general_failure = JobCreateFailure, JobUpdateFailure, PipelineJobError

    pipeline_uuid = session = None
    _uuid = _token = _callback = _data = _path = _token_events = _local_status = None
    _manager = MANAGER

    # What it is

    @property
    def data(self):
        """What is run: what was given, or the Reactor's message; None when there is neither."""
        return self._data

    @property
    def path(self):
        """Where outputs belong, below the archive."""
        return self._path

    @property
    def token(self):
        """What messages about the job must show, for 72 hours; None before `setup`."""
        return self._token

    @property
    def callback(self):
        """The URL that moves the job on, to which `&status=…` or `&event=…` is added; None before `setup`."""
        return self._callback

    @property
    def status(self):
        """Where the job stands now, `CREATED` or `RUNNING` and so on; None before `setup` and after `cancel`."""
        if self._uuid is None:
            return None
        return self._local_status if self._local else self._record().get("status")

    def get_status(self):
        return self.status

    @property
    def history(self):
        """What happened so far, oldest first: `[{'CREATE': {'date': …, 'data': …}}, {'RUN': …}]`."""
        if self._uuid is None or self._local:
            return []
        return self._record().get("history") or []

    def __repr__(self):
        return "<{} {}>".format(type(self).__name__, self.uuid)

    # What happens to it

    def run(self, data=None):
        """It is being worked on."""
        return self.handle("run", data)

    def update(self, data=None):
        """Something to remember happened while it runs."""
        return self.handle("update", data)

    def resource(self, data=None):
        """Something happened to what it needs: it was queued, staged and the like."""
        return self.handle("resource", data)

    def finish(self, data=None):
        """The work is done, and its outputs lie below `path`."""
        return self.handle("finish", data)

    def fail(self, data=None):
        """The work did not succeed. Without a job, `setup` not having come so far, there is nothing to fail."""
        if self._uuid is None:
            self._logger.warning("fail() before setup(): there is no job to fail")
            return self
        return self.handle("fail", data)

    def cancel(self):
        """Takes the job out of the catalogue, as if it never was; only before it runs."""
        if self._uuid is not None:
            self._remove("cancel", self._token)
        return self

    def handle(self, event, data=None):
        """Any event of the state machine by its name."""
        self._tell(event, data, self._token)
        return self

    # The daemon

    def _create(self, body):
        body = {key: value for key, value in body.items() if value is not None}
        try:
            record = self._api.patiently("POST", "/api/v1/jobs", body)
        except ApiError as error:
            raise self.create_failure(
                "Failed to create job for pipeline {}: {}".format(self.pipeline_uuid, error)) from None
        if not record.get("token"):
            raise self.create_failure(
                "Failed to create job for pipeline {}: {} exists and belongs to somebody else".format(
                    self.pipeline_uuid, record.get("uuid")))
        self._take(record)

    def _create_locally(self):
        self._uuid, self._token, self._local_status = self.uuid, "0" * 16, "CREATED"
        self._callback = "http://localhost/actors/v2/{}/messages?x-nonce=LOCALONLY&token={}&uuid={}".format(
            self._manager, self._token, self._uuid)
        self._logger.info("LOCALONLY: job %s is not recorded", self._uuid)

    def _take(self, record):
        """The catalogue's answer, whose word counts."""
        self._token_events = record.get("token_events")
        self._uuid, self._token, self._callback = record["uuid"], record["token"], record.get("callback")
        self._path, self._data = record.get("path", self._path), record.get("data", self._data)
        self._redact(self._token)
        parts = urllib.parse.urlsplit(self._callback or "")
        if "/actors/v2/" in parts.path:
            self._manager = parts.path.split("/actors/v2/")[1].split("/")[0]
        for nonce in urllib.parse.parse_qs(parts.query).get("x-nonce", []):
            self._redact(nonce)

    def _record(self):
        try:
            return self._api.patiently("GET", "/api/v1/jobs/" + urllib.parse.quote(self._uuid, safe=""))
        except ApiError as error:
            if error.status == 404:
                raise self.general_failure("there is no job {}".format(self._uuid)) from None
            raise self.general_failure("Job {} cannot be read: {}".format(self._uuid, error)) from None

    def _tell(self, event, data, token):
        """What is told is decided when this returns; answers what the catalogue says of it."""
        if self._uuid is None:
            raise self.general_failure("{}() before setup(): there is no job yet".format(event))
        if self._local:
            self._local_status = _LOCAL_STATES.get(event.lower(), self._local_status)
            self._logger.info("LOCALONLY: %s of job %s is not recorded", event, self._uuid)
            return {"status": self._local_status}
        message = {"uuid": self._uuid, "event": event, "token": token}
        if data is not None:
            message["data"] = checked(data, self.general_failure)
        # A token that is not the job's own is an admin's.
        is_allowed = token and (
            token != self._token or self._token_events is None or event.lower() in self._token_events)
        return self._send(message, event) if is_allowed else self._ask_as_owner(message, event)

    def _remove(self, action, token):
        if not self._local:
            self._send({"uuid": self._uuid, "action": action, "token": token}, action)
        self._uuid = self._token = self._callback = self._local_status = None

    def _send(self, message, event):
        """Sends it once, however often that takes, and waits until the catalogue has decided."""
        what = "Failed to {} job {}".format(event, self._uuid)
        path = "/actors/v2/{}/messages".format(urllib.parse.quote(self._manager, safe=""))
        try:
            answer = self._api.patiently(
                "POST", path, message, headers={"Idempotency-Key": "job-" + uuids.uuid4().hex})
            result = answer.get("result") or {}
            execution = self._ended(result.get("executionId") or result.get("execution_id"), what)
        except ApiError as error:
            raise self.update_failure(what, str(error)) from None
        if execution.get("outcome") != "succeeded":
            raise self.update_failure(what, execution.get("reason") or "it was refused", execution.get("result"))
        return execution.get("result") or {}

    def _ask_as_owner(self, message, event):
        """For what the token does not allow; whoever made the job may ask for it by name."""
        body = {name: message[name] for name in ("event", "data") if name in message}
        path = "/api/v1/jobs/{}/events".format(urllib.parse.quote(self._uuid, safe=""))
        try:
            return self._api.call("POST", path, body)
        except ApiError as error:
            what = "Failed to {} job {}".format(event, self._uuid)
            raise self.update_failure(what, error.document.get("detail") or str(error), error.document) from None

    def _ended(self, execution, what):
        deadline, pause = time.monotonic() + self.patience, 0.005
        while True:
            record = self._api.patiently("GET", "/api/v1/executions/{}".format(execution))
            if record.get("finished"):
                return record
            if time.monotonic() > deadline:
                raise self.update_failure(
                    what, "it was accepted, but not handled within {} seconds".format(self.patience))
            time.sleep(pause)
            pause = min(pause * 2, 0.5)


def checked(data, failure=PipelineJobError):
    """Data is an object; anything else becomes one."""
    if not isinstance(data, dict):
        return {"message": str(data)}
    try:
        identity.minified(data)
    except (TypeError, ValueError) as error:
        raise failure("data cannot be written as JSON: {}".format(error)) from None
    return data
