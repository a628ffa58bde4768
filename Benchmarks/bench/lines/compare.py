"""The same workload on what people would take instead: durable publishing, each publisher waits for its own answer."""

import contextlib
import statistics

import daemon
import load
import servers
import settings
import stats

TITLE = "against RabbitMQ, Redis streams, NATS JetStream, PostgreSQL"
MOODS = ("as-is", "slowed")
GOALS = {"rabbitmq": 1.4, "postgresql": 1.4, "jetstream": 5.0, "redis": None}


class Reactord:
    """The daemon as one of them: one mailbox that nobody empties, like the queues of the others."""

    title = "reactord, mailbox grows"
    actor = "grow"
    text = daemon.HOLD
    keys = False
    version = ""

    def __init__(self, mood):
        self.house = daemon.Daemon(mood, {self.actor: self.text})

    def __enter__(self):
        self.house.__enter__()
        return self

    def __exit__(self, *problem):
        self.house.__exit__(*problem)

    def measure(self, publishers):
        return load.run("http", self.house.port, connections=publishers, paths=[daemon.messages(self.actor)],
                        headers=[self.house.header], pids=[self.house.pid], unique_keys=self.keys)


class ReactordExecuted(Reactord):
    """Does more than the others: each message is also executed and its record kept."""

    title = "reactord, also executed by a Reactor"
    actor = "discard"
    text = daemon.DISCARD


class ReactordKeys(Reactord):
    title = "reactord, mailbox grows, unique keys"
    keys = True


OWN = {"reactord": Reactord, "reactord executed": ReactordExecuted, "reactord keys": ReactordKeys}
# How often one is started that does not come up: on a machine that others use too, a start may run out of time.
STARTS = 3


@contextlib.contextmanager
def running(make, mood):
    for last in [False] * (STARTS - 1) + [True]:
        system = make(mood)
        try:
            system.__enter__()
            break
        except servers.DoesNotStart as problem:
            if last:
                raise
            print(f"   started again: {problem}", flush=True)
    try:
        yield system
    finally:
        system.__exit__(None, None, None)


def run(mood):
    systems = {**OWN, **servers.ALL}
    versions = {}
    # One that cannot be had must not hide the others.
    absent = {}
    for publishers in settings.PUBLISHERS:
        rounds = stats.Rounds(mood)
        for number in rounds.each():
            for name, make in stats.rotated(list(systems.items()), number):
                if name in absent:
                    continue
                try:
                    # Only the one that is measured runs.
                    with running(make, mood) as system:
                        versions[name] = system.version
                        rounds.measure(name, lambda: system.measure(publishers))
                except servers.DoesNotStart as problem:
                    absent[name] = str(problem)
        for name, make in systems.items():
            if name in absent:
                continue
            row = rounds.row(name, f"{publishers} publishers: {make.title}", "msg/s", "per_second")
            row.details["version"] = versions[name]
            if name in servers.ALL:
                row.ratios = stats.ratios(rounds.values("reactord", "per_second"), row.values)
                row.reads = "reactord does {ratio} × as many"
                row.at_least = None if mood.delay_us else GOALS[name]
                for own in OWN:
                    others = stats.ratios(rounds.values(own, "per_second"), row.values)
                    row.details[f"{own} / this"] = statistics.median(others)
            yield row
    if absent:
        raise RuntimeError("\n".join(absent.values()))
