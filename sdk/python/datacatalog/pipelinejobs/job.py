"""The client of the job catalogue that scripts use."""

import time
import urllib.parse
import uuid as uuids

from reactors.attrdict import AttrDict
from reactors.client import ApiError

from . import identity
from .errors import JobCreateFailure, JobUpdateFailure, PipelineJobError

MANAGER = "pipeline-jobs-manager"
_LOCAL_STATES = {"run": "RUNNING", "fail": "FAILED", "finish": "FINISHED"}


class PipelineJob:
    """One run of a pipeline for a sample or a measurement of an experiment.

        job = PipelineJob(rx, 'UW_BIOFAB', 'Yeast-Gates', 'sample.uw_biofab.133737/A2')
        job.setup().run({'started': 'now'})

    The pipeline is `pipelines.pipeline_uuid` of config.yml. `data` (the Reactor's message unless it is given) says what
    is run: the same actor with the same data is the same job, whatever else differs. Every event is handled before its
    method returns: it returns the job itself, so that calls can be chained, or raises JobUpdateFailure.
    """

    # Seconds that an event may take to be handled before its method gives up waiting.
    patience = 600

    def __init__(
        self, reactor, lab_name, experiment_reference, sample_id=None, measurement_id=None, data=None, session=None
    ):
        self._reactor = reactor
        self.lab_name, self.experiment_reference = lab_name, experiment_reference
        self.sample_id, self.measurement_id = sample_id, measurement_id
        settings = reactor.settings.get("pipelines")
        self._settings = settings if isinstance(settings, dict) else AttrDict()
        self.pipeline_uuid = self._settings.get("pipeline_uuid")
        if not self.pipeline_uuid:
            raise PipelineJobError(
                "pipelines.pipeline_uuid is missing in config.yml: it names the pipeline that this job is a run of")
        self.session = session or reactor.session
        self._path = identity.archive_path(
            self.pipeline_uuid, lab_name, experiment_reference, measurement_id, self.session)
        self._data = _object(data) if data is not None else (reactor.context["message_dict"] or None)
        self._uuid = self._token = self._callback = None
        self._token_events = None
        self._manager = self._settings.get("job_manager_id") or MANAGER
        self._local_status = None

    @classmethod
    def attach(cls, reactor, uuid, token):
        """A job that an earlier execution set up, by the uuid and the token that it kept (`rx.state`, for instance)."""
        job = cls.__new__(cls)
        settings = reactor.settings.get("pipelines")
        job._reactor, job._settings = reactor, settings if isinstance(settings, dict) else AttrDict()
        job._uuid, job._token, job._local_status, job._token_events = uuid, token, None, None
        job._manager = job._settings.get("job_manager_id") or MANAGER
        reactor.redact(token)
        record = {} if reactor.local else job._record()
        job._callback = record.get("callback")
        job._data, job._path = record.get("data"), record.get("path")
        job.pipeline_uuid, job.session = record.get("pipeline_uuid"), record.get("session")
        job.lab_name = job.experiment_reference = job.sample_id = job.measurement_id = None
        return job

    # What it is

    @property
    def uuid(self):
        """The job's id; before `setup` the one that it is going to have if no more data comes."""
        return self._uuid or identity.job_uuid(self._reactor.uid, self._data)

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
        return self._local_status if self._reactor.local else self._record().get("status")

    def get_status(self):
        return self.status

    @property
    def history(self):
        """What happened so far, oldest first: `[{'CREATE': {'date': …, 'data': …}}, {'RUN': …}]`."""
        if self._uuid is None or self._reactor.local:
            return []
        return self._record().get("history") or []

    def __repr__(self):
        return "<PipelineJob {}>".format(self.uuid)

    # What happens to it

    def setup(self, data=None):
        """Makes the job, CREATED; `data` is added to what it has. A job of the same actor and data is found again."""
        if data is not None:
            self._data = dict(self._data or {}, **_object(data))
        if self._reactor.local:
            self._uuid, self._token, self._local_status = self.uuid, "0" * 16, "CREATED"
            self._callback = "http://localhost/actors/v2/{}/messages?x-nonce=LOCALONLY&token={}&uuid={}".format(
                self._manager, self._token, self._uuid)
            self._reactor.logger.info("LOCALONLY: job %s is not recorded", self._uuid)
            return self
        body = {
            "pipeline_uuid": self.pipeline_uuid, "data": self._data, "archive_path": self._path,
            "session": self.session, "actor_id": self._reactor.uid, "lab": self.lab_name,
            "experiment": self.experiment_reference, "sample": self.sample_id, "measurement": self.measurement_id,
        }
        body = {key: value for key, value in body.items() if value is not None}
        try:
            record = self._api.patiently("POST", "/api/v1/jobs", body)
        except ApiError as error:
            raise JobCreateFailure(
                "Failed to create job for pipeline {}: {}".format(self.pipeline_uuid, error)) from None
        self._take(record)
        return self

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
            self._reactor.logger.warning("fail() before setup(): there is no job to fail")
            return self
        return self.handle("fail", data)

    def cancel(self):
        """Takes the job out of the catalogue, as if it never was; only before it runs."""
        if self._uuid is None:
            return self
        if not self._reactor.local:
            self._send({"uuid": self._uuid, "action": "cancel", "token": self._token}, "cancel")
        self._uuid = self._token = self._callback = self._local_status = None
        return self

    def handle(self, event, data=None):
        """Any event of the state machine by its name."""
        if self._uuid is None:
            raise PipelineJobError("{}() before setup(): there is no job yet".format(event))
        if self._reactor.local:
            self._local_status = _LOCAL_STATES.get(event.lower(), self._local_status)
            self._reactor.logger.info("LOCALONLY: %s of job %s is not recorded", event, self._uuid)
            return self
        message = {"uuid": self._uuid, "event": event, "token": self._token}
        if data is not None:
            message["data"] = _object(data)
        if self._token_events is None or event.lower() in self._token_events:
            self._send(message, event)
        else:
            self._ask_as_owner(message, event)
        return self

    # The daemon

    @property
    def _api(self):
        return self._reactor.client.api

    def _take(self, record):
        """The catalogue's answer, whose word counts."""
        if not record.get("token"):
            raise JobCreateFailure(
                "Failed to create job for pipeline {}: {} exists and belongs to somebody else".format(
                    self.pipeline_uuid, record.get("uuid")))
        self._token_events = record.get("token_events")
        self._uuid, self._token, self._callback = record["uuid"], record["token"], record.get("callback")
        self._path, self._data = record.get("path", self._path), record.get("data", self._data)
        self._reactor.redact(self._token)
        parts = urllib.parse.urlsplit(self._callback or "")
        if "/actors/v2/" in parts.path:
            self._manager = parts.path.split("/actors/v2/")[1].split("/")[0]
        for nonce in urllib.parse.parse_qs(parts.query).get("x-nonce", []):
            self._reactor.redact(nonce)

    def _record(self):
        try:
            return self._api.patiently("GET", "/api/v1/jobs/" + urllib.parse.quote(self._uuid, safe=""))
        except ApiError as error:
            if error.status == 404:
                raise PipelineJobError("there is no job {}".format(self._uuid)) from None
            raise PipelineJobError("Job {} cannot be read: {}".format(self._uuid, error)) from None

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
            raise JobUpdateFailure(what, str(error)) from None
        if execution.get("outcome") != "succeeded":
            raise JobUpdateFailure(what, execution.get("reason") or "it was refused", execution.get("result"))

    def _ask_as_owner(self, message, event):
        """For what the token does not allow; whoever made the job may ask for it by name."""
        body = {name: message[name] for name in ("event", "data") if name in message}
        path = "/api/v1/jobs/{}/events".format(urllib.parse.quote(self._uuid, safe=""))
        try:
            self._api.call("POST", path, body)
        except ApiError as error:
            what = "Failed to {} job {}".format(event, self._uuid)
            raise JobUpdateFailure(what, error.document.get("detail") or str(error), error.document) from None

    def _ended(self, execution, what):
        deadline, pause = time.monotonic() + self.patience, 0.005
        while True:
            record = self._api.patiently("GET", "/api/v1/executions/{}".format(execution))
            if record.get("finished"):
                return record
            if time.monotonic() > deadline:
                raise JobUpdateFailure(
                    what, "it was accepted, but not handled within {} seconds".format(self.patience))
            time.sleep(pause)
            pause = min(pause * 2, 0.5)


def _object(data):
    """Data is an object; anything else becomes one."""
    if not isinstance(data, dict):
        return {"message": str(data)}
    try:
        identity.minified(data)
    except (TypeError, ValueError) as error:
        raise PipelineJobError("data cannot be written as JSON: {}".format(error)) from None
    return data
