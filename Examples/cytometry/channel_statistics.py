#!/usr/bin/env python3
"""Statistics and a histogram of every channel of an FCS file: `statistics.csv`, `summary.json`, `histogram.svg`.

Values are taken as they are stored: no compensation, no gain, no gates. Values that are not finite are left out and
counted. Runs after `read_header.py`, whose `header.json` tells where the events lie and how they are stored.

Environment: REACTORD_INPUT (folder of the upload), REACTORD_WORK (scratch shared by the steps of a job),
REACTORD_OUTPUT (folder that becomes the result), UUID (name of the upload). Arguments: globs that choose the file,
`*.fcs` if there are none.
"""

from __future__ import annotations

import array
import csv
import fnmatch
import hashlib
import json
import math
import os
import sys
from pathlib import Path
from typing import NoReturn
from xml.sax.saxutils import escape

VERSION = "1.0"

TYPE_CODES = {("F", 32): "f", ("D", 64): "d", ("I", 8): "B", ("I", 16): "H", ("I", 32): "I"}
COLUMNS = ("channel", "stain", "events", "min", "p5", "median", "mean", "p95", "max", "sd")


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


def read_channels(path: Path, header: dict) -> list[list[float]]:
    """The values of each channel, sorted; the file must be the very one that was checked."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != header["sha256"]:
        fail(f"{path.name}: is not the file that read_header.py has checked")
    data = content[header["data"]["first_byte"]:header["data"]["last_byte"] + 1]
    event_bytes = sum(channel["bits"] for channel in header["channels"]) // 8

    result, offset = [], 0
    for channel in header["channels"]:
        size = channel["bits"] // 8
        column = bytearray(header["events"] * size)
        for k in range(size):
            column[k::size] = data[offset + k::event_bytes]
        offset += size
        values = array.array(TYPE_CODES[header["datatype"], channel["bits"]], bytes(column))
        if header["byte_order"] != sys.byteorder:
            values.byteswap()
        if header["datatype"] == "I" and channel["range"] > 1:
            # Bits above the range of the channel carry no value.
            mask = (1 << (channel["range"] - 1).bit_length()) - 1
            values = [value & mask for value in values]
        finite = sorted(value for value in values if math.isfinite(value))
        if not finite:
            fail(f"{path.name}: channel {channel['name']} has no finite value")
        result.append(finite)
    return result


def quantile(values: list[float], part: float) -> float:
    """Of sorted values, with linear interpolation."""
    position = part * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def describe(channel: dict, values: list[float]) -> dict:
    """One row of the table."""
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
    return {
        "channel": channel["name"], "stain": channel["stain"], "events": len(values), "min": values[0],
        "p5": quantile(values, 0.05), "median": quantile(values, 0.5), "mean": mean, "p95": quantile(values, 0.95),
        "max": values[-1], "sd": math.sqrt(spread),
    }


# Plot

INK, FAINT, GRID, BARS, BAND, MARK = "#1f2933", "#52606d", "#d9dee3", "#4b88b5", "#eef3f7", "#c8322b"
COLUMNS_OF_PANELS, CELL_WIDTH, CELL_HEIGHT, WIDTH, HEIGHT, BINS = 4, 286, 232, 236, 138, 79


def printable(text: str, limit: int = 100) -> str:
    """Text of unknown origin, fit for XML and short enough for one line."""
    text = "".join(character for character in text if character.isprintable())
    return escape(text if len(text) <= limit else text[:limit - 1] + "…")


def short(value: float) -> str:
    """At most three digits: 0.42, 390, 4.56k, 262k, 1.2M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * size:
            value, text = value / size, unit
            break
    else:
        text = ""
    return f"{float(f'{value:.3g}'):g}{text}".replace("-", "\u2212")


class Scale:
    """The axis of one channel: linear, or asinh, which is linear around zero and logarithmic far from it.

    The width of the linear part is the interquartile range: a narrower one would split a population around zero.
    """

    def __init__(self, values: list[float], channel: dict):
        middle = quantile(values, 0.75) - quantile(values, 0.25)
        far = max(abs(quantile(values, 0.001)), abs(quantile(values, 0.999)))
        wished = channel["display"].upper()
        self.width = middle if middle > 0 and (wished == "LOG" or not wished and far > 30 * middle) else None
        self.low, self.high = self.bend(values[0]), self.bend(values[-1])
        if self.low == self.high:
            self.low, self.high = self.low - 0.5, self.high + 0.5

    def bend(self, value: float) -> float:
        return math.asinh(value / self.width) if self.width else value

    def part(self, value: float) -> float:
        """0 at the left end, 1 at the right end."""
        return (self.bend(value) - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round values, not too close to each other."""
        if self.width:
            decades = [10.0 ** k for k in range(-12, 160) if 10.0 ** k > 0.7 * self.width]
            wanted = [0.0] + [sign * decade for decade in decades for sign in (1, -1)]
        else:
            span = self.high - self.low
            step = min(m * 10.0 ** e for e in range(-12, 160) for m in (1, 2, 5) if span / (m * 10.0 ** e) <= 5)
            wanted = [i * step for i in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        kept: list[float] = []
        for value in wanted:
            part = self.part(value)
            if -1e-9 <= part <= 1 + 1e-9 and all(abs(part - self.part(other)) > 0.13 for other in kept):
                kept.append(value)
        return kept


def panel(left: int, top: int, channel: dict, values: list[float], row: dict) -> list[str]:
    """The histogram of one channel."""
    scale, bottom = Scale(values, channel), top + HEIGHT
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int(scale.part(value) * BINS))] += 1
    highest = max(counts)

    def x(value: float) -> float:
        return round(left + WIDTH * scale.part(value), 1)

    def y(count: float) -> float:
        return round(bottom - 0.94 * HEIGHT * count / highest, 1)

    outline = "".join(f"H{round(left + WIDTH * i / BINS, 1)}V{y(count)}" for i, count in enumerate(counts))
    room = max(4, 24 - len(channel["name"]))
    stain = f'<tspan class="stain" dx="7">{printable(channel["stain"], room)}</tspan>' if channel["stain"] else ""
    parts = [
        f'<text x="{left}" y="{top - 12}" class="name">{printable(channel["name"], 20)}{stain}</text>',
        f'<text x="{left + WIDTH}" y="{top - 12}" text-anchor="end" class="median">{short(row["median"])}</text>',
        f'<rect x="{x(row["p5"])}" y="{top}" width="{round(x(row["p95"]) - x(row["p5"]), 1)}" height="{HEIGHT}"'
        f' fill="{BAND}"/>',
        f'<path d="M{left} {y(highest)}H{left + WIDTH}" stroke="{GRID}" stroke-dasharray="2 3"/>',
        f'<text x="{left - 5}" y="{y(highest) + 4}" text-anchor="end">{short(highest)}</text>',
        f'<path d="M{left} {bottom}{outline}H{left + WIDTH}V{bottom}z" fill="{BARS}"/>',
        f'<path d="M{x(row["median"])} {top}V{bottom}" stroke="{MARK}" stroke-width="1.6"/>',
        f'<path d="M{left} {top}V{bottom}H{left + WIDTH}" fill="none" stroke="{FAINT}"/>',
    ]
    for value in scale.ticks():
        parts.append(f'<path d="M{x(value)} {bottom}v4" stroke="{FAINT}"/>')
        parts.append(f'<text x="{x(value)}" y="{bottom + 17}" text-anchor="middle">{short(value)}</text>')
    kind = "asinh scale" if scale.width else "linear scale"
    middle = left + WIDTH / 2
    parts.append(f'<text x="{middle}" y="{bottom + 34}" text-anchor="middle" class="unit">value, {kind}</text>')
    return parts


def plot(header: dict, table: list[dict], columns: list[list[float]], title: str, subtitle: str) -> str:
    """One small histogram for each channel."""
    lines = math.ceil(len(table) / COLUMNS_OF_PANELS)
    width, height = 24 + COLUMNS_OF_PANELS * CELL_WIDTH, 104 + lines * CELL_HEIGHT
    right = 54 + (COLUMNS_OF_PANELS - 1) * CELL_WIDTH + WIDTH
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>{printable(title)}</title>",
        f"<style>text{{font:12px Helvetica,Arial,'Liberation Sans',sans-serif;fill:{FAINT}}}.title{{font-size:20px;"
        f"font-weight:bold;fill:{INK}}}.line{{font-size:13px}}.name{{font-size:14px;font-weight:bold;fill:{INK}}}"
        f".stain{{font-size:12px;font-weight:normal;fill:{FAINT}}}.median{{fill:{MARK}}}"
        ".unit{font-size:11px}</style>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="54" y="38" class="title">{printable(title, 80)}</text>',
        f'<text x="54" y="62" class="line">{printable(subtitle, 130)}</text>',
        f'<rect x="{right - 362}" y="28" width="14" height="12" fill="{BARS}"/>'
        f'<text x="{right - 342}" y="38">events per bin</text>',
        f'<path d="M{right - 230} 27v14" stroke="{MARK}" stroke-width="1.6"/>'
        f'<text x="{right - 221}" y="38">median</text>',
        f'<rect x="{right - 146}" y="28" width="14" height="12" fill="{BAND}" stroke="{GRID}"/>'
        f'<text x="{right - 126}" y="38">5th to 95th percentile</text>',
    ]
    for i, (channel, values, row) in enumerate(zip(header["channels"], columns, table)):
        left, top = 54 + i % COLUMNS_OF_PANELS * CELL_WIDTH, 116 + i // COLUMNS_OF_PANELS * CELL_HEIGHT
        parts += panel(left, top, channel, values, row)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main() -> None:
    path = pick(folder("REACTORD_INPUT"), sys.argv[1:] or ["*.fcs"])
    work, output = folder("REACTORD_WORK"), folder("REACTORD_OUTPUT")
    checked = work / "header.json"
    if not checked.is_file():
        fail("header.json: is not in REACTORD_WORK, read_header.py must run first")
    header = json.loads(checked.read_text(encoding="utf-8"))

    print(f"reading {header['events']} events from {path.name}", flush=True)
    columns = read_channels(path, header)
    table = []
    for channel, values in zip(header["channels"], columns):
        print(f"describing {channel['name']}", flush=True)
        table.append(describe(channel, values))

    print("writing statistics.csv, summary.json, histogram.svg", flush=True)
    output.mkdir(parents=True, exist_ok=True)
    with open(output / "statistics.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in table:
            writer.writerow({key: f"{value:.7g}" if isinstance(value, float) else value for key, value in row.items()})
    summary = {
        "uuid": os.environ.get("UUID", ""),
        "file": path.name,
        "sha256": header["sha256"],
        "version": VERSION,
        "fcs_version": header["version"],
        "instrument": header["keywords"].get("$CYT", ""),
        "acquired": " ".join(header["keywords"].get(key, "") for key in ("$DATE", "$BTIM")).strip(),
        "events": header["events"],
        "channels": len(table),
        "not_finite": sum(header["events"] - row["events"] for row in table),
        "medians": {row["channel"]: float(f"{row['median']:.7g}") for row in table},
    }
    (output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    result = f"{header['events']} events, {len(table)} channels"
    facts = (summary["uuid"], summary["instrument"], summary["acquired"], result)
    subtitle = " · ".join(text for text in facts if text)
    picture = plot(header, table, columns, header["keywords"].get("$FIL") or path.name, subtitle)
    (output / "histogram.svg").write_text(picture, encoding="utf-8")
    print(result)


if __name__ == "__main__":
    try:
        main()
    except (OSError, OverflowError) as error:
        fail(str(error))
