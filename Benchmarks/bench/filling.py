"""Puts a backlog of a given size into a daemon, the way a user would."""

import daemon
import load

# More at once would only make the requests longer.
PER_REQUEST = 1000


def fill(house, actors, count):
    """`count` messages over `actors`, through the batch endpoint where there is one."""
    paths = [daemon.messages(name) for name in actors]
    if house.has_batch():
        lines = min(PER_REQUEST, max(1, count // len(actors)))
        load.run("http", house.port, connections=4, count=max(1, count // lines), batch=lines, headers=[house.header],
                 paths=[f"{path}/batch" for path in paths])
    else:
        load.run("http", house.port, connections=256, count=count, headers=[house.header], paths=paths)
