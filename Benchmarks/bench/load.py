"""The load generator (C/load), as a function."""

import json
import subprocess

import build
import settings


class LoadFailed(Exception):
    pass


def run(protocol, port, *, connections, lanes=1, seconds=None, warm_up=None, rate=0, count=0, paths=(), headers=(),
        method="POST", unique_keys=False, batch=0, events=None, target=None, pids=(), tree=False, tolerate=False,
        body_bytes=None, paths_file=None):
    """Answers what it measured. With `tolerate`, refused requests are counted instead of being an error."""
    command = [build.LOAD, "--protocol", protocol, "--port", port, "--connections", connections, "--lanes", lanes]
    command += ["--seconds", seconds or settings.SECONDS, "--method", method]
    command += ["--warm-up", settings.WARM_UP if warm_up is None else warm_up]
    command += ["--body-bytes", body_bytes or settings.BODY_BYTES]
    for name, value in (("--rate", rate), ("--count", count), ("--batch", batch), ("--events", events),
                        ("--target", target), ("--paths-file", paths_file)):
        if value:
            command += [name, value]
    for name, values in (("--path", paths), ("--header", headers), ("--pid", pids)):
        for value in values:
            command += [name, value]
    command += ["--unique-keys"] if unique_keys else []
    command += ["--tree"] if tree else []
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=900)
    if not done.stdout or (done.returncode != 0 and not tolerate):
        raise LoadFailed((done.stderr.strip() or f"load ended with {done.returncode}: {done.stdout}")[:800])
    result = json.loads(done.stdout)
    result["refused"] = done.stderr.strip()[:400]
    return result
