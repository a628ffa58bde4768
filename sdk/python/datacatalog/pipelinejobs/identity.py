"""Ids and paths of the first generation, which a job has before anybody is asked: the same inputs give the same ones.

The daemon makes them by the same rules, and what it answers is what counts; the same vectors hold both to them.
"""

import datetime
import json
import uuid

from reactors.names import pet_name

NAMESPACE = uuid.uuid3(uuid.NAMESPACE_DNS, "sd2e.org")
_SHORTEST_SESSION = 4


def text_uuid(text):
    """The UUID of a laboratory, an experiment, a measurement or a document."""
    text = text[1:] if text.startswith("/") else text
    text = text[len("uploads/"):] if text.startswith("uploads/") else text
    return str(uuid.uuid5(NAMESPACE, text))


def minified(value):
    """JSON without blanks, keys in order: what ids are made from."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def job_uuid(actor_id, data):
    return text_uuid(minified({"actor_id": actor_id, "data": data}))


def instance_directory(session, moment):
    """`solid-snake-20180913T162843Z`"""
    if not session or len(session) < _SHORTEST_SESSION:
        session = pet_name()
    return "{}{}{}".format(session, "" if session.endswith("-") else "-", moment.strftime("%Y%m%dT%H%M%SZ"))


def archive_path(pipeline_uuid, lab_name, experiment_reference, measurement_id=None, session=None, moment=None):
    """`/products/v1/<lab>/<experiment>/[<measurement>/]<pipeline>/<session>-<time>`"""
    for name, value in (("lab_name", lab_name), ("experiment_reference", experiment_reference)):
        if not value:
            raise KeyError("{} must be specified".format(name))
    try:
        uuid.UUID(pipeline_uuid)
    except (ValueError, AttributeError, TypeError):
        raise ValueError("{} is not a valid UUID5".format(pipeline_uuid)) from None
    moment = moment or datetime.datetime.now(datetime.timezone.utc)
    parts = [text_uuid(text) for text in (lab_name, experiment_reference, measurement_id) if text]
    return "/".join(["/products/v1"] + parts + [pipeline_uuid, instance_directory(session, moment)])
