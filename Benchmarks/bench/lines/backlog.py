"""7. What a million waiting messages cost those that come after them, and what is written per message."""

import daemon
import filling
import load
import settings
import stats

TITLE = "a million waiting messages, and bytes written"
MOODS = ("as-is",)
CONNECTIONS = 64


def measured(house, actor, **options):
    return load.run("http", house.port, connections=CONNECTIONS, paths=[daemon.messages(actor)],
                    headers=[house.header], pids=[house.pid], **options)


def run(mood):
    actors = {"grow": daemon.HOLD, "held": daemon.HOLD, "discard": daemon.DISCARD, "probe": daemon.DISCARD}
    rounds = stats.Rounds(mood)
    with daemon.Daemon(mood, actors) as empty, daemon.Daemon(mood, actors) as full:
        backlog = 1_000_000 if full.has_batch() else 20_000 if settings.QUICK else 100_000
        filling.fill(full, ["held"], backlog)
        for number in rounds.each():
            for name, house in stats.rotated([("empty", empty), ("full", full)], number):
                for actor in ("grow", "discard"):
                    rounds.measure(f"{name} {actor}", lambda at=house, to=actor: measured(at, to))
    for actor, title in (("grow", "accepts into a mailbox that grows"), ("discard", "accepted and executed")):
        yield rounds.row(f"empty {actor}", f"{title}, empty store", "msg/s", "per_second")
        yield rounds.row(f"full {actor}", f"{title}, {backlog:,} waiting elsewhere", "msg/s", "per_second",
                         against=f"empty {actor}", against_title="empty", at_least=0.8)
        row = rounds.row(f"full {actor}", f"{title}, {backlog:,} waiting: p99", "ms", "latency_ms", "p99",
                         against=f"empty {actor}", against_title="empty", at_most=2)
        yield row
        results = rounds.results[f"empty {actor}"]
        written = [result["server_written_bytes"] / max(1, result["messages"] * settings.BODY_BYTES)
                   for result in results]
        yield stats.Row(f"{title}: bytes written per byte accepted", "B/B", written, row.sync_rates)
