"""The client of the job catalogue that scripts use."""

from reactors.attrdict import AttrDict

from . import identity
from .catalogue import CatalogueJob, checked
from .errors import PipelineJobError


class PipelineJob(CatalogueJob):
    """One run of a pipeline for a sample or a measurement of an experiment.

        job = PipelineJob(rx, 'UW_BIOFAB', 'Yeast-Gates', 'sample.uw_biofab.133737/A2')
        job.setup().run({'started': 'now'})

    The pipeline is `pipelines.pipeline_uuid` of config.yml. `data` (the Reactor's message unless it is given) says what
    is run: the same actor with the same data is the same job, whatever else differs. Every event is handled before its
    method returns: it returns the job itself, so that calls can be chained, or raises JobUpdateFailure.
    """

    def __init__(
        self, reactor, lab_name, experiment_reference, sample_id=None, measurement_id=None, data=None, session=None
    ):
        self._use(reactor)
        self.lab_name, self.experiment_reference = lab_name, experiment_reference
        self.sample_id, self.measurement_id = sample_id, measurement_id
        self.pipeline_uuid = self._settings.get("pipeline_uuid")
        if not self.pipeline_uuid:
            raise PipelineJobError(
                "pipelines.pipeline_uuid is missing in config.yml: it names the pipeline that this job is a run of")
        self.session = session or reactor.session
        self._path = identity.archive_path(
            self.pipeline_uuid, lab_name, experiment_reference, measurement_id, self.session)
        self._data = checked(data) if data is not None else (reactor.context["message_dict"] or None)

    @classmethod
    def attach(cls, reactor, uuid, token):
        """A job that an earlier execution set up, by the uuid and the token that it kept (`rx.state`, for instance)."""
        job = cls.__new__(cls)
        job._use(reactor)
        job._uuid, job._token = uuid, token
        reactor.redact(token)
        record = {} if reactor.local else job._record()
        job._callback = record.get("callback")
        job._data, job._path = record.get("data"), record.get("path")
        job.pipeline_uuid, job.session = record.get("pipeline_uuid"), record.get("session")
        job.lab_name = job.experiment_reference = job.sample_id = job.measurement_id = None
        return job

    def _use(self, reactor):
        self._reactor = reactor
        settings = reactor.settings.get("pipelines")
        self._settings = settings if isinstance(settings, dict) else AttrDict()
        self._manager = self._settings.get("job_manager_id") or self._manager

    @property
    def _api(self):
        return self._reactor.client.api

    @property
    def _local(self):
        return self._reactor.local

    @property
    def _logger(self):
        return self._reactor.logger

    @property
    def _redact(self):
        return self._reactor.redact

    @property
    def uuid(self):
        """The job's id; before `setup` the one that it is going to have if no more data comes."""
        return self._uuid or identity.job_uuid(self._reactor.uid, self._data)

    def setup(self, data=None):
        """Makes the job, CREATED; `data` is added to what it has. A job of the same actor and data is found again."""
        if data is not None:
            self._data = dict(self._data or {}, **checked(data))
        if self._local:
            self._create_locally()
            return self
        self._create({
            "pipeline_uuid": self.pipeline_uuid, "data": self._data, "archive_path": self._path,
            "session": self.session, "actor_id": self._reactor.uid, "lab": self.lab_name,
            "experiment": self.experiment_reference, "sample": self.sample_id, "measurement": self.measurement_id,
        })
        return self
