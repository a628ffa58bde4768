"""The message and everything else that an execution is told, from its environment."""

import ast
import json
import os

from .attrdict import AttrDict
from .hashids import random_hashid


def get_context(environment=None):
    """A dict (also by attributes) of the message, the execution, the actor, and the whole environment by raw name.

    A query parameter named `state` shows as `context.state`, as callbacks need it; no other name of the context can be
    taken by a parameter. Outside of an execution the ids are made up and the content type is application/json.
    """
    environment = dict(os.environ if environment is None else environment)
    is_mock = "_abaco_actor_id" not in environment
    raw, log = _raw_message(environment)
    message, problem = parse_message(raw)
    context = AttrDict({"state": read_state(environment)})
    context.update(environment)
    context.update(
        raw_message=raw,
        content_type=_content_type(environment) or ("application/json" if is_mock else None),
        execution_id=environment.get("_abaco_execution_id") or (random_hashid() if is_mock else None),
        username=environment.get("_abaco_username"),
        actor_dbid=environment.get("_abaco_actor_dbid") or (random_hashid() if is_mock else None),
        actor_id=environment.get("_abaco_actor_id") or random_hashid(),
        worker_id=environment.get("_abaco_worker_id"),
        container_repo=environment.get("_abaco_container_repo"),
        actor_name=environment.get("_abaco_actor_name"),
        raw_message_parse_log=log or problem,
        message_dict=message if isinstance(message, dict) else {},
    )
    return context


def parse_message(text):
    """The value of a message's text and why there is none: a Python literal, else JSON, else None."""
    if not text:
        return None, ""
    if isinstance(text, bytes):
        return None, "the message is binary"
    try:
        return ast.literal_eval(text), ""
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        pass
    try:
        return json.loads(text), ""
    except (ValueError, RecursionError) as error:
        return None, "the message is neither a Python literal nor JSON: {}".format(error)


def read_state(environment):
    """The actor's state as it was when the execution started; `{}` when there is none."""
    value, _ = parse_message(environment.get("_abaco_actor_state") or "{}")
    return {} if value is None else value


def _content_type(environment):
    return environment.get("_abaco_Content_Type") or environment.get("_abaco_Content-Type")


def _raw_message(environment):
    """`MSG`; for a message that is binary or too long for a variable, the file that holds it."""
    path = environment.get("REACTORD_MESSAGE_FILE")
    if "MSG" in environment or not path:
        return environment.get("MSG", ""), ""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        return "", "{} cannot be read: {}".format(path, error)
    if _content_type(environment) == "application/octet-stream":
        return content, ""
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        return content, ""
