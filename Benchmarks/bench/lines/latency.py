"""3. From POST to answer, to the start of a Reactor, to the end of a script; open loop, so nothing is left out."""

import datetime

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
                if name == "started":
                    rounds.results.setdefault("record", []).append(from_records(house))
    for rate in RATES:
        yield from points(rounds, f"{rate}", "latency_ms", f"POST to answer at {rate}/s")
    if all(result["started_ms"]["count"] for result in rounds.results["started"]):
        yield from points(rounds, "started", "started_ms", "POST to start of a native Reactor")
    else:
        rounds.sync_rates["record"] = rounds.sync_rates["started"]
        yield from points(rounds, "record", "started_ms", "receipt to start of a native Reactor, by its record")
    yield from points(rounds, "started", "finished_ms", "POST to its end")
    yield from points(rounds, "script", "finished_ms", f"POST to end of /bin/true at {SCRIPTS_PER_SECOND}/s")


def from_records(house):
    """For a daemon that publishes no starts: what the records of the last executions say, to the millisecond."""
    _, answer = house.request("GET", "/api/v1/executions?actor=discard&limit=1000")
    times = sorted(
        (moment(record["started"]) - moment(record["received"])).total_seconds() * 1000
        for record in answer["executions"] if record.get("started"))
    at = lambda part: times[min(len(times) - 1, int(part * len(times)))] if times else 0.0  # noqa: E731
    return {"started_ms": {"p50": at(0.5), "p99": at(0.99)}}


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


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
