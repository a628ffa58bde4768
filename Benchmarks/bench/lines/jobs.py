"""8. Jobs that are moved by their callbacks alone: until every history is complete, in order, and read back."""

import concurrent.futures
import json
import time

import daemon
import load
import settings
import stats

TITLE = "jobs, ten callbacks each, from 64 connections"
MOODS = ("as-is", "slowed")
CONNECTIONS = 64
JOBS = 200 if settings.QUICK else 1_000
QUERIES = ["status=RUNNING", *["event=update"] * 8, "status=FINISHED"]
EVENTS = ["CREATE", "RUN", *["UPDATE"] * 8, "FINISH"]
KEEPERS = {
    "pipeline-jobs-manager": "run: {builtin: pipeline-jobs}\nstateless: true\nmax_workers: 16\n",
    "pipelines-manager": "run: {builtin: pipelines}\nstateless: false\n",
}


def made(house):
    """The callbacks of as many new jobs, without the address of the daemon."""
    status, pipeline = house.request(
        "POST", "/api/v1/pipelines", json.dumps({"name": "Measured", "components": [{"id": "bench-1.0.0"}]}).encode())
    if status != 201:
        raise RuntimeError(f"no pipeline: {status} {pipeline}")

    def make(number):
        body = {"pipeline_uuid": pipeline["uuid"], "data": {"job": number}}
        status, job = house.request("POST", "/api/v1/jobs", json.dumps(body).encode())
        if status != 201:
            raise RuntimeError(f"no job: {status} {job}")
        return job["callback"].split(f":{house.port}", 1)[1]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return list(pool.map(make, range(JOBS)))


def check(house):
    """Throws when a history is not what was sent."""
    cursor, seen = "", 0
    while cursor is not None:
        page = house.request("GET", f"/api/v1/jobs?history=true&limit=200&cursor={cursor}")[1]
        for job in page["jobs"]:
            events = [name for line in job["history"] for name in line]
            if events != EVENTS or job["status"] != "FINISHED":
                raise RuntimeError(f"the history of {job['uuid']} is {events}, {job['status']}")
            seen += 1
        cursor = page["next"]
    if seen != JOBS:
        raise RuntimeError(f"there are {seen} jobs and not {JOBS}")


def one(mood):
    with daemon.Daemon(mood, KEEPERS) as house:
        callbacks = made(house)
        # One callback of each job, then the next of each: as many connections as there are never reach the same job.
        paths = house.folder / "callbacks"
        paths.write_text("".join(f"{callback}&{query}\n" for query in QUERIES for callback in callbacks))
        began = time.monotonic()
        sent = load.run("http", house.port, connections=CONNECTIONS, count=JOBS * len(QUERIES), paths_file=paths,
                        pids=[house.pid])
        house.until(
            lambda: house.request("GET", "/api/v1/jobs/counts")[1]["counts"].get("FINISHED") == JOBS, 300,
            "the end of the last job")
        seconds = time.monotonic() - began
        check(house)
        return {"sent": sent, "done": {"per_second": JOBS * len(QUERIES) / seconds}}


def run(mood):
    rounds = stats.Rounds(mood)
    for _ in rounds.each():
        rounds.measure("jobs", lambda: one(mood))
    jobs = f"{JOBS:,} jobs"
    yield rounds.row("jobs", f"{jobs}: callbacks accepted", "req/s", "sent", "per_second")
    yield rounds.row("jobs", f"{jobs}: until every history is complete", "events/s", "done", "per_second")
