"""The job catalogue: `from datacatalog.pipelinejobs import PipelineJob`."""
