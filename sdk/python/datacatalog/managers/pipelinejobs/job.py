"""A managed job that is to be made."""

from datacatalog.pipelinejobs import identity
from datacatalog.pipelinejobs.catalogue import checked
from reactors.hashids import is_hashid
from reactors.names import pet_name

from .errors import ManagedPipelineJobError
from .managed import ManagedJob

# Of the first that is given the job is a child.
_PARENTS = (
    ("experiment_design_id", identity.EXPERIMENT_DESIGN), ("experiment_id", identity.EXPERIMENT),
    ("sample_id", identity.SAMPLE), ("measurement_id", identity.MEASUREMENT))


class ManagedPipelineJob(ManagedJob):
    """One run of a pipeline about experiments, samples or measurements, with data.

        job = ManagedPipelineJob(rx.settings.mongodb, rx.settings.pipelines, experiment_id='experiment.ginkgo.10001',
                                 data={'alpha': 0.5})
        job.setup().run()

    Pipeline, what it is about and data are what the job is: the same ones are the same job. `pipelines` may also be
    the id of the jobs manager, followed by its nonce, which is not used, as `mongodb` and `agave` are not: the daemon
    keeps the jobs. Ids are taken by name, they need not be known.
    """

    def __init__(
        self, mongodb, pipelines=None, nonce=None, instanced=False, agave=None, reactor=None, pipeline_uuid=None,
        experiment_design_id=None, experiment_id=None, sample_id=None, measurement_id=None, child_of=None, data=None,
        session=None, agent=None, task=None, archive_path=None, archive_patterns=None, product_patterns=None, **other
    ):
        known = {name: other.pop(name) for name in ("archive_path_patterns", "inputs") if name in other}
        if other:
            raise TypeError("{} takes no {}".format(type(self).__name__, ", ".join(sorted(other))))
        if isinstance(nonce, bool):
            instanced = nonce
        if isinstance(pipelines, str):
            pipelines = {"job_manager_id": pipelines}
        super().__init__(pipelines, reactor)
        pipelines = pipelines if isinstance(pipelines, dict) else {}
        self.pipeline_uuid = pipeline_uuid or pipelines.get("pipeline_uuid")
        if not self.pipeline_uuid:
            if "pipeline_uuid" in pipelines:
                raise ValueError("pipeline_uuid is required to initialize PipelineJobsConfig")
            raise ManagedPipelineJobError('Parameter "pipeline_uuid" is required')
        identity.require_uuid(self.pipeline_uuid)
        self._data = checked({} if data is None else data, ManagedPipelineJobError)
        if known.get("inputs") is not None and "inputs" not in self._data:
            self._data = dict(self._data, inputs=known["inputs"])
        given = {
            "experiment_design_id": experiment_design_id, "experiment_id": experiment_id, "sample_id": sample_id,
            "measurement_id": measurement_id}
        self.child_of = _parents(child_of, given)
        self.session = session or (reactor.nickname if reactor else pet_name())
        self._patterns = archive_patterns or known.get("archive_path_patterns"), product_patterns
        self._actor, self._execution = agent or (reactor and reactor.uid), task or (reactor and reactor.execid)
        # What setup adds to the data makes another job, but no other path.
        self._path = archive_path or identity.managed_path(
            self.pipeline_uuid, self.child_of, self._data, self.session if instanced else None)

    @property
    def uuid(self):
        """The job's id; before `setup` the one that it is going to have if no more data comes."""
        return self._uuid or identity.managed_uuid(self.pipeline_uuid, self.child_of, self._data)

    @property
    def agent(self):
        """The address of the actor or app that asked for the job."""
        return _address(self._actor, self._api.server)

    @property
    def task(self):
        """The address of the execution that asked for the job."""
        return "{}/executions/{}".format(self.agent, self._execution) if self.agent and self._execution else None

    def setup(self, data=None):
        """Makes the job, CREATED; `data` is laid over what it has. The same one again is found as it is."""
        if data is not None:
            self._data = _merged(self._data, checked(data, ManagedPipelineJobError))
        if self._local:
            self._create_locally()
            return self
        archive_patterns, product_patterns = self._patterns
        self._create({
            "pipeline_uuid": self.pipeline_uuid, "generation": 2, "child_of": self.child_of, "data": self._data,
            "session": self.session, "archive_path": self._path, "archive_patterns": archive_patterns,
            "product_patterns": product_patterns, "actor_id": self._actor if is_hashid(self._actor) else None,
            "execution_id": self._execution if is_hashid(self._execution) else None,
        })
        return self

    def _take(self, record):
        super()._take(record)
        self._answer = {"status": record.get("status"), "state": record.get("status"), "revision": 0}

    def cancel(self, token=None):
        """Takes the job out of the catalogue, as if it never was; only before it runs."""
        if self._uuid is not None:
            self._remove("cancel", token or self._token)
            self._answer = {}
        return self


class ReactorManagedPipelineJob(ManagedPipelineJob):
    """The same with the settings, the name and the log of a Reactor: `ReactorManagedPipelineJob(rx, data={…})`."""

    def __init__(self, reactor, instanced=False, **parameters):
        settings = reactor.settings
        super().__init__(
            settings.get("mongodb"), settings.get("pipelines"), instanced=instanced, reactor=reactor, **parameters)


def _parents(child_of, given):
    """UUIDs, sorted and each once; names become the UUIDs that they have everywhere."""
    if child_of is not None:
        values = _listed(child_of)
        if values and not _uuids(values):
            raise ValueError("child_of: {} is not a valid UUID5".format(values[0]))
        return sorted(_uuids(values))
    for name, kind in _PARENTS:
        if given[name] is not None:
            values = _listed(given[name])
            return sorted(_uuids(values) or {identity.typed_uuid(kind, value) for value in values})
    return []


def _listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _uuids(values):
    """The same UUIDs as they are usually written; none where all are names."""
    found = {identity.typed_uuid_of(value) for value in values}
    if len(found) > 1 and None in found:
        raise ValueError("Cannot resolve a list of identifiers with mixed types")
    if None in found and not all(isinstance(value, str) and value for value in values):
        raise ValueError("Unable to resolve any identifers to UUIDs")
    return found - {None}


def _merged(old, new):
    """The new one counts; objects in both are merged."""
    result = dict(old)
    for name, value in new.items():
        both = isinstance(value, dict) and isinstance(result.get(name), dict)
        result[name] = _merged(result[name], value) if both else value
    return result


def _address(text, server):
    if not text:
        return None
    if text.startswith(("http://", "https://")):
        return text
    kind = "apps" if identity.is_app_id(text) else "actors"
    return "{}/{}/v2/{}".format(server, kind, text)
