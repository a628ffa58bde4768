"""Clients of the second generation: `from datacatalog.managers.pipelinejobs import ManagedPipelineJob`."""
