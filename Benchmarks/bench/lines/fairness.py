"""7. What a noisy neighbour costs: one actor works through 100,000 messages, another gets a few."""

import daemon
import filling
import load
import machine
import settings
import stats

TITLE = "a victim beside a noisy actor"
MOODS = ("as-is", "slowed")
NOISE = 100_000
RATE = 100


def one(mood, rounds):
    noise = 20_000 if settings.QUICK else NOISE
    actors = {"noisy": daemon.HOLD, "victim": daemon.DISCARD, "probe": daemon.DISCARD}
    with daemon.Daemon(mood, actors) as house:
        shared = {"connections": 16, "rate": RATE, "paths": [daemon.messages("victim")], "headers": [house.header],
                  "events": "/api/v1/events?actor=victim", "pids": [house.pid], "warm_up": 0.2}
        filling.fill(house, ["noisy"], noise)
        rounds.measure("alone", lambda: load.run("http", house.port, seconds=2, **shared))
        # From now on it works them off, beside its first message, which goes on as it was started.
        house.define("noisy", daemon.DISCARD)
        house.until(lambda: house.waiting("noisy") < noise - 50, 60, "the noisy actor's start")
        before = house.waiting("noisy")
        # No sync rate while there is noise: that would be noise of our own.
        with machine.Neighbours() as neighbours:
            beside = load.run("http", house.port, seconds=1, **shared)
        if house.waiting("noisy") == 0:
            raise RuntimeError(f"the noise ended before the measuring did ({before} messages were not enough)")
        rounds.note("beside", beside, rounds.sync_rates["alone"][-1], neighbours.share or 0.0)


def run(mood):
    rounds = stats.Rounds(mood)
    for _ in rounds.each():
        one(mood, rounds)
    for histogram, title in (("latency_ms", "POST to answer"), ("started_ms", "POST to start"),
                             ("finished_ms", "POST to end")):
        for point in ("p50", "p99"):
            yield rounds.row("alone", f"victim alone, {title}, {point}", "ms", histogram, point)
            goal = 2 if histogram == "started_ms" else None
            yield rounds.row("beside", f"victim beside the noise, {title}, {point}", "ms", histogram, point,
                             against="alone", against_title="alone", at_most=goal)
