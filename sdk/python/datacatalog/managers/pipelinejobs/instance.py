"""A managed job that is there already."""

from .managed import ManagedJob


class ManagedPipelineJobInstance(ManagedJob):
    """The job with this uuid, moved with this token. `mongodb` is not used: the daemon keeps the jobs.

        ManagedPipelineJobInstance(rx.settings.mongodb, uuid, token=token).handle({'name': 'update', 'data': {…}})
    """

    def __init__(self, mongodb, uuid, token=None, agave=None, reactor=None, pipelines=None, **_):
        super().__init__(pipelines, reactor)
        self._uuid, self._token = uuid, token
        self._redact(token or "")
        record = {} if self._local else self._record()
        self._callback, self._path = record.get("callback"), record.get("path")
        self._data, self.session = record.get("data"), record.get("session")
        self.pipeline_uuid = record.get("pipeline_uuid")
        self._answer = {name: record[name] for name in ("status", "state", "revision") if name in record}

    @property
    def uuid(self):
        return self._uuid
