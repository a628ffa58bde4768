"""PipelineJobs of the second generation: typed ids, paths by hashids, `state` and `archive_path`."""

from .errors import ManagedPipelineJobError
from .instance import ManagedPipelineJobInstance
from .job import ManagedPipelineJob, ReactorManagedPipelineJob

__all__ = [
    "ManagedPipelineJob", "ManagedPipelineJobError", "ManagedPipelineJobInstance", "ReactorManagedPipelineJob",
]
