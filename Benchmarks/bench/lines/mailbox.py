"""4. Mailboxes in memory, without a store, against Erlang processes."""

import json
import subprocess

import build
import settings
import stats

TITLE = "mailboxes in memory against Erlang/OTP"
MOODS = ("as-is",)
ACTORS = (1, 100, 10_000, 100_000)
IDLE = (1, 1_000, 100_000)


def messages():
    return 500_000 if settings.QUICK else 2_000_000


def erlang(*words):
    # -noinput ends by halt() in the program itself: `-s init stop` would kill a long run silently.
    command = ["erl", "-noshell", "-noinput", "+P", "1000000", "-pa", settings.TOOLS]
    command += ["-run", "mailboxes", "main", *words]
    return json.loads(subprocess.check_output([str(part) for part in command], text=True, timeout=600))


def swift(*words):
    command = [build.SWIFT_BENCH, "mailbox", *words]
    return json.loads(subprocess.check_output([str(part) for part in command], text=True, timeout=600))


class NoDisk:
    """These lines never sync."""

    @staticmethod
    def sync_rate():
        return 0.0


def run(_):
    rounds = stats.Rounds(NoDisk())
    for number in rounds.each():
        for actors in ACTORS:
            runners = [("swift", swift), ("erlang", erlang)]
            for name, runner in stats.rotated(runners, number):
                rounds.measure(f"{name} {actors}", lambda run=runner, n=actors: run("fanin", n, messages()))
        for name, runner in stats.rotated([("swift", swift), ("erlang", erlang)], number):
            rounds.measure(f"{name} roundtrip", lambda run=runner: run("roundtrip", 200_000))
            for actors in IDLE:
                rounds.measure(f"{name} idle {actors}", lambda run=runner, n=actors: run("idle", n))
    rounds.sync_rates = {}
    for actors in ACTORS:
        yield rounds.row(f"erlang {actors}", f"Erlang, 2 senders to {actors:,} processes", "msg/s", "per_second")
        yield rounds.row(
            f"swift {actors}", f"reactord, 2 senders to {actors:,} mailboxes", "msg/s", "per_second",
            against=f"erlang {actors}", against_title="Erlang", at_least=1.5)
    yield rounds.row("erlang roundtrip", "Erlang, there and back", "ns", "nanoseconds")
    yield rounds.row("swift roundtrip", "reactord, there and back", "ns", "nanoseconds", against="erlang roundtrip",
                     against_title="Erlang")
    for actors in IDLE:
        yield rounds.row(f"erlang idle {actors}", f"Erlang, bytes per idle process at {actors:,}", "B", "bytes")
        # One mailbox among the allocator's own pages says nothing about a mailbox.
        yield rounds.row(f"swift idle {actors}", f"reactord, bytes per idle mailbox at {actors:,}", "B", "bytes",
                         at_most=512 if actors > 1 else None)
