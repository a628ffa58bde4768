"""The object that a script begins with: `rx = Reactor()`."""

import functools
import os
import random
import re
import sys
import time
import urllib.parse

from .attrdict import AttrDict
from .client import AgaveError, Agave, Api, ApiError
from .context import get_context, read_state
from .hashids import is_hashid, random_hashid
from .jsonschema7 import Schema, SchemaError, ValidationError
from .keys import message_key
from .logs import Loggers, Secrets
from .names import pet_name
from .settings import NAMESPACE, read_settings

_SENDER_TAGS = {
    "_abaco_actor_id": "x_src_actor_id", "_abaco_execution_id": "x_src_execution_id", "APP_ID": "x_src_app_id",
    "JOB_ID": "x_src_job_id", "EVENT": "x_src_event", "UUID": "x_src_uuid", "_event_uuid": "x_session",
}
# Variables of the namespace that are no secrets: a folder and a word of every log line.
_PUBLIC = ("_REACTOR_TEMP", "_REACTOR_LOGS_LEVEL")
_TRUE_WORDS = ("t", "true", "on", "ok", "y", "yes", "1")
_LONGEST_DELAY = 32
_NONCE = re.compile(r"x-nonce=([A-Za-z0-9.-]+_[A-Za-z0-9]+)")


def is_true(text):
    return text.strip().lower() in _TRUE_WORDS


class Reactor:
    """One execution of an actor: its message, settings, state and log, and the way to other actors.

    `redactions` are texts that must not be seen in the log, beside those that never are: the access token, the nonce of
    the message, and every variable whose name begins with `_REACTOR`.
    """

    def __init__(self, redactions=()):
        self._begun = time.monotonic()
        # What is printed and what is logged belong in one order, and in the log when the script is stopped.
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(line_buffering=True)
        self.context = get_context()
        self.uid = self.context["actor_id"]
        self.execid = self.context["execution_id"]
        self.username = self.context["username"]
        self.worker_id = self.context["worker_id"]
        self.container_repo = self.context["container_repo"]
        self.actor_name = self.context["actor_name"]
        self.nickname = pet_name(os.environ.get("_abaco_execution_id"))
        self.session = self.context.get("x_session") or os.environ.get("SESSION") or self.nickname
        self.local = is_true(os.environ.get("LOCALONLY", ""))
        self.settings = self._settings()
        self._state = AttrDict(_as_dict(read_state(os.environ)))
        self._secrets = Secrets(redactions)
        for name, value in os.environ.items():
            if name.startswith(NAMESPACE) and name not in _PUBLIC:
                self._secrets.add(value)
        for secret in (os.environ.get("_abaco_access_token"), os.environ.get("REACTORD_TOKEN"),
                       self.context.get("x-nonce")):
            self._secrets.add(secret)
        self.loggers = Loggers(self.uid, self.settings, self._secrets)
        self.logger = self.loggers.screen

    def _settings(self):
        """`__options.settings` of the message goes over the files, never over what came from the environment."""
        options = self.context["message_dict"].get("__options")
        override = options.get("settings") if isinstance(options, dict) else None
        return read_settings(override=override if isinstance(override, dict) else None)

    def redact(self, text):
        """Strikes one more text out of everything that is logged from now on."""
        self._secrets.add(text)

    # The end

    def on_success(self, successMessage="Success"):
        """Logs the message and ends the script with exit code 0: the message was handled."""
        self.logger.info(successMessage)
        sys.exit(0)

    def on_failure(self, failMessage="Failure", exceptionObject=None):
        """Logs why and ends the script with exit code 1: the message is tried again, as `retry` in actor.yml says."""
        self.logger.critical("%s : %s", failMessage, exceptionObject)
        sys.exit(1)

    def elapsed(self):
        """Microseconds since the Reactor was made."""
        return int((time.monotonic() - self._begun) * 1000000)

    # The actors API

    @functools.cached_property
    def client(self):
        """An Agave-like client: `rx.client.actors.sendMessage(actorId=…, body={"message": …})`."""
        return Agave(Api.from_environment())

    @property
    def state(self):
        """What the actor remembers: as it was at the start, and with the changes that this script made to it.

        Assigning to it, or `rx.update_state()` after changing it in place, keeps it for later executions.
        """
        return self._state

    @state.setter
    def state(self, value):
        self.update_state(value)

    def update_state(self, state=None):
        """Keeps the state (a dict, `rx.state` by default) for later executions; it needs `stateless: false`."""
        if state is not None and not isinstance(state, dict):
            raise TypeError("a state is a dict, not {}".format(type(state).__name__))
        self._state = self._state if state is None else AttrDict(state)
        if not self.local:
            self.client.api.patiently("POST", _actor_path(self.uid, "state"), self._state)
        return self._state

    def resolve_actor_alias(self, alias):
        """`me` and `self` are this actor; an id is itself; `linked_reactors` of config.yml; else the alias as it is."""
        if alias.lower() in ("me", "self"):
            return self.uid
        if is_hashid(alias):
            return alias
        linked = self.settings.get("linked_reactors")
        entry = linked.get(alias) if isinstance(linked, dict) else None
        if isinstance(entry, dict) and entry.get("id"):
            return entry["id"]
        return entry if isinstance(entry, str) and entry else alias

    def send_message(
        self, actorId, message, environment=None, ignoreErrors=True, senderTags=True, retryMaxAttempts=5,
        retryDelay=1, sync=False
    ):
        """Sends a message (a dict, a list or a text) to an actor by id or alias; answers the execution's id.

        The variables of `environment` come with it. It is tried `retryMaxAttempts` times more when it does not arrive,
        with growing waits; the receiver gets it once, also when the script fails and sends it again at its next attempt
        (the same message a second time within one attempt is another; what a process sends that the script has started
        or forked is new at every attempt). An actor that does not exist is not tried again. What never arrives is
        logged as an error and gives None, or raises AgaveError with `ignoreErrors=False`. `sync` is accepted and has no
        effect: use the logs or the result of the execution.
        """
        target = self.resolve_actor_alias(actorId)
        variables = dict(environment or {})
        if senderTags:
            variables.update(self._sender_tags())
        if self.local:
            self.logger.info("LOCALONLY: not sent to %s: %s", target, message)
            return random_hashid()
        # An object is sent as JSON, so that the receiver's schema sees it; with a key `message`, only that would be.
        is_wrapped = not isinstance(message, (dict, list)) or (isinstance(message, dict) and "message" in message)
        body = {"message": message} if is_wrapped else message
        headers = {"Idempotency-Key": message_key(target, body, variables)}
        errors, delay = [], retryDelay
        for attempt in range(retryMaxAttempts + 1):
            if attempt:
                time.sleep(min(delay, _LONGEST_DELAY))
                delay = min(delay * (1 + random.random()), _LONGEST_DELAY)
            try:
                answer = self.client.api.call("POST", _actor_path(target, "messages"), body, variables, headers)
                result = answer.get("result") or {}
                return result.get("executionId") or result.get("execution_id")
            except ApiError as error:
                errors.append(str(error))
                if not error.is_passing:
                    break
            except (TypeError, ValueError) as error:
                errors.append("the message cannot be written as JSON: {}".format(error))
                break
        text = "Message to {} failed after {} tries with errors: {}".format(target, len(errors), errors)
        if not ignoreErrors:
            raise AgaveError(text)
        self.logger.error(text)
        return None

    def _sender_tags(self):
        tags = {tag: os.environ[name] for name, tag in _SENDER_TAGS.items() if os.environ.get(name)}
        tags.setdefault("x_session", self.session)
        return tags

    # Nonces: addresses that open one actor to those who know them

    def add_nonce(self, permission="READ", maxuses=1, actorId=None):
        """A new nonce; `maxuses` -1 is as often as you like."""
        return self.client.actors.addNonce(
            actorId=actorId or self.uid, body={"level": permission, "maxUses": maxuses})

    def get_nonce(self, nonceId, actorId=None):
        return self.client.actors.getNonce(actorId=actorId or self.uid, nonceId=nonceId)

    def list_nonces(self, actorId=None):
        return self.client.actors.listNonces(actorId=actorId or self.uid)

    def delete_nonce(self, nonceId, actorId=None):
        return self.client.actors.deleteNonce(actorId=actorId or self.uid, nonceId=nonceId)

    def delete_all_nonces(self, actorId=None):
        for nonce in self.list_nonces(actorId):
            self.delete_nonce(nonce["id"], actorId)

    def create_webhook(self, permission="EXECUTE", maxuses=-1, actorId=None):
        """An address that sends messages to this actor (or another) without a token: whoever has it can use it."""
        actor = self.resolve_actor_alias(actorId or self.uid)
        nonce = self.add_nonce(permission, maxuses, actor)
        self.redact(nonce["id"])
        return "{}{}?x-nonce={}".format(self.client.api.server, _actor_path(actor, "messages"), nonce["id"])

    get_webhook = create_webhook

    def delete_webhook(self, webhook, actorId=None):
        """Closes an address of `create_webhook`; ValueError when it is none of this actor's."""
        actor = self.resolve_actor_alias(actorId or self.uid)
        found = _NONCE.search(webhook)
        if "/actors/v2/{}/".format(actor) not in webhook or not found:
            raise ValueError("it is no webhook of actor {}".format(actor))
        return self.delete_nonce(found.group(1), actor)

    # Schemas

    def validate_message(self, messagedict, messageschema=None, permissive=True):
        """Whether a message matches the actor's schema: `message.jsonschema`, or any of `schemas/*.jsonschema`.

        With `permissive=False` what is wrong is raised, as ValidationError, or SchemaError for a schema that is missing
        or broken.
        """
        try:
            if not isinstance(messagedict, dict):
                raise ValidationError("/: a message is an object, not {}".format(type(messagedict).__name__))
            _match_any(messagedict, _schema_files(messageschema))
            return True
        except (SchemaError, ValidationError) as error:
            if not permissive:
                raise
            self.logger.debug("the message is not valid: %s", error)
            return False


def _as_dict(value):
    return value if isinstance(value, dict) else {}


def _actor_path(actor, word):
    return "/actors/v2/{}/{}".format(urllib.parse.quote(actor, safe=""), word)


def _schema_files(path):
    if path:
        # Where it lies in an image is also looked for beside the script.
        beside = path.lstrip("/")
        return [beside if not os.path.exists(path) and os.path.exists(beside) else path]
    files = [name for name in ("message.jsonschema", "/message.jsonschema") if os.path.exists(name)][:1]
    for folder in ("schemas", "/schemas"):
        if os.path.isdir(folder):
            names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonschema"))
            return files + [os.path.join(folder, name) for name in names]
    return files


def _match_any(message, files):
    if not files:
        raise SchemaError("there is no message.jsonschema and no schemas/*.jsonschema")
    problems = []
    for file in files:
        found = Schema.read(file).problems(message)
        if not found:
            return
        problems.append("{}: {}".format(file, "; ".join(found)))
    raise ValidationError(" | ".join(problems))
