"""`rx.logger`: lines on standard error, with every secret struck out; a file and a Slack webhook on request."""

import json
import logging
import os
import tempfile
import time
import urllib.request

MASK = "*****"
SHORTEST = 5
_SLACK_SECONDS = 10


class Secrets:
    """Strikes what must not be read out of a text. Shorter strings than five letters are left: they are words."""

    def __init__(self, texts=()):
        self._texts = []
        for text in texts:
            self.add(text)

    def add(self, text):
        text = "" if text is None else str(text)
        if len(text) >= SHORTEST and text not in self._texts:
            self._texts.append(text)
            self._texts.sort(key=len, reverse=True)

    def strike(self, text):
        for secret in self._texts:
            text = text.replace(secret, MASK)
        return text


class _Formatter(logging.Formatter):
    """`<actor id> <LEVEL> <message>`."""

    converter = time.gmtime

    def __init__(self, uid, secrets, with_times):
        word = uid.replace("%", "%%")
        layout = "{} %(levelname)s %(message)s".format(word)
        super().__init__("%(asctime)s " + layout if with_times else layout, "%Y-%m-%dT%H:%M:%SZ")
        self._secrets = secrets

    def format(self, record):
        return self._secrets.strike(super().format(record))


class _SlackHandler(logging.Handler):
    """Posts each line to an incoming webhook; what it cannot post it says once, and never to Slack."""

    def __init__(self, settings, complain):
        super().__init__()
        self._url = settings["webhook"]
        self._extra = {key: settings[key] for key in ("channel", "username", "icon_emoji") if settings.get(key)}
        self._complain = complain

    def emit(self, record):
        body = dict(self._extra, text=self.format(record))
        request = urllib.request.Request(
            self._url, json.dumps(body).encode("utf-8"), {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_SLACK_SECONDS) as response:
                response.read(4096)
        except (OSError, ValueError) as error:
            if self._complain:
                complain, self._complain = self._complain, None
                # The webhook's address is a secret; the kind of the error is enough.
                complain.error("nothing could be posted to Slack: %s", type(error).__name__)


class Loggers:
    """`screen` is what `rx.logger` is; `slack` goes to `slack.webhook` of the settings, and nowhere without one."""

    def __init__(self, uid, settings, secrets):
        logs = settings.get("logs") if isinstance(settings.get("logs"), dict) else {}
        level = _level(logs.get("level"))
        formatter = _Formatter(uid, secrets, bool(logs.get("timestamps")))
        self.screen = _logger("{}.screen".format(uid), level, formatter, logging.StreamHandler())
        if logs.get("file"):
            folder = os.environ.get("_REACTOR_TEMP") or os.environ.get("SCRATCH") or tempfile.gettempdir()
            handler = logging.FileHandler(os.path.join(folder, str(logs["file"])), encoding="utf-8")
            handler.setFormatter(formatter)
            self.screen.addHandler(handler)
        slack = settings.get("slack") if isinstance(settings.get("slack"), dict) else {}
        handler = _SlackHandler(slack, self.screen) if slack.get("webhook") else logging.NullHandler()
        secrets.add(slack.get("webhook"))
        self.slack = _logger("{}.slack".format(uid), logging.INFO, formatter, handler)


def _level(name):
    level = logging.getLevelName(str(name).upper()) if name else logging.DEBUG
    return level if isinstance(level, int) else logging.DEBUG


def _logger(name, level, formatter, handler):
    logger = logging.getLogger("reactors." + name)
    for former in list(logger.handlers):
        logger.removeHandler(former)
    logger.propagate = False
    logger.setLevel(level)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    return logger
