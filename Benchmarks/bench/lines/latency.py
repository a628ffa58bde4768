"""3. From POST to answer, to the start of a Reactor, to the end of a script; open loop, so nothing is left out."""

import daemon
import load
import settings
import stats

TITLE = "latency at a fixed rate"
MOODS = ("as-is", "slowed")
RATES = (200, 2000)
SCRIPTS_PER_SECOND = 50


def run(mood):
    rounds = stats.Rounds(mood)
    for number in rounds.each():
        with daemon.Daemon(mood, {"discard": daemon.DISCARD, "true": daemon.TRUE}) as house:
            shared = {"connections": 64, "headers": [house.header], "pids": [house.pid],
                      "seconds": max(3, settings.SECONDS)}
            discard = {**shared, "paths": [daemon.messages("discard")]}
            steps = {}
            for rate in RATES:
                steps[f"{rate}"] = {**discard, "rate": rate}
            steps["started"] = {**discard, "rate": RATES[0], "events": "/api/v1/events"}
            steps["script"] = {**shared, "paths": [daemon.messages("true")], "rate": SCRIPTS_PER_SECOND,
                               "events": "/api/v1/events"}
            for name, options in stats.rotated(list(steps.items()), number):
                rounds.measure(name, lambda given=options: load.run("http", house.port, **given))
    for rate in RATES:
        yield from points(rounds, f"{rate}", "latency_ms", f"POST to answer at {rate}/s")
    yield from points(rounds, "started", "started_ms", "POST to start of a native Reactor")
    yield from points(rounds, "started", "finished_ms", "POST to its end")
    yield from points(rounds, "script", "finished_ms", f"POST to end of /bin/true at {SCRIPTS_PER_SECOND}/s")


def points(rounds, name, histogram, title):
    late = sum(result.get("events_missing", 0) for result in rounds.results[name])
    if late:
        title += f" ({late:,} did not end within 20 s)"
    for point in ("p50", "p99"):
        row = rounds.row(name, f"{title}, {point}", "ms", histogram, point)
        # In multiples of the time that one fdatasync took in that round.
        row.ratios = [value * rate / 1000 for value, rate in zip(row.values, row.sync_rates)]
        row.against = "fdatasync"
        yield row
