"""What can be chosen from outside, and where things are."""

import contextlib
import os
import pathlib
import shutil
import tempfile

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent
TOOLS = HERE / ".tools"
RESULTS = HERE / "results"

QUICK = os.environ.get("QUICK", "") not in ("", "0")
ONLY = [name for name in os.environ.get("ONLY", "").replace(",", " ").split() if name]
ROUNDS = int(os.environ.get("ROUNDS", "0")) or (2 if QUICK else 5)
SECONDS = float(os.environ.get("SECONDS_PER_POINT", "0")) or (1.5 if QUICK else 4.0)
WARM_UP = 0.5 if QUICK else 1.0
# "as-is", "slowed" or both.
DISKS = [name for name in os.environ.get("DISKS", "as-is slowed").replace(",", " ").split() if name]
# Microseconds that fsync and fdatasync sleep on the slowed disk: what a network disk or a plain hard disk takes.
SYNC_DELAY_US = int(os.environ.get("SYNC_DELAY_US", "2300"))
# A point is taken again, so often at most, when others of the host got more than this share of the processor time that
# was asked for here; the one that they disturbed least counts.
DISTURBED = float(os.environ.get("DISTURBED", "0.1"))
TRIES = 1 if QUICK else 3
BODY_BYTES = 512
PUBLISHERS = (64, 256)
# Another build of the daemon than the one that is made here, to compare two of them.
DAEMON = os.environ.get("REACTORD_BINARY", "")

_data = None


def data():
    """The folder that every server keeps its data in during a run: one disk for all of them."""
    return _data


@contextlib.contextmanager
def data_folder():
    """Not /tmp, which is memory on many machines. Others than root must be able to pass through it."""
    global _data
    parent = os.environ.get("BENCH_DATA", "/var/tmp")
    _data = pathlib.Path(tempfile.mkdtemp(prefix="reactord-bench-", dir=parent))
    _data.chmod(0o711)
    try:
        yield _data
    finally:
        shutil.rmtree(_data, ignore_errors=True)
