"""6. Idle memory, time to ready, size of the binary."""

import os
import time

import build
import daemon
import stats

TITLE = "footprint"
MOODS = ("as-is",)


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")}


def start(mood):
    with daemon.Daemon(mood, {"discard": daemon.DISCARD}) as house:
        first = house.start_seconds
        time.sleep(1)                           # what start-up still allocates and gives back
        used = memory(house.pid)
        house.stop()
        house.start()
        return {"first": first * 1000, "again": house.start_seconds * 1000, **used}


def run(mood):
    rounds = stats.Rounds(mood)
    for _ in rounds.each():
        rounds.measure("start", lambda: start(mood))
    yield rounds.row("start", "first start to ready (makes its database)", "ms", "first")
    yield rounds.row("start", "later start to ready", "ms", "again")
    yield rounds.row("start", "idle memory (RSS)", "MiB", "VmRSS")
    yield rounds.row("start", "idle memory, anonymous part", "MiB", "RssAnon")
    yield stats.Row("binary, static and stripped", "MiB", [os.stat(build.DAEMON).st_size / 1048576])
