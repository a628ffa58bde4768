"""Clients that move a job by messages alone, for actors that a job's owner has told its uuid and token."""

from .client import PipelineJobClient, PipelineJobClientError, PipelineJobUpdateMessage
from .reactors import ReactorsPipelineJobClient

__all__ = [
    "PipelineJobClient", "PipelineJobClientError", "PipelineJobUpdateMessage", "ReactorsPipelineJobClient",
]
