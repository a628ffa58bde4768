"""A PipelineJob is one run of a pipeline, kept by the daemon's job catalogue."""

from .errors import JobCreateFailure, JobUpdateFailure, PipelineJobError
from .job import PipelineJob

__all__ = ["JobCreateFailure", "JobUpdateFailure", "PipelineJob", "PipelineJobError"]
