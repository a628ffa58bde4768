#!/usr/bin/env python3
"""Find the heart beats in an ECG and write `beats.csv`, `summary.json` and `beats.svg`.

The detector follows Pan and Tompkins (IEEE Trans. Biomed. Eng. 32(3):230-236, 1985): band pass 5-15 Hz, derivative,
square, moving window of 150 ms, a threshold that follows the levels of beats and noise, a refractory period, and a
second look with half the threshold where a beat is overdue. It differs in two points, both for the sake of recordings
with many ventricular beats and loose electrodes: the filter has no delay, and the threshold works on the root of the
energy, where a narrow and a broad beat differ less.

Runs after `check_recording.py`, whose `recording.json` it reads. Environment: REACTORD_INPUT (folder of the upload),
REACTORD_WORK (scratch shared by the steps of a job), REACTORD_OUTPUT (folder that becomes the result), UUID (name of
the upload). Arguments: globs that choose the file, `*.i16le` if there are none.
"""

from __future__ import annotations

import array
import csv
import fnmatch
import hashlib
import json
import math
import os
import statistics
import sys
from itertools import accumulate
from pathlib import Path
from typing import NoReturn
from xml.sax.saxutils import escape

VERSION = "1.0"

BAND_HZ = (5.0, 15.0)
WINDOW_S = 0.150
REFRACTORY_S = 0.250
THRESHOLD = 0.25          # of the way from the noise level up to the beat level
OVERDUE = 1.66            # times the usual distance of beats
GAP_S = 2.0               # no beat for so long: the signal was lost
PLAUSIBLE_RATE = (30.0, 220.0)


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


# Signal


def read_trace(path: Path, recording: dict) -> list[float]:
    """The recording in mV; it must be the very file that was checked."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != recording["sha256"]:
        fail(f"{path.name}: is not the file that check_recording.py has checked")
    samples = array.array("h", content)
    if sys.byteorder == "big":
        samples.byteswap()
    zero, scale = recording["zero_counts"], recording["counts_per_mV"]
    return [(count - zero) / scale for count in samples]


def band_pass(trace: list[float], rate: float) -> list[float]:
    """A second-order band pass, run forth and back so that nothing is shifted in time."""
    low, high = BAND_HZ
    centre = 2 * math.pi * math.sqrt(low * high) / rate
    alpha = math.sin(centre) * (high - low) / (2 * math.sqrt(low * high))
    gain, a1, a2 = alpha / (1 + alpha), -2 * math.cos(centre) / (1 + alpha), (1 - alpha) / (1 + alpha)

    def run(values: list[float]) -> list[float]:
        result, x1, x2, y1, y2 = [], values[0], values[0], 0.0, 0.0
        for x in values:
            y = gain * (x - x2) - a1 * y1 - a2 * y2
            x1, x2, y1, y2 = x, x1, y, y1
            result.append(y)
        return result

    return run(run(trace)[::-1])[::-1]


def energy(trace: list[float], rate: float) -> list[float]:
    """Root mean square of the filtered slope in a moving window: high where something steep happens."""
    filtered = band_pass(trace, rate)
    slope = [0.0] + [after - before for before, after in zip(filtered, filtered[2:])] + [0.0]
    sums = list(accumulate((value * value for value in slope), initial=0.0))
    half, last = round(WINDOW_S * rate / 2), len(trace)
    return [
        math.sqrt(max(0.0, sums[min(last, i + half + 1)] - sums[max(0, i - half)]) / (2 * half + 1))
        for i in range(last)
    ]


def candidates(level: list[float], refractory: int) -> list[int]:
    """Local maxima; of those closer than the refractory period only the highest."""
    kept: list[int] = []
    for i in range(1, len(level) - 1):
        if level[i - 1] < level[i] >= level[i + 1]:
            if kept and i - kept[-1] < refractory:
                if level[i] > level[kept[-1]]:
                    kept[-1] = i
            else:
                kept.append(i)
    return kept


def detect(level: list[float], rate: float) -> list[int]:
    """Samples at which the energy says: a beat."""
    refractory = round(REFRACTORY_S * rate)
    peaks = candidates(level, refractory)
    # To begin with, what is usual for the highest and lowest energy of two seconds: a bad start does no harm then.
    span = round(2 * rate)
    windows = [level[i:i + span] for i in range(0, len(level) - span + 1, span)]
    beat_level = statistics.median(max(window) for window in windows)
    noise_level = statistics.median(min(window) for window in windows)
    beats: list[int] = []
    for i in peaks:
        threshold = noise_level + THRESHOLD * (beat_level - noise_level)
        if level[i] <= threshold:
            noise_level += (level[i] - noise_level) / 8
            continue
        recent = [after - before for before, after in zip(beats[-10:], beats[-9:])]
        if recent and i - beats[-1] > OVERDUE * statistics.median(recent):
            missed = [
                j for j in peaks
                if beats[-1] + refractory <= j <= i - refractory and level[j] > threshold / 2
            ]
            if missed:
                beats.append(max(missed, key=level.__getitem__))
                beat_level += (level[beats[-1]] - beat_level) / 4
        beats.append(i)
        # An artefact must not raise the level so far that the next beats drown.
        beat_level += (min(level[i], 3 * beat_level) - beat_level) / 8
    return beats


def locate(trace: list[float], beats: list[int], rate: float) -> list[tuple[int, float]]:
    """Sample of each R peak, and its height over the median of the second around it."""
    reach, around = round(0.08 * rate), round(0.5 * rate)
    result: list[tuple[int, float]] = []
    for beat in beats:
        baseline = statistics.median(trace[max(0, beat - around):beat + around])
        near = range(max(0, beat - reach), min(len(trace), beat + reach + 1))
        peak = max(near, key=lambda i: abs(trace[i] - baseline))
        if not result or peak > result[-1][0]:
            result.append((peak, trace[peak] - baseline))
    return result


# Plot

INK, FAINT, GRID, TRACE, MARK, LOST = "#1f2933", "#52606d", "#e4e7eb", "#1f5f8b", "#c8322b", "#cbd2d9"


def printable(text: str, limit: int = 100) -> str:
    """Text of unknown origin, fit for XML and short enough for one line."""
    text = "".join(character for character in text if character.isprintable())
    return escape(text if len(text) <= limit else text[:limit - 1] + "…")


class Panel:
    """A rectangle of the plot with its scales."""

    def __init__(self, box: tuple[int, int, int, int], x: tuple[float, float], y: tuple[float, float]):
        self.left, self.top, self.width, self.height = box
        self.x_range, self.y_range = x, y

    def x(self, value: float) -> float:
        low, high = self.x_range
        return round(self.left + self.width * (value - low) / (high - low), 1)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return round(self.top + self.height * (high - value) / (high - low), 1)

    def band(self, first: float, last: float, style: str) -> str:
        """A part of the x axis, marked over the whole height."""
        x, width = self.x(first), round(self.x(last) - self.x(first), 1)
        return f'<rect x="{x}" y="{self.top}" width="{width}" height="{self.height}" {style}/>'

    def axes(self, title: str, x_label: str, y_label: str, x_step: float, y_step: float) -> list[str]:
        bottom, right = self.top + self.height, self.left + self.width
        parts = [f'<text x="{self.left}" y="{self.top - 14}" class="panel">{title}</text>']
        for value in steps(self.x_range, x_step):
            x = self.x(value)
            parts.append(f'<path d="M{x} {self.top}V{bottom}" class="grid"/>')
            parts.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>')
        for value in steps(self.y_range, y_step):
            y = self.y(value)
            parts.append(f'<path d="M{self.left} {y}H{right}" class="grid"/>')
            parts.append(f'<text x="{self.left - 8}" y="{y + 4}" text-anchor="end">{signed(value)}</text>')
        middle = self.top + self.height / 2
        parts.append(f'<path d="M{self.left} {self.top}V{bottom}H{right}" fill="none" stroke="{FAINT}"/>')
        parts.append(f'<text x="{self.left + self.width / 2}" y="{bottom + 40}" text-anchor="middle">{x_label}</text>')
        parts.append(
            f'<text x="26" y="{middle}" text-anchor="middle" transform="rotate(-90 26 {middle})">{y_label}</text>'
        )
        return parts


def steps(span: tuple[float, float], step: float) -> list[float]:
    """Round values within a range."""
    first, last = math.ceil(span[0] / step - 1e-9), math.floor(span[1] / step + 1e-9)
    return [round(i * step, 6) for i in range(first, last + 1)]


def nice(span: float, parts: int) -> float:
    """The smallest round step that divides a span into at most so many parts."""
    ladder = [m * 10.0 ** e for e in range(-3, 6) for m in (1, 2, 5)] + [15, 30, 60, 300, 900, 3600]
    return min(step for step in ladder if span / step <= parts)


def signed(value: float) -> str:
    return f"{value:g}".replace("-", "\u2212")


def polyline(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def plot(trace: list[float], peaks: list[int], rate: float, title: str, subtitle: str) -> str:
    """Ten seconds of the trace with its R peaks, and below them the rate over the whole recording."""
    duration = len(trace) / rate
    start = math.floor((duration - 10) / 2)
    first, last = round(start * rate), round((start + 10) * rate)
    strip = trace[first:last + 1]
    margin = 0.12 * (max(strip) - min(strip)) or 0.1
    upper = Panel((76, 112, 1096, 250), (start, start + 10), (min(strip) - margin, max(strip) + 1.4 * margin))

    beats = [i / rate for i in peaks]
    pairs = list(zip(beats, beats[1:]))
    rates = [(after, 60 / (after - before)) for before, after in pairs if after - before < GAP_S]
    values = sorted(value for _, value in rates)
    rare = len(values) // 100
    lowest = 20 * math.floor(values[rare] / 20 - 0.25) if values else 40
    highest = 20 * math.ceil(values[-1 - rare] / 20 + 0.25) if values else 120
    lower = Panel((76, 448, 1096, 190), (0, duration), (max(0, lowest), highest))

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 700" width="1200" height="700">',
        f"<title>{printable(title)}</title>",
        f"<style>text{{font:13px Helvetica,Arial,'Liberation Sans',sans-serif;fill:{FAINT}}}.title{{font-size:20px;"
        f"font-weight:bold;fill:{INK}}}.panel{{font-size:14px;font-weight:bold;fill:{INK}}}"
        f".grid{{stroke:{GRID};fill:none}}</style>",
        '<rect width="1200" height="700" fill="#ffffff"/>',
        f'<text x="76" y="38" class="title">{printable(title)}</text>',
        f'<text x="76" y="62">{printable(subtitle, 150)}</text>',
    ]

    parts += upper.axes("Ten seconds from the middle", "time in the recording (s)", "potential (mV)", 1,
                        nice(upper.y_range[1] - upper.y_range[0], 6))
    line = polyline([(upper.x(i / rate), upper.y(trace[i])) for i in range(first, min(last + 1, len(trace)))])
    parts.append(f'<path d="{line}" fill="none" stroke="{TRACE}" stroke-width="1.4" stroke-linejoin="round"/>')
    for i in peaks:
        if first <= i <= last:
            x, y = upper.x(i / rate), upper.y(trace[i]) - 7
            parts.append(f'<path d="M{x} {y}l-5 -9h10z" fill="{MARK}"/>')
    parts.append(f'<path d="M1114 99l-5 -9h10z" fill="{MARK}"/><text x="1172" y="98" text-anchor="end">R peak</text>')

    parts.append(lower.band(start, start + 10, f'fill="{TRACE}" opacity="0.12"'))
    parts += lower.axes("Instantaneous heart rate", "time in the recording (s)", "rate (beats per minute)",
                        nice(duration, 12), nice(lower.y_range[1] - lower.y_range[0], 6))
    for before, after in pairs:
        if after - before >= GAP_S:
            parts.append(lower.band(before, after, f'fill="{LOST}"'))
    shown = [(t, min(max(value, lower.y_range[0]), lower.y_range[1])) for t, value in rates]
    dots = "".join(f"M{lower.x(t)} {lower.y(value)}h0" for t, value in shown)
    parts.append(f'<path d="{dots}" stroke="{TRACE}" stroke-width="4" stroke-linecap="round" opacity="0.55"/>')
    smooth = ""
    for k, (t, _) in enumerate(shown):
        pen = "L" if k and t - shown[k - 1][0] < GAP_S else "M"
        middle = statistics.median(value for _, value in shown[max(0, k - 7):k + 8])
        smooth += f"{pen}{lower.x(t)} {lower.y(middle)}"
    parts.append(f'<path d="{smooth}" fill="none" stroke="{MARK}" stroke-width="1.8" stroke-linejoin="round"/>')

    y = lower.top - 18
    parts += [
        f'<circle cx="617" cy="{y}" r="2.6" fill="{TRACE}" opacity="0.7"/><text x="627" y="{y + 4}">60 / RR</text>',
        f'<path d="M701 {y}h20" stroke="{MARK}" stroke-width="1.8"/>'
        f'<text x="729" y="{y + 4}">median of 15 beats</text>',
        f'<rect x="879" y="{y - 6}" width="14" height="12" fill="{TRACE}" opacity="0.15"/>'
        f'<text x="900" y="{y + 4}">strip above</text>',
        f'<rect x="1001" y="{y - 6}" width="14" height="12" fill="{LOST}"/>'
        f'<text x="1022" y="{y + 4}">no beat for {GAP_S:g} s or more</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    path = pick(folder("REACTORD_INPUT"), sys.argv[1:] or ["*.i16le"])
    work, output = folder("REACTORD_WORK"), folder("REACTORD_OUTPUT")
    checked = work / "recording.json"
    if not checked.is_file():
        fail("recording.json: is not in REACTORD_WORK, check_recording.py must run first")
    recording = json.loads(checked.read_text(encoding="utf-8"))
    rate = recording["sampling_rate_hz"]

    print(f"reading {path.name}", flush=True)
    trace = read_trace(path, recording)
    minutes = len(trace) / rate / 60
    print(f"filtering {len(trace)} samples", flush=True)
    level = energy(trace, rate)
    print("finding beats", flush=True)
    beats = locate(trace, detect(level, rate), rate)
    peaks = [sample for sample, _ in beats]
    per_minute = len(beats) / minutes
    low, high = PLAUSIBLE_RATE
    if not low <= per_minute <= high:
        fail(f"{path.name}: {len(beats)} beats in {minutes:.2f} min, {per_minute:.1f} per minute,"
             f" is not within {low:g} to {high:g}")

    print("writing beats.csv, summary.json, beats.svg", flush=True)
    output.mkdir(parents=True, exist_ok=True)
    distances = [(after - before) / rate for before, after in zip(peaks, peaks[1:])]
    with open(output / "beats.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["beat", "time_s", "sample", "amplitude_mV", "rr_s"])
        for number, (sample, height) in enumerate(beats, 1):
            distance = f"{distances[number - 2]:.4f}" if number > 1 else ""
            table.writerow([number, f"{sample / rate:.4f}", sample, f"{height:.3f}", distance])
    summary = {
        "uuid": os.environ.get("UUID", ""),
        "recording": recording["recording"],
        "file": path.name,
        "sha256": recording["sha256"],
        "version": VERSION,
        "beats": len(beats),
        "duration_s": round(len(trace) / rate, 3),
        "rate_per_minute": round(per_minute, 2),
        "rr_median_s": round(statistics.median(distances), 4),
        "rr_min_s": round(min(distances), 4),
        "rr_max_s": round(max(distances), 4),
        "gaps": [
            {"from_s": round(sample / rate, 3), "to_s": round(sample / rate + distance, 3)}
            for sample, distance in zip(peaks, distances) if distance >= GAP_S
        ],
    }
    (output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    result = f"{len(beats)} beats in {minutes:.1f} min, {per_minute:.1f} per minute"
    subtitle = " · ".join(text for text in (summary["uuid"], path.name, result) if text)
    picture = plot(trace, peaks, rate, recording["recording"], subtitle)
    (output / "beats.svg").write_text(picture, encoding="utf-8")
    print(result)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(str(error))
