"""1. Durable accepts through HTTP against the same server answering a constant, and against what a slow disk allows."""

import statistics

import daemon
import load
import settings
import stats

TITLE = "durable accepts over HTTP"
MOODS = ("as-is", "slowed")
SENDERS_TO = [f"discard-{number}" for number in range(16)]
FLOORS = {64: 0.60, 256: 0.64}


def actors():
    return {**{name: daemon.DISCARD for name in SENDERS_TO}, "grow": daemon.HOLD}


def variants(house):
    discard = {"paths": [daemon.messages(name) for name in SENDERS_TO], "headers": [house.header]}
    grow = {"paths": [daemon.messages("grow")], "headers": [house.header]}
    return {
        "constant": {"paths": ["/healthz"], "method": "GET"},
        "executed": discard,
        "executed, unique keys": {**discard, "unique_keys": True},
        "waiting": grow,
        "waiting, unique keys": {**grow, "unique_keys": True},
    }


TITLES = {
    "executed": "accepted and executed", "executed, unique keys": "accepted and executed, unique keys",
    "waiting": "accepted into a mailbox that grows", "waiting, unique keys": "the same, unique keys",
}


def run(mood):
    for connections in settings.PUBLISHERS:
        rounds = stats.Rounds(mood)
        for number in rounds.each():
            with daemon.Daemon(mood, actors()) as house:
                for name, options in stats.rotated(list(variants(house).items()), number):
                    rounds.measure(name, lambda given=options: load.run(
                        "http", house.port, connections=connections, pids=[house.pid], **given))
        constant = rounds.row("constant", f"{connections} connections: GET /healthz", "req/s", "per_second")
        yield constant
        # Whoever comes while a sync is on its way waits for that one and for the next, which is his.
        rates = [rate for found in rounds.sync_rates.values() for rate in found]
        disk_bounds = mood.delay_us > 0 or connections * statistics.median(rates) / 2 < constant.median
        for name, title in TITLES.items():
            row = rounds.row(name, f"{connections} connections: {title}", "msg/s", "per_second", against="constant",
                             against_title="constant")
            if disk_bounds:
                bounds = [connections * rate / 2 for rate in row.sync_rates]
                row.ratios, row.against = stats.ratios(row.values, bounds), "connections × syncs / 2"
                row.at_least = 0.85 if connections == 64 else None
            elif name.startswith("executed"):
                row.at_least = FLOORS[connections]
            yield row
