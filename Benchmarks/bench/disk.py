"""The disk as it is, and made slow: what fdatasync gives, and how a program gets a slower one."""

import os
import subprocess

import build
import settings


class Mood:
    """One of the two disks that everything durable is measured on."""

    def __init__(self, name, title, delay_us):
        self.name, self.title, self.delay_us = name, title, delay_us

    def environment(self):
        """For programs that sync through the C library."""
        if not self.delay_us:
            return {}
        return {"LD_PRELOAD": str(build.SLOW_SYNC), "SYNC_DELAY_US": str(self.delay_us)}

    def wrapper(self):
        """For programs that do not: a command to put in front of theirs, and what it needs in its environment."""
        if not self.delay_us:
            return [], {}
        return [str(build.SLOW_SYNC_RUN)], {"SYNC_DELAY_US": str(self.delay_us)}

    def sync_rate(self, seconds=0.2):
        """fdatasync calls per second, 4 KiB each into a file that was written before."""
        command = [str(build.FDATASYNC_RATE), str(settings.data()), str(seconds)]
        return float(subprocess.check_output(command, env={**os.environ, **self.environment()}))


AS_IS = Mood("as-is", "disk as it is", 0)
SLOWED = Mood("slowed", f"disk slowed ({settings.SYNC_DELAY_US} µs more per sync)", settings.SYNC_DELAY_US)


def moods(names):
    return [mood for mood in (AS_IS, SLOWED) if mood.name in names and mood.name in settings.DISKS]
