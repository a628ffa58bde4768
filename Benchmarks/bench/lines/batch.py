"""2. Many messages in one request (NDJSON), against plain SQLite on the same disk."""

import subprocess

import build
import daemon
import load
import settings
import stats

TITLE = "batches of 100 messages per request"
MOODS = ("as-is", "slowed")
LINES_PER_REQUEST = 100
CONNECTIONS = 16


def floor(mood, rows):
    command = [build.SQLITE_FLOOR, settings.data(), settings.SECONDS, rows, settings.BODY_BYTES]
    text = subprocess.check_output([str(part) for part in command], env={**mood.environment()}, text=True)
    return {"per_second": float(text)}


def run(mood):
    actors = {**{f"discard-{number}": daemon.DISCARD for number in range(16)}, "grow": daemon.HOLD,
              "probe": daemon.DISCARD}
    rounds = stats.Rounds(mood)
    for number in rounds.each():
        with daemon.Daemon(mood, actors) as house:
            if not house.has_batch():
                yield stats.Row("batch endpoint", "msg/s", [], missing="this daemon has no …/messages/batch")
                return
            shared = {"connections": CONNECTIONS, "batch": LINES_PER_REQUEST, "headers": [house.header],
                      "pids": [house.pid]}
            executed = [daemon.messages(f"discard-{number}") + "/batch" for number in range(16)]
            steps = {
                "floor": lambda: floor(mood, 100),
                "floor 1000": lambda: floor(mood, 1000),
                "waiting": lambda: load.run("http", house.port, paths=[daemon.messages("grow") + "/batch"], **shared),
                "executed": lambda: load.run("http", house.port, paths=executed, **shared),
            }
            for name, step in stats.rotated(list(steps.items()), number):
                rounds.measure(name, step)
    yield rounds.row("floor", "plain SQLite, 100 rows per commit", "rows/s", "per_second")
    yield rounds.row("floor 1000", "plain SQLite, 1,000 rows per commit", "rows/s", "per_second")
    goal = None if mood.delay_us else 0.5
    for name, title in (("waiting", "into a mailbox that grows"), ("executed", "and executed")):
        yield rounds.row(
            name, f"100 per request, {title}", "msg/s", "per_second", against="floor",
            against_title="plain SQLite, 100 per commit", at_least=goal)
