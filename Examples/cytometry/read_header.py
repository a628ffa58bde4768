#!/usr/bin/env python3
"""Read and check the header of an FCS file (flow cytometry standard 3.0; 2.0 and 3.1 are near enough).

An FCS file starts with a fixed HEADER of 58 bytes that tells where the segments TEXT, DATA and ANALYSIS lie. TEXT is a
list of keywords and values between delimiters; it says how many events DATA holds and how they are stored. What is
found is written to `header.json` for the steps that follow; a file that contradicts itself stops the job with exit
code 1 and one line on stderr.

Environment: REACTORD_INPUT (folder of the upload), REACTORD_WORK (scratch shared by the steps of a job), UUID (name of
the upload). Arguments: globs that choose the file, `*.fcs` if there are none.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import NoReturn

HEADER_BYTES = 58
BITS_OF_TYPE = {"F": (32,), "D": (64,), "I": (8, 16, 32)}


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


class FCSFile:
    """The content of one file and what its header says about it."""

    def __init__(self, path: Path):
        self.name = path.name
        self.content = path.read_bytes()
        self.version, self.offsets = self.read_header()
        self.keywords = self.read_text(*self.offsets["TEXT"])
        first, last = self.number("$BEGINSTEXT", 0), self.number("$ENDSTEXT", 0)
        if first and (first, last) != self.offsets["TEXT"]:
            self.keywords = {**self.read_text(first, last), **self.keywords}

    def fail(self, reason: str) -> NoReturn:
        fail(f"{self.name}: {reason}")

    def read_header(self) -> tuple[str, dict[str, tuple[int, int]]]:
        """The version, and the first and last byte of each segment."""
        header = self.content[:HEADER_BYTES]
        if not re.match(rb"FCS[23]\.\d", header) or len(header) < HEADER_BYTES:
            self.fail(f"does not start with the header of an FCS file but with {header[:6]!r}")
        fields = [header[i:i + 8].strip() for i in range(10, HEADER_BYTES, 8)]
        wrong = [field for field in fields if field and not field.isdigit()]
        if wrong:
            self.fail(f"the header has {wrong[0]!r} where an offset must be")
        numbers = [int(field or 0) for field in fields]
        names = ("TEXT", "DATA", "ANALYSIS")
        return header[:6].decode(), {name: (numbers[2 * i], numbers[2 * i + 1]) for i, name in enumerate(names)}

    def segment(self, name: str, first: int, last: int) -> bytes:
        """The bytes of a segment, if it lies within the file."""
        if not HEADER_BYTES <= first < last < len(self.content):
            self.fail(f"{name} segment, bytes {first} to {last}, does not lie within the {len(self.content)} bytes")
        return self.content[first:last + 1]

    def read_text(self, first: int, last: int) -> dict[str, str]:
        """Keywords and values. The first byte is the delimiter; doubled, it stands for itself."""
        segment = self.segment("TEXT", first, last)
        delimiter = re.escape(segment[:1])
        token = re.compile(rb"((?:[^%b]|%b%b)+)(?:%b|\Z)" % ((delimiter,) * 4))
        tokens, position = [], 1
        for match in token.finditer(segment, 1):
            if match.start() != position:
                self.fail(f"TEXT segment has an empty keyword or value at byte {first + position}")
            tokens.append(match[1].replace(segment[:1] * 2, segment[:1]))
            position = match.end()
        if tokens and len(tokens) % 2 and not tokens[-1].strip():
            tokens.pop()
        if not tokens or len(tokens) % 2:
            self.fail(f"TEXT segment has {len(tokens)} parts, keywords and values do not pair")
        try:
            words = [word.decode("utf-8").strip() for word in tokens]
        except UnicodeDecodeError:
            words = [word.decode("latin-1").strip() for word in tokens]
        return {keyword.upper(): value for keyword, value in zip(words[::2], words[1::2])}

    def text(self, keyword: str) -> str:
        if not self.keywords.get(keyword):
            self.fail(f"{keyword} is missing in the TEXT segment")
        return self.keywords[keyword]

    def number(self, keyword: str, missing: int | None = None) -> int:
        if missing is not None and keyword not in self.keywords:
            return missing
        value = self.text(keyword)
        if not re.fullmatch(r"[0-9]{1,15}", value):
            self.fail(f"{keyword} must be a whole number, it is {value!r}")
        return int(value)

    def byte_order(self) -> str:
        """`little` or `big`: $BYTEORD lists the bytes of a word from the one stored first, 1 being the lowest."""
        order = self.text("$BYTEORD").replace(" ", "").split(",")
        counted = [str(i + 1) for i in range(len(order))]
        if order not in (counted, counted[::-1]):
            self.fail(f"$BYTEORD {','.join(order)} is not supported, only 1,2,3,4 and 4,3,2,1")
        return "little" if order == counted and len(order) > 1 else "big"

    def channels(self, datatype: str) -> list[dict]:
        """Name, stain and storage of each parameter."""
        result = []
        for n in range(1, self.number("$PAR") + 1):
            bits = self.number(f"$P{n}B")
            if bits not in BITS_OF_TYPE[datatype]:
                self.fail(f"$P{n}B {bits} does not go with $DATATYPE {datatype}")
            result.append({
                "name": self.text(f"$P{n}N"),
                "stain": self.keywords.get(f"$P{n}S", ""),
                "bits": bits,
                "range": self.number(f"$P{n}R") if datatype == "I" else None,
                "display": self.keywords.get(f"P{n}DISPLAY", ""),
            })
        names = [channel["name"] for channel in result]
        doubled = [name for name in names if names.count(name) > 1]
        if doubled:
            self.fail(f"two channels are called {doubled[0]!r}")
        return result

    def data_segment(self, needed: int) -> tuple[int, int]:
        """First and last byte of DATA; offsets beyond eight digits stand in TEXT only."""
        first, last = self.offsets["DATA"]
        stated = self.number("$BEGINDATA", 0), self.number("$ENDDATA", 0)
        if first == 0:
            first, last = stated
        elif all(stated) and stated != (first, last):
            self.fail(f"DATA lies at bytes {first} to {last} by the header, at {stated[0]} to {stated[1]} by TEXT")
        # Some writers state the byte after the last one.
        if last + 1 - first not in (needed, needed + 1):
            self.fail(f"DATA segment, bytes {first} to {last}, has not the {needed} bytes that $TOT and $PAR need")
        self.segment("DATA", first, first + needed - 1)
        return first, first + needed - 1


def main() -> None:
    path = pick(folder("REACTORD_INPUT"), sys.argv[1:] or ["*.fcs"])
    work = folder("REACTORD_WORK")
    print(f"reading {path.name}", flush=True)
    fcs = FCSFile(path)

    if fcs.keywords.get("$MODE", "L") != "L":
        fcs.fail(f"$MODE {fcs.keywords['$MODE']} is not supported, only L (a list of events)")
    datatype = fcs.text("$DATATYPE")
    if datatype not in BITS_OF_TYPE:
        fcs.fail(f"$DATATYPE {datatype} is not supported, only F, D and I")
    channels = fcs.channels(datatype)
    events = fcs.number("$TOT")
    if not channels or not events:
        fcs.fail(f"has {events} events of {len(channels)} channels")
    first, last = fcs.data_segment(events * sum(channel["bits"] for channel in channels) // 8)

    header = {
        "uuid": os.environ.get("UUID", ""),
        "file": path.name,
        "sha256": hashlib.sha256(fcs.content).hexdigest(),
        "version": fcs.version,
        "events": events,
        "datatype": datatype,
        "byte_order": fcs.byte_order(),
        "data": {"first_byte": first, "last_byte": last},
        "channels": channels,
        "keywords": fcs.keywords,
    }
    work.mkdir(parents=True, exist_ok=True)
    (work / "header.json").write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")
    print(f"{header['version']}, {events} events of {len(channels)} channels, sha256 {header['sha256'][:12]}")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(str(error))
