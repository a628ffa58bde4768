"""What a new managed job and one that is there already have in common."""

import logging
import os

from datacatalog.pipelinejobs.catalogue import CatalogueJob
from reactors.client import Api
from reactors.reactor import is_true

from .errors import ManagedPipelineJobError

_NOTIFICATIONS = (
    ("RUNNING", True, "${JOB_STATUS}"), ("FINISHED", False, "FINISHED"), ("FAILED", False, "${JOB_STATUS}"))


class ManagedJob(CatalogueJob):
    """Events return the job, which can be read like the record of old: `job.run()['state']`, `job.get('token')`."""

    create_failure = update_failure = general_failure = ManagedPipelineJobError

    def __init__(self, pipelines=None, reactor=None):
        self._reactor = reactor
        self._own_api = None if reactor else Api.from_environment()
        self._own_logger = logging.getLogger("datacatalog")
        self._answer = {}
        pipelines = pipelines if isinstance(pipelines, dict) else {}
        self._manager = pipelines.get("job_manager_id") or self._manager

    @property
    def _api(self):
        return self._reactor.client.api if self._reactor else self._own_api

    @property
    def _local(self):
        return self._reactor.local if self._reactor else is_true(os.environ.get("LOCALONLY", ""))

    @property
    def _logger(self):
        return self._reactor.logger if self._reactor else self._own_logger

    def _redact(self, text):
        if self._reactor:
            self._reactor.redact(text)

    # Reading it

    @property
    def state(self):
        return self.status

    @property
    def archive_path(self):
        return self.path

    @property
    def last_event(self):
        return self["last_event"] if self._answer else None

    @property
    def history(self):
        """What happened so far, oldest first: `[{'name': 'create', 'date': …, 'data': …, 'uuid': '108…'}]`."""
        if self._uuid is None or self._local:
            return []
        return self._api.patiently("GET", "/api/v1/jobs/{}/history".format(self._uuid), query={"form": "2"})["history"]

    def to_dict(self):
        record = {
            "uuid": self._uuid, "token": self._token, "_update_token": self._token, "callback": self._callback,
            "pipeline_uuid": self.pipeline_uuid, "archive_path": self._path, "data": self._data,
            "session": self.session,
        }
        return dict(record, **self._answer)

    def get(self, name, default=None):
        return self.to_dict().get(name, default)

    def __getitem__(self, name):
        return self.to_dict()[name]

    def __contains__(self, name):
        return name in self.to_dict()

    def __iter__(self):
        return iter(self.to_dict())

    def keys(self):
        return self.to_dict().keys()

    # What happens to it

    def handle(self, event, data=None, token=None):
        """Any event by its name, or as it is sent: `{'name': 'update', 'data': {…}, 'token': …}`."""
        if isinstance(event, dict):
            other = event.get("uuid")
            if other and other != self._uuid:
                raise ManagedPipelineJobError("The event is one of job {} and not of {}".format(other, self._uuid))
            data = event.get("data") if data is None else data
            token, event = token or event.get("token"), event.get("name") or event.get("event")
            if not event:
                raise ManagedPipelineJobError("The event has no name")
        # An admin's event without an admin's token is asked for by name, which an admin may.
        needs_admin = event.lower() in ("reset", "ready")
        answer = self._tell(event, data, token or (None if needs_admin else self._token))
        self._answer = {name: answer[name] for name in ("status", "state", "last_event", "revision") if name in answer}
        self._answer.setdefault("state", self._answer.get("status"))
        return self

    def index(self, data=None, filters=None, token=None):
        """Its files are read; `filters` stand in for the patterns that it was made with."""
        data = dict(data or {}, filters=filters) if filters is not None else data
        return self.handle("index", data, token)

    def indexed(self, data=None, token=None):
        return self.handle("indexed", data, token)

    def ready(self, data=None, token=None):
        """CREATED again after a reset. Needs an admin, or an admin's token."""
        return self.handle("ready", data, token)

    def reset(self, data=None, token=None, no_clear_path=False, permissive=False):
        """CREATED again, without the files of the earlier run. Needs an admin, or an admin's token."""
        data = dict(data or {})
        data.update({
            name: True for name, value in (("no_clear_path", no_clear_path), ("permissive", permissive)) if value})
        return self.handle("reset", data or None, token).ready(token=token)

    def delete(self, token=None):
        """Takes the job out of the catalogue, whatever it did; its files stay. Needs an admin's token."""
        if self._uuid is not None:
            self._remove("delete", token or "")
            self._answer = {}
        return self

    def agave_notifications(self):
        """What a job of Agave is to be submitted with, so that it moves this one."""
        if not self._callback:
            raise ManagedPipelineJobError("agave_notifications() before setup(): there is no callback yet")
        return [
            {"event": event, "persistent": persistent, "url": "{}&status={}".format(self._callback, status)}
            for event, persistent, status in _NOTIFICATIONS
        ]
