"""Talks to the daemon: plain JSON requests, and the calls of an Agave client that work here."""

import json
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request

from .attrdict import AttrDict

_TIMEOUT_SECONDS = 60
_BUSY = (429, 502, 503, 504)


class AgaveError(Exception):
    """A call that did not work, in words."""


class ApiError(AgaveError):
    """The daemon refused a call: `status` is the HTTP status, 0 when it could not be reached; `document` its answer."""

    def __init__(self, message, status=0, document=None, retry_after=None):
        super().__init__(message)
        self.status, self.document, self.retry_after = status, document or {}, retry_after

    @property
    def is_passing(self):
        """Whether the same call may work in a moment."""
        return self.status == 0 or self.status in _BUSY


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token is for the address that was asked, and for no other."""

    def redirect_request(self, *_):
        return None


class Api:
    """JSON requests with a bearer token."""

    def __init__(self, server=None, token=None, timeout=_TIMEOUT_SECONDS):
        self.server = (server or "").rstrip("/")
        self.token = token or ""
        self.timeout = timeout
        handlers = [_NoRedirects()]
        if urllib.parse.urlsplit(self.server).hostname in ("localhost", "127.0.0.1", "::1"):
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    @classmethod
    def from_environment(cls, environment=None):
        """Inside an execution its own server and token; elsewhere REACTORD_URL and REACTORD_TOKEN."""
        environment = os.environ if environment is None else environment
        return cls(
            environment.get("_abaco_api_server") or environment.get("REACTORD_URL"),
            environment.get("_abaco_access_token") or environment.get("REACTORD_TOKEN"))

    def call(self, method, path, body=None, query=None, headers=None):
        """The answer's JSON. Raises ApiError with what the daemon says is wrong."""
        if not self.server:
            raise ApiError(
                "there is no daemon to talk to: run this as an actor, or set REACTORD_URL and REACTORD_TOKEN")
        url = self.server + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        headers = dict(headers or {}, Accept="application/json")
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        data = None
        if body is not None:
            data = json.dumps(body).encode("utf-8")
            headers["Content-Type"] = "application/json"
        elif method in ("POST", "PUT"):
            data = b""
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return _parsed(response.read())
        except urllib.error.HTTPError as error:
            with error:
                document = _parsed(error.read())
            raise ApiError(_reason(error, document), error.code, document, _seconds(error)) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ApiError("{} cannot be reached: {}".format(self.server, reason)) from None

    def patiently(self, method, path, body=None, query=None, headers=None, attempts=6, delay=1.0):
        """The same, again and again while the daemon is away or busy: for calls that may be made twice."""
        for attempt in range(1, attempts + 1):
            try:
                return self.call(method, path, body, query, headers)
            except ApiError as error:
                if not error.is_passing or attempt == attempts or not self.server:
                    raise
                time.sleep(min(max(error.retry_after or 0, delay), 32))
                delay = min(delay * (1 + random.random()), 32)


def _parsed(content):
    try:
        return json.loads(content.decode("utf-8")) if content else {}
    except ValueError:
        return {}


def _reason(error, document):
    """What the answer says: the actors API has `message`, the rest is a problem document."""
    text = document.get("message") or document.get("detail") or error.reason if isinstance(document, dict) else None
    places = document.get("errors") if isinstance(document, dict) else None
    for place in places if isinstance(places, list) else []:
        if isinstance(place, dict):
            text = "{}; {}: {}".format(text, place.get("place", ""), place.get("problem", ""))
    return "{} (HTTP {})".format(text or error.reason, error.code)


def _seconds(error):
    text = error.headers.get("Retry-After") if error.headers else None
    return float(text) if text and text.isdigit() else None


class Agave:
    """What scripts call `rx.client`: `client.actors.sendMessage(actorId=…, body=…)` and the like."""

    def __init__(self, api):
        self.api = api
        self.actors = _Actors(api)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            "client.{} is a part of Agave that reactord does not have; client.actors is there".format(name))


class _Actors:
    """The calls of `client.actors`. Every result is a dict that can be read by attributes."""

    def __init__(self, api):
        self._api = api

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        known = ", ".join(sorted(word for word in dir(type(self)) if not word.startswith("_")))
        raise AttributeError("client.actors has no {}; it has {}".format(name, known))

    def _result(self, method, path, body=None, query=None):
        result = self._api.call(method, "/actors/v2" + path, body, query).get("result")
        if isinstance(result, list):
            return [AttrDict(item) if isinstance(item, dict) else item for item in result]
        return AttrDict(result) if isinstance(result, dict) else result

    def list(self):
        return self._result("GET", "")

    def get(self, actorId):
        return self._result("GET", _path(actorId))

    def sendMessage(self, actorId, body, environment=None):
        return self._result("POST", _path(actorId, "messages"), body, environment)

    def getMessages(self, actorId):
        return self._result("GET", _path(actorId, "messages"))

    def deleteMessages(self, actorId):
        return self._result("DELETE", _path(actorId, "messages"))

    def listExecutions(self, actorId):
        return self._result("GET", _path(actorId, "executions"))

    def getExecution(self, actorId, executionId):
        return self._result("GET", _path(actorId, "executions", executionId))

    def getExecutionLogs(self, actorId, executionId):
        return self._result("GET", _path(actorId, "executions", executionId, "logs"))

    def getState(self, actorId):
        return self._result("GET", _path(actorId, "state"))

    def updateState(self, actorId, body):
        return self._result("POST", _path(actorId, "state"), body)

    def addNonce(self, actorId, body=None):
        return self._result("POST", _path(actorId, "nonces"), {} if body is None else body)

    def listNonces(self, actorId):
        return self._result("GET", _path(actorId, "nonces"))

    def getNonce(self, actorId, nonceId):
        return self._result("GET", _path(actorId, "nonces", nonceId))

    def deleteNonce(self, actorId, nonceId):
        return self._result("DELETE", _path(actorId, "nonces", nonceId))


def _path(*words):
    return "".join("/" + urllib.parse.quote(str(word), safe="") for word in words)
