#!/usr/bin/env python3
"""Check an uploaded recording before anything is computed from it.

The upload is a file `*.i16le` (one channel, signed 16-bit little endian) with a `metadata.json` beside it that tells
the number of samples, the sampling rate and the units. The check stops with exit code 1 and one line on stderr when
the two do not fit each other; else it writes what it found to `recording.json`, for the steps that follow.

Environment: REACTORD_INPUT (folder of the upload), REACTORD_WORK (scratch shared by the steps of a job), UUID (name of
the upload). Arguments: globs that choose the file, `*.i16le` if there are none.
"""

from __future__ import annotations

import array
import fnmatch
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import NoReturn

BYTES_PER_SAMPLE = 2
SAMPLING_RATES_HZ = (100, 50_000)
SHORTEST_S = 10


def fail(reason: str) -> NoReturn:
    """End the step with one line that says why."""
    print(" ".join(reason.split()), file=sys.stderr)
    sys.exit(1)


def folder(variable: str) -> Path:
    """The folder that an environment variable names."""
    if not os.environ.get(variable):
        fail(f"{variable} is not set")
    return Path(os.environ[variable])


def pick(files: Path, patterns: list[str]) -> Path:
    """The one file of the upload whose name matches one of the globs."""
    found = sorted(
        path for path in files.rglob("*")
        if path.is_file() and any(fnmatch.fnmatchcase(path.name, pattern) for pattern in patterns)
    )
    if len(found) != 1:
        names = ": " + ", ".join(str(path.relative_to(files)) for path in found[:4]) if found else ""
        fail(f"one file {' or '.join(patterns)} is needed in the upload, there are {len(found)}{names}")
    return found[0]


def read_metadata(path: Path) -> dict:
    """The metadata, with every value that the analysis needs checked."""
    if not path.is_file():
        fail(f"{path.name}: is missing beside the recording")
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        fail(f"{path.name}: is not JSON: {error}")
    if not isinstance(metadata, dict):
        fail(f"{path.name}: is not a JSON object")

    samples = metadata.get("samples")
    if type(samples) is not int or samples < 1:
        fail(f"{path.name}: samples must be a whole number above zero, it is {samples!r}")
    rate = metadata.get("sampling_rate_hz")
    slowest, fastest = SAMPLING_RATES_HZ
    if type(rate) not in (int, float) or not slowest <= rate <= fastest:
        fail(f"{path.name}: sampling_rate_hz must be a number from {slowest} to {fastest}, it is {rate!r}")
    if samples < SHORTEST_S * rate:
        fail(f"{path.name}: {samples} samples at {rate} Hz are less than {SHORTEST_S} s")
    encoding = metadata.get("encoding")
    if not str(encoding).startswith("signed 16-bit little endian"):
        fail(f"{path.name}: encoding must be signed 16-bit little endian, it is {encoding!r}")
    return metadata


def read_units(metadata: dict) -> tuple[float, float]:
    """Counts per mV and the count that means 0 mV, out of a text like `200 counts per mV, zero at 1024`."""
    units = str(metadata.get("units"))
    scale = re.search(r"(\d+(?:\.\d+)?) counts per mV", units)
    zero = re.search(r"zero at (-?\d+(?:\.\d+)?)", units)
    if not scale or not zero or float(scale[1]) == 0:
        fail(f"metadata.json: units must say `N counts per mV` and `zero at N`, they are {units!r}")
    return float(scale[1]), float(zero[1])


def main() -> None:
    path = pick(folder("REACTORD_INPUT"), sys.argv[1:] or ["*.i16le"])
    work = folder("REACTORD_WORK")
    print(f"checking {path.name}", flush=True)

    metadata = read_metadata(path.with_name("metadata.json"))
    counts_per_mv, zero = read_units(metadata)
    content = path.read_bytes()
    expected = metadata["samples"] * BYTES_PER_SAMPLE
    if len(content) != expected:
        fail(f"{path.name}: has {len(content)} bytes, metadata.json says"
             f" {metadata['samples']} samples, which are {expected} bytes")

    samples = array.array("h", content)
    if sys.byteorder == "big":
        samples.byteswap()
    low, high, mean = min(samples), max(samples), sum(samples) / len(samples)
    if low == high:
        fail(f"{path.name}: every sample is {low}, nothing was recorded")

    recording = {
        "uuid": os.environ.get("UUID", ""),
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "recording": str(metadata.get("recording") or path.stem),
        "samples": len(samples),
        "sampling_rate_hz": metadata["sampling_rate_hz"],
        "duration_s": round(len(samples) / metadata["sampling_rate_hz"], 3),
        "counts_per_mV": counts_per_mv,
        "zero_counts": zero,
        "min_mV": round((low - zero) / counts_per_mv, 4),
        "max_mV": round((high - zero) / counts_per_mv, 4),
        "mean_mV": round((mean - zero) / counts_per_mv, 4),
    }
    work.mkdir(parents=True, exist_ok=True)
    (work / "recording.json").write_text(json.dumps(recording, indent=2) + "\n", encoding="utf-8")
    print(
        f"{len(samples)} samples at {recording['sampling_rate_hz']} Hz,"
        f" {recording['min_mV']} to {recording['max_mV']} mV, sha256 {recording['sha256'][:12]}"
    )


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(str(error))
