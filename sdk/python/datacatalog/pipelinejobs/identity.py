"""Ids and paths of both generations, which a job has before anybody is asked: the same inputs give the same ones.

The daemon makes them by the same rules, and what it answers is what counts; the same vectors hold both to them.
"""

import datetime
import json
import re
import uuid

from reactors import hashids
from reactors.names import pet_name

NAMESPACE = uuid.uuid3(uuid.NAMESPACE_DNS, "sd2e.org")
GENERIC, EXPERIMENT, SAMPLE, MEASUREMENT, PIPELINE, JOB, EXPERIMENT_DESIGN = (
    "100", "102", "103", "104", "106", "107", "114")
_PATH_SALT = "xCPJ7PKTdp8BYYb4twh9xNYD"
_APP_ID = re.compile(r"(^[a-zA-Z0-9_\-.]+)-((?:0|[1-9]+[\d]*)[.\d]+)(u[0-9]+)?$")
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
    require_uuid(pipeline_uuid)
    moment = moment or datetime.datetime.now(datetime.timezone.utc)
    parts = [text_uuid(text) for text in (lab_name, experiment_reference, measurement_id) if text]
    return "/".join(["/products/v1"] + parts + [pipeline_uuid, instance_directory(session, moment)])


def require_uuid(text):
    try:
        uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        raise ValueError("{} is not a valid UUID5".format(text)) from None


# The second generation


def typed_uuid(kind, text):
    """Three digits that say what it is, and the rest of the UUID of a text."""
    return kind + str(uuid.uuid5(NAMESPACE, text))[3:]


def typed_uuid_of(text):
    """The same UUID as it is usually written; None for what is none."""
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        return None


def path_element(text):
    """One part of a path: what it is about, or with which data."""
    return hashids.encode(uuid.UUID(typed_uuid(GENERIC, text)).int, _PATH_SALT)


def managed_uuid(pipeline_uuid, child_of, data):
    parts = [pipeline_uuid, minified(data)]
    if child_of is not None:
        parts.append(str(child_of))
    return typed_uuid(JOB, ":".join(sorted(parts)))


def managed_path(pipeline_uuid, child_of, data, session=None, moment=None):
    """`/products/v2/<pipeline>/<what it is about>/<data>`, with a session also `/<session>-<time>`"""
    parts = ["/products/v2", pipeline_uuid.replace("-", ""), path_element(":".join(child_of or []))]
    parts.append(path_element(minified(data)))
    if session:
        parts.append(instance_directory(session, moment or datetime.datetime.now(datetime.timezone.utc)))
    return "/".join(parts)


def is_app_id(text):
    """Whether a text looks like the id of an Agave app, `fcs-etl-0.4.0u2`."""
    return len(text) <= 64 and bool(_APP_ID.match(text))
