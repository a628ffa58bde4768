"""What a figure means nothing without: when, where, what, how."""

import datetime
import os
import platform
import re
import subprocess

import settings


def output(*command):
    try:
        return subprocess.check_output(command, text=True, stderr=subprocess.STDOUT, cwd=settings.ROOT).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def field(path, name):
    with open(path, encoding="utf-8") as file:
        found = re.search(rf"^{name}\s*:\s*(.+)$", file.read(), re.MULTILINE)
    return found.group(1).strip() if found else ""


def command():
    names = ("ONLY", "QUICK", "ROUNDS", "SECONDS_PER_POINT", "DISKS", "SYNC_DELAY_US", "DISTURBED")
    words = [f"{name}={os.environ[name]!r}" if " " in os.environ[name] else f"{name}={os.environ[name]}"
             for name in names if os.environ.get(name)]
    return " ".join(["make bench", *words])


def description():
    changed = " with changes" if output("git", "status", "--porcelain", "--untracked-files=no") else ""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": output("git", "rev-parse", "--short", "HEAD") + changed,
        "command": command(),
        "cpu": f"{os.cpu_count()} × {field('/proc/cpuinfo', 'model name')}",
        "memory_gib": round(int(field("/proc/meminfo", "MemTotal").split()[0]) / 1048576),
        "kernel": platform.release(),
        "system": os_name(),
        "filesystem": output("findmnt", "-no", "FSTYPE", "-T", os.environ.get("BENCH_DATA", "/var/tmp")),
        "swift": (re.search(r"Swift version (\S+)", output("swift", "--version")) or [None, ""])[1],
        "rounds": settings.ROUNDS,
        "seconds_per_point": settings.SECONDS,
        "quick": settings.QUICK,
    }


def os_name():
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r'^PRETTY_NAME="?([^"\n]+)', file.read(), re.MULTILINE)
    return found.group(1) if found else platform.system()


class Neighbours:
    """What other machines of the same host take while something is measured: the share of the processor time that was
    asked for here and was not given. None where the kernel does not say."""

    def __enter__(self):
        self.before = self.times()
        self.share = None
        return self

    def __exit__(self, *_):
        if self.before is None:
            return
        stolen, asked = (after - before for after, before in zip(self.times(), self.before))
        self.share = stolen / asked if asked else 0.0

    @staticmethod
    def times():
        """In ticks since the start: stolen, and stolen or used."""
        try:
            with open("/proc/stat", encoding="utf-8") as file:
                user, nice, system, _, _, interrupts, soft, stolen = map(int, file.readline().split()[1:9])
        except (OSError, ValueError):
            return None
        return stolen, user + nice + system + interrupts + soft + stolen
