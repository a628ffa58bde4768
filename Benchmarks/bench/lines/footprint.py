"""6. Idle memory, time to ready, size of the binary."""

import os
import time

import build
import daemon
import settings
import stats

TITLE = "footprint"
MOODS = ("as-is",)


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")}


def run(mood):
    rounds = stats.Rounds(mood)
    shipped = {"discard": daemon.DISCARD}
    for _ in rounds.each():
        with daemon.Daemon(mood, shipped) as house:
            first = house.start_seconds
            time.sleep(1)                       # what start-up still allocates and gives back
            used = memory(house.pid)
            house.stop()
            house.start()
            rounds.add("start", {"first": first * 1000, "again": house.start_seconds * 1000, **used})
    size = os.stat(build.DAEMON).st_size / 1048576
    yield rounds.row("start", "first start to ready (makes its database)", "ms", "first")
    yield rounds.row("start", "later start to ready", "ms", "again")
    yield rounds.row("start", "idle memory (RSS)", "MiB", "VmRSS")
    yield rounds.row("start", "idle memory, anonymous part", "MiB", "RssAnon")
    yield stats.Row("binary, static and stripped", "MiB", [size] if settings.ROUNDS else [])
