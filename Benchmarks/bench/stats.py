"""Medians with their spread, and the rows that they become."""

import dataclasses
import statistics

import machine
import settings


@dataclasses.dataclass
class Row:
    """One line of the table."""

    title: str
    unit: str
    values: list                                    # one per round
    sync_rates: list = dataclasses.field(default_factory=list)
    stolen: list = dataclasses.field(default_factory=list)     # what others of the host took meanwhile, per round
    ratios: list = dataclasses.field(default_factory=list)     # one per round
    against: str = ""
    at_least: float = None                          # goals for the ratio, or for the value when there is no ratio
    at_most: float = None
    details: dict = dataclasses.field(default_factory=dict)
    reads: str = "{ratio} × {against}"              # how the ratio is told
    missing: str = ""                               # why there is nothing to show

    @property
    def median(self):
        return statistics.median(self.values) if self.values else None

    @property
    def ratio(self):
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def sync_rate(self):
        return statistics.median(self.sync_rates) if self.sync_rates else None

    @property
    def stolen_share(self):
        return statistics.median(self.stolen) if self.stolen else None

    @property
    def is_met(self):
        """None without a goal."""
        judged = self.ratio if self.ratios else self.median
        if self.missing or judged is None or (self.at_least is None and self.at_most is None):
            return None
        return (self.at_least is None or judged >= self.at_least) and (self.at_most is None or judged <= self.at_most)


def ratios(values, others):
    return [value / other for value, other in zip(values, others) if other]


def rotated(items, turn):
    """The same things in another order each round: none is always first, or always after the same one."""
    turn %= max(1, len(items))
    return items[turn:] + items[:turn]


class Rounds:
    """Values by name, one per round, each with what the disk gave around it."""

    def __init__(self, mood):
        self.mood = mood
        self.results = {}
        self.sync_rates = {}
        self.stolen = {}

    @staticmethod
    def each():
        return range(settings.ROUNDS)

    def measure(self, name, action):
        """Takes the sync rate before and after: the disk may change its mood between two points."""
        best = None
        for _ in range(settings.TRIES):
            before = self.mood.sync_rate()
            with machine.Neighbours() as neighbours:
                result = action()
            point = (neighbours.share or 0.0, result, (before + self.mood.sync_rate()) / 2)
            if best is None or point[0] < best[0]:
                best = point
            if best[0] <= settings.DISTURBED:
                break
        self.note(name, best[1], best[2], best[0])
        return best[1]

    def note(self, name, result, sync_rate, stolen):
        """One round's point."""
        self.results.setdefault(name, []).append(result)
        self.sync_rates.setdefault(name, []).append(sync_rate)
        self.stolen.setdefault(name, []).append(stolen)

    def values(self, name, *keys):
        found = self.results.get(name, [])
        for key in keys:
            found = [result[key] for result in found]
        return found

    def row(self, name, title, unit, *keys, against=None, against_title="", **options):
        values = self.values(name, *keys)
        own = ratios(values, self.values(against, *keys)) if against else []
        rates = list(self.sync_rates.get(name, []))
        stolen = list(self.stolen.get(name, []))
        row = Row(title, unit, values, rates, stolen, own, against_title or against or "", **options)
        if keys == ("per_second",):
            row.details = details(self.results.get(name, []))
        return row


def details(results):
    """What else the load generator saw, as medians."""
    if not results or not isinstance(results[0], dict) or "latency_ms" not in results[0]:
        return {}
    middle = statistics.median
    messages = [max(1, result["messages"]) for result in results]
    return {
        "p50_ms": middle(result["latency_ms"]["p50"] for result in results),
        "p99_ms": middle(result["latency_ms"]["p99"] for result in results),
        "p999_ms": middle(result["latency_ms"]["p999"] for result in results),
        "max_ms": max(result["latency_ms"]["max"] for result in results),
        "server_cpu_us_per_message": middle(
            result["server_cpu"] * 1e6 / count for result, count in zip(results, messages)),
        "client_cpu_us_per_message": middle(
            result["client_cpu"] * 1e6 / count for result, count in zip(results, messages)),
        "server_rss_mib": middle(result["server_rss_kib"] / 1024 for result in results),
        "server_anonymous_mib": middle(result["server_anonymous_kib"] / 1024 for result in results),
        "written_bytes_per_message": middle(
            result["server_written_bytes"] / count for result, count in zip(results, messages)),
        "errors": sum(result["errors"] for result in results),
    }
