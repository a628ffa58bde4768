"""6. Callbacks out: libcurl alone, and through the daemon's outbox, to a local nginx."""

import http.client
import json
import os
import re
import subprocess
import time

import build
import daemon
import filling
import servers
import settings
import stats

TITLE = "callbacks out"
MOODS = ("as-is",)
CALLS = 5_000


def count(sink):
    connection = http.client.HTTPConnection("127.0.0.1", sink.port, timeout=30)
    connection.request("GET", "/status")
    text = connection.getresponse().read().decode()
    return int(re.search(r"\n\s*\d+\s+\d+\s+(\d+)", text).group(1))


def transport(sink, concurrency):
    command = [build.SWIFT_BENCH, "callbacks", f"http://127.0.0.1:{sink.port}/", CALLS, concurrency, 300]
    return json.loads(subprocess.check_output([str(part) for part in command], text=True, timeout=300))


def through_outbox(mood, sink):
    """Subscribed to the ends of executions, then a backlog is executed: calls per second that the sink sees."""
    config = daemon.CONFIG + f'callbacks: {{allow: ["127.0.0.1:{sink.port}"]}}\n'
    with daemon.Daemon(mood, {"discard": daemon.DISCARD, "probe": daemon.DISCARD}, config) as house:
        body = {"sink": f"http://127.0.0.1:{sink.port}/", "protocol": "HTTP",
                "filters": [{"suffix": {"type": "execution.finished"}}]}
        status, _ = house.request("POST", "/api/v1/subscriptions", json.dumps(body).encode())
        if status not in (200, 201):
            return None
        before = count(sink)
        began = time.monotonic()
        filling.fill(house, ["discard"], CALLS)
        # Every question to the sink is a request of its own.
        asked = 1
        while (seen := count(sink) - before - asked) < CALLS and time.monotonic() - began < 60:
            asked += 1
            time.sleep(0.02)
        return {"per_second": seen / (time.monotonic() - began)}


def run(mood):
    rounds = stats.Rounds(mood)
    with servers.Sink() as sink:
        has_subscriptions = through_outbox(mood, sink) is not None
        for _ in rounds.each():
            if os.access(build.SWIFT_BENCH, os.X_OK):
                for concurrency in (1, 16, 64):
                    rounds.measure(f"curl {concurrency}", lambda several=concurrency: transport(sink, several))
            if has_subscriptions:
                rounds.measure("outbox", lambda: through_outbox(mood, sink))
    for concurrency in (1, 16, 64):
        if rounds.results.get(f"curl {concurrency}"):
            yield rounds.row(
                f"curl {concurrency}", f"the daemon's HTTP client alone, {concurrency} at once", "req/s", "per_second")
    if has_subscriptions:
        yield rounds.row("outbox", "executed, stored in the outbox, delivered, signed", "req/s", "per_second")
    else:
        yield stats.Row("through the outbox", "req/s", [], missing="this daemon has no /api/v1/subscriptions")
