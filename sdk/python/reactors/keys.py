"""Idempotency keys: the same for a message at every attempt of an execution, another for every other message."""

import hashlib
import hmac
import json
import os
import random
import threading

_process = os.getpid()
_lock = threading.Lock()
_sent = {}


def message_key(target, body, variables):
    """A key for what is about to be sent.

    It counts over the whole script, however many Reactors it makes: the same message a second time is another one. It
    is made with the execution's own token, so that nobody else can send something under it first. Where the next
    attempt could not come to the same key, or another process of this one would, it is random: then the message may
    arrive once more, but it arrives.
    """
    execution, token = os.environ.get("_abaco_execution_id"), os.environ.get("_abaco_access_token")
    said = _said(target, body, variables)
    if not execution or not token or said is None or not _is_script():
        return "{}-{:032x}".format(execution or "desk", random.SystemRandom().getrandbits(128))
    with _lock:
        count = _sent[execution, said] = _sent.get((execution, said), 0) + 1
    text = "{}\n{}\n{}".format(execution, count, said)
    return "{}-{}".format(execution, hmac.new(token.encode("utf-8"), text.encode("utf-8"), hashlib.sha256).hexdigest())


def _said(target, body, variables):
    """In the order in which it is sent: the daemon compares bytes."""
    try:
        said = json.dumps([target, body, variables], default=str)
    except (TypeError, ValueError, RecursionError):
        return None
    return hashlib.sha256(said.encode("ascii")).hexdigest()


def _is_script():
    """Whether this is the process that the daemon has started, which leads its session.

    Others of the script count for themselves: what a pool forks, a second `python3` in a shell script.
    """
    return os.getpid() == _process and hasattr(os, "getsid") and os.getsid(0) == _process
