"""What the tests of the SDK share: its folder, the vectors, and a daemon that only remembers."""

import contextlib
import io
import json
import os
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "sdk" / "python"
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
ACTOR, EXECUTION = "e5QKEW8L0BeZ4", "gO0JeWaBM4p3J"

sys.dont_write_bytecode = True
sys.path.insert(0, str(SDK))


class FakeDaemon:
    """Answers what `answers` says for "METHOD path", in turn, the last one again and again; keeps what it was asked."""

    def __init__(self):
        self.requests, self.answers = [], {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                path, _, query = self.path.partition("?")
                fake.requests.append({
                    "method": self.command, "path": path, "query": query, "headers": dict(self.headers),
                    "body": json.loads(body) if body else None,
                })
                queue = fake.answers.get("{} {}".format(self.command, path)) or [(404, {"message": "nothing here"})]
                status, document = queue.pop(0) if len(queue) > 1 else queue[0]
                content = json.dumps(document).encode()
                self.send_response(status)
                for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(content)))):
                    self.send_header(name, value)
                if 300 <= status < 400:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = do_PUT = answer

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:{}".format(self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class SDKTest(unittest.TestCase):
    """A folder of its own as the current one, and an environment with nothing in it."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(temporary.name)
        patch = mock.patch.dict(os.environ, {"PATH": os.environ.get("PATH", "")}, clear=True)
        patch.start()
        self.addCleanup(patch.stop)
        # Nothing waits.
        self.slept = []
        patch = mock.patch("time.sleep", self.slept.append)
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def environment(self, **variables):
        """As an execution has it; names with a dash are given as a dict by the caller."""
        os.environ.update({
            "_abaco_actor_id": ACTOR, "_abaco_execution_id": EXECUTION, "_abaco_username": "ada",
            "_abaco_actor_state": "{}", "MSG": "{}",
        })
        os.environ.update(variables)

    def daemon(self):
        fake = FakeDaemon()
        self.addCleanup(fake.close)
        os.environ.update(_abaco_api_server=fake.url, _abaco_access_token="rxe_0123456789")
        return fake

    def reactor(self, **options):
        """A Reactor and the text that its log is going to be."""
        from reactors.runtime import Reactor

        log = io.StringIO()
        with contextlib.redirect_stderr(log):
            rx = Reactor(**options)
        return rx, log
