"""A reactord of its own, with a house and a data folder of its own."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import build
import settings

CONFIG = """\
log: {level: warning}
executors: {process: {max_running: 4, grace_seconds: 1}}
limits: {max_mailbox: 5000000}
"""

DISCARD = "run: {builtin: discard}\nstateless: true\nmax_workers: 16\n"
# One message runs for ever and all others wait: a queue without a consumer.
HOLD = "run: {command: [sleep, infinity]}\nstateless: false\ntimeout_seconds: 86400\n"
TRUE = "run: {command: [/bin/true]}\nstateless: true\nmax_workers: 4\n"


class Daemon:
    """Use it with `with`: it is ended in any case."""

    def __init__(self, mood, actors, config=CONFIG):
        self.mood = mood
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="house-", dir=settings.data()))
        (self.folder / "config.yml").write_text(config)
        for name, text in actors.items():
            self.define(name, text)
        self.process = None
        self.port = 0
        self.start_seconds = 0.0

    def define(self, name, text):
        folder = self.folder / "actors" / name
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / "actor.yml.new"
        new.write_text(f'name: "{name}"\n{text}')
        new.rename(folder / "actor.yml")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.end_jobs()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("_REACTOR")}
        environment.update(self.mood.environment())
        with open(self.folder / "stderr.log", "ab") as errors:
            began = time.monotonic()
            self.process = subprocess.Popen(
                [str(build.DAEMON), "serve", "--port", "0", "--data-dir", "var"], cwd=self.folder, env=environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
        line = self.process.stdout.readline()
        self.start_seconds = time.monotonic() - began
        found = re.search(r"ready at http://127\.0\.0\.1:(\d+)", line)
        if not found:
            self.stop()
            raise RuntimeError(f"reactord is not ready: {line!r} {self.errors()}")
        self.port = int(found.group(1))

    def stop(self, number=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None

    def end_jobs(self):
        """Jobs outlive their daemon, as they should; the one that never ends is not to outlive the measurement."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                if str(self.folder).encode() in command or os.readlink(process / "cwd").startswith(str(self.folder)):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue  # It has ended meanwhile.

    def errors(self):
        return (self.folder / "stderr.log").read_text(errors="replace")[-1500:]

    @property
    def pid(self):
        return self.process.pid

    @property
    def header(self):
        return f"Authorization: Bearer {(self.folder / 'var' / 'admin.token').read_text().strip()}"

    def request(self, method, path, body=None, kind="application/json", headers=None):
        """Answers status and JSON (or None)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        fields = dict([self.header.split(": ", 1)], **(headers or {}))
        if body is not None:
            fields["Content-Type"] = kind
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, None

    def waiting(self, actor):
        return self.request("GET", f"/actors/v2/{actor}/messages")[1]["result"]["messages"]

    def has_batch(self):
        """Whether this daemon takes many messages in one request."""
        status, answer = self.request(
            "POST", f"{messages('probe')}/batch", b'{"probe": 1}\n', kind="application/x-ndjson")
        return status == 200 and bool(answer) and "accepted" in answer.get("result", {})

    def until(self, condition, seconds, what):
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit:
                raise RuntimeError(f"{what} did not happen within {seconds} s; {self.errors()}")
            time.sleep(0.02)


def messages(actor):
    return f"/actors/v2/{actor}/messages"
