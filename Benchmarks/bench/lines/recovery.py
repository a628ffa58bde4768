"""5. From the start of the process to the first dispatch and to full speed, with a backlog."""

import signal
import time

import daemon
import filling
import settings
import stats

TITLE = "recovery with a backlog"
MOODS = ("as-is",)
BACKLOGS = (1_000, 100_000, 1_000_000)
WITHOUT_BATCH = (1_000, 100_000)
HOLDERS = [f"holder-{number}" for number in range(10)]
# Its mail waits until there is such a script. (One that runs is taken over by the next daemon, and goes on.)
WAIT = "run: {command: [./not-there-yet]}\nstateless: false\n"
# Says when it ran. It is a script, so the time to spawn one is in the figure.
STAMP = "run: {command: [/bin/sh, -c, 'date +%s.%N >> STAMPS']}\nstateless: false\n"


def one(mood, backlog):
    actors = {"stamp": WAIT, "probe": daemon.DISCARD, **{name: WAIT for name in HOLDERS}}
    with daemon.Daemon(mood, actors) as house:
        filling.fill(house, ["stamp"], 2)
        filling.fill(house, HOLDERS, backlog)
        house.stop(signal.SIGKILL)
        stamps = house.folder / "stamps"
        house.define("stamp", STAMP.replace("STAMPS", str(stamps)))
        for name in HOLDERS:
            house.define(name, daemon.DISCARD)
        began = time.time()
        house.start()
        answered = time.time() - began
        house.until(lambda: stamps.exists() and stamps.read_text().endswith("\n"), 120, "the first dispatch")
        first = float(stamps.read_text().split()[0]) - began
        return {"ready": answered, "first": first, **drained(house, began)}


def drained(house, began):
    """Follows the backlog down: time until it goes at four fifths of the rate that it keeps afterwards."""
    limit = time.time() + (10 if settings.QUICK else 30)
    points = [(0.0, 0)]
    # What waits is counted beside the start, which it does not delay.
    while points[0][1] == 0 and time.time() < began + 5:
        points = [(time.time() - began, sum(house.waiting(name) for name in HOLDERS))]
    while points[-1][1] > 0 and time.time() < limit:
        points.append((time.time() - began, sum(house.waiting(name) for name in HOLDERS)))
    if len(points) < 8:
        return {"full": points[-1][0], "rate": 0.0}
    half = points[len(points) // 2:]
    rate = (half[0][1] - half[-1][1]) / max(1e-6, half[-1][0] - half[0][0])
    for (then, before), (now, after) in zip(points[1:], points[2:]):
        if (before - after) / max(1e-6, now - then) >= 0.8 * rate:
            return {"full": now, "rate": rate}
    return {"full": points[-1][0], "rate": rate}


def run(mood):
    with daemon.Daemon(mood, {"probe": daemon.DISCARD}) as house:
        has_batch = house.has_batch()
    rounds = stats.Rounds(mood)
    backlogs = BACKLOGS if has_batch else WITHOUT_BATCH[: 1 if settings.QUICK else 2]
    for number in rounds.each():
        for backlog in stats.rotated(list(backlogs), number):
            rounds.measure(backlog, lambda size=backlog: one(mood, size))
    for backlog in backlogs:
        yield rounds.row(backlog, f"{backlog:,} waiting: process start to ready", "s", "ready")
        yield rounds.row(backlog, f"{backlog:,} waiting: process start to first dispatch", "s", "first", at_most=0.5)
        yield rounds.row(backlog, f"{backlog:,} waiting: process start to full rate", "s", "full")
    if not has_batch:
        yield stats.Row("1,000,000 waiting", "s", [], missing="filling needs …/messages/batch")
