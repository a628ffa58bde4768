"""Runs the example analyses as a job does, on the real data and on uploads that are broken in one way each.

    python3 -m unittest discover -s Tests/ExamplesTests
"""

from __future__ import annotations

import array
import csv
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EPHYS = ROOT / "Examples" / "ephys"
CYTOMETRY = ROOT / "Examples" / "cytometry"
RECORDING = "mitbih208_ecg_360hz.i16le"
ACQUISITION = "FCS_3.0_Fortessa_PBS_Specimen_001_A1_A01.fcs"


class StepTest(unittest.TestCase):
    """Three folders for one job, and a way to run its steps."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        base = Path(temporary.name)
        self.input, self.work, self.output = base / "input", base / "work", base / "output"
        for path in (self.input, self.work, self.output):
            path.mkdir()
        self.environment = {
            "PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1", "UUID": "2026-11-21-e-test",
            "REACTORD_INPUT": str(self.input), "REACTORD_WORK": str(self.work), "REACTORD_OUTPUT": str(self.output),
        }

    def step(self, script: Path, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(script), *arguments], env=self.environment, cwd=self.input, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )

    def succeed(self, script: Path, *arguments: str) -> list[str]:
        """The lines the step prints."""
        result = self.step(script, *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout.splitlines()

    def refuse(self, script: Path, *words: str) -> None:
        """The step exits with 1 and says why in one line that has these words; it leaves no result."""
        result = self.step(script)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(list(self.output.iterdir()), [])

    def table(self, name: str) -> list[dict]:
        with open(self.output / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def json(self, path: Path) -> dict:
        return json.loads(path.read_text(encoding="utf-8"))

    def picture(self, name: str) -> str:
        """The text of an SVG that is well formed, small, and needs nothing from elsewhere."""
        content = (self.output / name).read_bytes()
        self.assertLess(len(content), 300_000)
        root = ElementTree.fromstring(content)
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        for element in root.iter():
            self.assertFalse([key for key in element.attrib if key.endswith("href")])
        self.assertNotIn(b"url(", content)
        self.assertNotIn(b"nan", content)
        return " ".join(root.itertext())


class BeatsTests(StepTest):
    check, detect = EPHYS / "check_recording.py", EPHYS / "detect_beats.py"

    def setUp(self):
        super().setUp()
        for name in (RECORDING, "metadata.json"):
            shutil.copy(EPHYS / name, self.input)

    def metadata(self, **changes):
        metadata = self.json(EPHYS / "metadata.json")
        metadata.update(changes)
        (self.input / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")

    def record(self, millivolts: list[float]):
        """Replaces the recording."""
        samples = array.array("h", (round(1024 + 200 * value) for value in millivolts))
        if sys.byteorder == "big":
            samples.byteswap()
        (self.input / RECORDING).write_bytes(samples.tobytes())
        self.metadata(samples=len(samples))

    def test_checked_recording(self):
        self.succeed(self.check)
        recording = self.json(self.work / "recording.json")
        self.assertEqual(recording["file"], RECORDING)
        self.assertEqual(recording["sha256"], "45cbec844577d9c7e2117b2011a5d524ab6dd49d93c29f5f5aea690772681b8f")
        self.assertEqual((recording["samples"], recording["sampling_rate_hz"]), (108_000, 360))
        self.assertEqual(recording["duration_s"], 300)
        self.assertEqual((recording["min_mV"], recording["max_mV"]), (-3.485, 3.65))
        self.assertAlmostEqual(recording["mean_mV"], -0.1651, places=4)

    def test_beats_of_record_208(self):
        self.succeed(self.check)
        lines = self.succeed(self.detect)
        self.assertEqual(lines[-1], "502 beats in 5.0 min, 100.4 per minute")
        summary = self.json(self.output / "summary.json")
        self.assertEqual(summary["uuid"], "2026-11-21-e-test")
        self.assertEqual(summary["sha256"], self.json(self.work / "recording.json")["sha256"])
        self.assertTrue(90 < summary["rate_per_minute"] < 110)
        self.assertTrue(0.5 < summary["rr_median_s"] < 0.65)
        self.assertEqual(len(summary["gaps"]), 2)

        beats = self.table("beats.csv")
        self.assertEqual(list(beats[0]), ["beat", "time_s", "sample", "amplitude_mV", "rr_s"])
        self.assertEqual(len(beats), summary["beats"])
        self.assertEqual(beats[0]["rr_s"], "")
        times = [float(beat["time_s"]) for beat in beats]
        self.assertEqual(times, sorted(set(times)))
        for before, beat in zip(times, beats[1:]):
            self.assertAlmostEqual(float(beat["rr_s"]), float(beat["time_s"]) - before, places=3)
        # The first beats by the reference annotations of the database, in samples of this excerpt.
        for beat, annotated in zip(beats, (125, 342, 551, 748, 944, 1131, 1318, 1501, 1690, 1879)):
            self.assertLessEqual(abs(int(beat["sample"]) - annotated), 4)

    def test_plot(self):
        self.metadata(recording="a <record> & \"more\" \u0000\ud800")
        self.succeed(self.check)
        self.succeed(self.detect)
        text = self.picture("beats.svg")
        for words in ("a <record> & \"more\"", "potential (mV)", "time in the recording (s)", "beats per minute"):
            self.assertIn(words, text)

    def test_same_input_same_result(self):
        results = []
        for _ in range(2):
            self.succeed(self.check)
            self.succeed(self.detect)
            results.append([path.read_bytes() for path in sorted(self.output.iterdir())])
        self.assertEqual(results[0], results[1])
        self.assertEqual(len(results[0]), 3)

    def test_regular_beats_upside_down(self):
        # 75 beats per minute, pointing down, after ten seconds of nothing.
        beat = [-1.2 * math.exp(-((i - 144) / 5) ** 2) for i in range(288)]
        self.record([0.0] * 3600 + beat * 65)
        self.succeed(self.check)
        self.succeed(self.detect)
        beats = self.table("beats.csv")
        self.assertEqual([int(beat["sample"]) for beat in beats], [3744 + 288 * k for k in range(65)])
        self.assertTrue(all(float(beat["amplitude_mV"]) == -1.2 for beat in beats))
        self.picture("beats.svg")

    def test_glob_as_argument(self):
        shutil.copy(EPHYS / RECORDING, self.input / "other.i16le")
        self.refuse(self.check, "*.i16le", "there are 2")
        self.succeed(self.check, "mitbih*")
        self.succeed(self.detect, "mitbih*")

    def test_implausible_rate(self):
        beat = [1.2 * math.exp(-((i - 144) / 5) ** 2) for i in range(1080)]
        self.record(beat * 20)
        self.succeed(self.check)
        self.refuse(self.detect, RECORDING, "20.0 per minute", "30 to 220")

    def test_truncated_recording(self):
        content = (self.input / RECORDING).read_bytes()
        (self.input / RECORDING).write_bytes(content[:100_001])
        self.refuse(self.check, RECORDING, "100001 bytes", "216000")

    def test_flat_recording(self):
        self.record([0.0] * 7200)
        self.refuse(self.check, RECORDING, "every sample is 1024")

    def test_metadata_missing(self):
        (self.input / "metadata.json").unlink()
        self.refuse(self.check, "metadata.json", "missing")

    def test_metadata_unusable(self):
        for text in ("{", "[]", "[" * 100_000, "\"x\""):
            with self.subTest(text=text[:10]):
                (self.input / "metadata.json").write_text(text, encoding="utf-8")
                self.refuse(self.check, "metadata.json", "JSON")
        (self.input / "metadata.json").write_bytes(b"\xff\xfe{")
        self.refuse(self.check, "metadata.json", "JSON")

    def test_metadata_values(self):
        for key, value in (
            ("samples", 0), ("samples", True), ("samples", "108000"), ("samples", 3000), ("sampling_rate_hz", 0),
            ("sampling_rate_hz", float("nan")), ("sampling_rate_hz", None), ("sampling_rate_hz", 1e9),
            ("encoding", "float32"), ("encoding", "two\nlines"), ("units", "mV"), ("units", None),
            ("units", "0 counts per mV, zero at 0"),
        ):
            with self.subTest(key=key, value=value):
                self.metadata(**{key: value})
                self.refuse(self.check, "metadata.json", key if (key, value) != ("samples", 3000) else "3000 samples")

    def test_no_recording(self):
        (self.input / RECORDING).unlink()
        self.refuse(self.check, "*.i16le", "there are 0")
        self.refuse(self.detect, "*.i16le", "there are 0")

    def test_two_recordings(self):
        shutil.copy(EPHYS / RECORDING, self.input / "second.i16le")
        self.refuse(self.check, "there are 2", RECORDING, "second.i16le")
        self.refuse(self.detect, "there are 2", RECORDING, "second.i16le")

    def test_steps_in_order(self):
        self.refuse(self.detect, "recording.json", "check_recording.py")
        self.succeed(self.check)
        with open(self.input / RECORDING, "r+b") as file:
            file.write(b"\x00")
        self.refuse(self.detect, RECORDING, "not the file")

    def test_variable_missing(self):
        for variable in ("REACTORD_INPUT", "REACTORD_WORK"):
            with self.subTest(variable=variable):
                kept = self.environment.pop(variable)
                self.refuse(self.check, variable, "not set")
                self.environment[variable] = kept


class CytometryTests(StepTest):
    read, describe = CYTOMETRY / "read_header.py", CYTOMETRY / "channel_statistics.py"

    def use_acquisition(self) -> Path:
        return Path(shutil.copy(CYTOMETRY / ACQUISITION, self.input))

    def write(self, events: list[tuple], codes: str, datatype: str, order: str = "<", **changes) -> Path:
        """An FCS file with `/` as its delimiter."""
        data = b"".join(struct.pack(order + codes, *event) for event in events)
        first = 4096
        words = {
            "$BEGINDATA": first, "$ENDDATA": first + len(data) - 1, "$TOT": len(events), "$PAR": len(codes),
            "$DATATYPE": datatype, "$MODE": "L", "$BYTEORD": "1,2,3,4" if order == "<" else "4,3,2,1",
        }
        for n, code in enumerate(codes, 1):
            bits = 8 * struct.calcsize("<" + code)
            words.update({f"$P{n}N": f"C{n}", f"$P{n}B": bits, f"$P{n}R": 2 ** bits, f"$P{n}S": f"anti-CD{n}"})
        words.update({"$" + key: value for key, value in changes.items()})
        text = "".join(
            "/" + str(word).replace("/", "//") for pair in words.items() if pair[1] is not None for word in pair
        ) + "/"
        header = "FCS3.1    " + "".join(f"{n:>8}" for n in (256, 255 + len(text), first, first + len(data) - 1, 0, 0))
        path = self.input / "made.fcs"
        path.write_bytes((header.ljust(256) + text).ljust(first).encode() + data)
        return path

    def test_header_of_acquisition(self):
        self.use_acquisition()
        self.succeed(self.read)
        header = self.json(self.work / "header.json")
        self.assertEqual(header["sha256"], "fa9011c86e8ad043ab623656646f329aea907e9655e20f94ade97eea4b9dc177")
        self.assertEqual((header["version"], header["datatype"], header["byte_order"]), ("FCS3.0", "F", "big"))
        self.assertEqual(header["data"], {"first_byte": 2462, "last_byte": 512_201})
        self.assertEqual(header["events"], 11_585)
        self.assertEqual([channel["name"] for channel in header["channels"]], [
            "FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H", "SSC-W", "FITC-A", "PerCP-Cy5-5-A", "AmCyan-A",
            "PE-Texas Red-A", "Time",
        ])
        self.assertEqual(header["keywords"]["$DATE"], "28-FEB-2013")

    def test_statistics_of_acquisition(self):
        self.use_acquisition()
        self.succeed(self.read)
        self.assertEqual(self.succeed(self.describe)[-1], "11585 events, 11 channels")
        rows = {row["channel"]: row for row in self.table("statistics.csv")}
        self.assertEqual(len(rows), 11)
        for row in rows.values():
            self.assertEqual(int(row["events"]), int(self.json(self.work / "header.json")["keywords"]["$TOT"]))
            ordered = [float(row[key]) for key in ("min", "p5", "median", "p95", "max")]
            self.assertEqual(ordered, sorted(ordered))
            self.assertTrue(float(row["min"]) <= float(row["mean"]) <= float(row["max"]))
            self.assertGreater(float(row["sd"]), 0)
        self.assertEqual(float(rows["SSC-A"]["median"]), 366.6)
        self.assertEqual(float(rows["FITC-A"]["median"]), 1.56)
        self.assertEqual(float(rows["FSC-A"]["max"]), 262_143)
        summary = self.json(self.output / "summary.json")
        self.assertEqual((summary["events"], summary["channels"], summary["not_finite"]), (11_585, 11, 0))
        text = self.picture("histogram.svg")
        for name in rows:
            self.assertIn(name, text)

    def test_storage(self):
        """Every type, width and byte order gives the same numbers."""
        events = [(n, 200 - n, 7) for n in range(101)]
        for datatype, codes in (("F", "fff"), ("D", "ddd"), ("I", "BBB"), ("I", "HHH"), ("I", "III"), ("I", "BHI")):
            for order in "<>":
                with self.subTest(datatype=datatype, codes=codes, order=order):
                    self.write(events, codes, datatype, order)
                    self.succeed(self.read)
                    self.assertEqual(self.succeed(self.describe)[-1], "101 events, 3 channels")
                    first, second, third = self.table("statistics.csv")
                    self.assertEqual(
                        [float(first[key]) for key in ("min", "p5", "median", "mean", "p95", "max")],
                        [0, 5, 50, 50, 95, 100])
                    self.assertAlmostEqual(float(first["sd"]), math.sqrt(101 * 102 / 12), places=5)
                    self.assertEqual((float(second["min"]), float(second["max"])), (100, 200))
                    self.assertEqual((float(third["mean"]), float(third["sd"])), (7, 0))
                    self.assertEqual(third["stain"], "anti-CD3")
                    self.assertIn("anti-CD3", self.picture("histogram.svg"))

    def test_bits_above_the_range(self):
        self.write([(0xF000 + n,) for n in range(10)], "H", "I", P1R=1024)
        self.succeed(self.read)
        self.succeed(self.describe)
        self.assertEqual([self.table("statistics.csv")[0][key] for key in ("min", "max")], ["0", "9"])

    def test_values_that_are_not_finite(self):
        self.write([(value,) for value in (1.0, math.nan, 3.0, math.inf)], "f", "F")
        self.succeed(self.read)
        self.succeed(self.describe)
        self.assertEqual(self.table("statistics.csv")[0]["events"], "2")
        self.assertEqual(self.json(self.output / "summary.json")["not_finite"], 2)
        self.write([(math.nan,)], "f", "F")
        self.succeed(self.read)
        shutil.rmtree(self.output)
        self.output.mkdir()
        self.refuse(self.describe, "C1", "finite")

    def test_delimiter_in_a_value(self):
        self.write([(1.0, 2.0)], "ff", "F", P1N="FL1/FL2", FIL="a/<b>&c.fcs", P1S=None)
        self.succeed(self.read)
        header = self.json(self.work / "header.json")
        self.assertEqual(header["channels"][0]["name"], "FL1/FL2")
        self.assertEqual(header["channels"][0]["stain"], "")
        self.succeed(self.describe)
        self.assertIn("a/<b>&c.fcs", self.picture("histogram.svg"))

    def test_offsets_in_text_only(self):
        path = self.write([(1.0, 2.0)], "ff", "F")
        content = path.read_bytes()
        path.write_bytes(content[:26] + b"       0       0" + content[42:])
        self.succeed(self.read)
        self.assertEqual(self.json(self.work / "header.json")["data"], {"first_byte": 4096, "last_byte": 4103})

    def test_contradictions(self):
        for changes, words in (
            ({"TOT": 4}, ("DATA", "32 bytes", "$TOT")),
            ({"TOT": 0}, ("0 events",)),
            ({"TOT": "many"}, ("$TOT", "'many'")),
            ({"TOT": None}, ("$TOT", "missing")),
            ({"PAR": 3}, ("$P3B", "missing")),
            ({"PAR": 0}, ("0 channels",)),
            ({"P2B": 16}, ("$P2B", "16")),
            ({"P2B": "*"}, ("$P2B",)),
            ({"P2N": "C1"}, ("C1",)),
            ({"DATATYPE": "A"}, ("$DATATYPE", "A")),
            ({"DATATYPE": None}, ("$DATATYPE", "missing")),
            ({"BYTEORD": "3,4,1,2"}, ("$BYTEORD", "3,4,1,2")),
            ({"BYTEORD": None}, ("$BYTEORD", "missing")),
            ({"MODE": "H"}, ("$MODE", "H")),
            ({"BEGINDATA": 4000}, ("4096", "4000")),
        ):
            with self.subTest(changes=changes):
                self.write([(1.0, 2.0)] * 3, "ff", "F", **changes)
                self.refuse(self.read, "made.fcs", *words)

    def test_broken_offsets(self):
        path = self.use_acquisition()
        content = path.read_bytes()

        def header(*numbers: int) -> bytes:
            return content[:10] + b"".join(b"%8d" % number for number in numbers) + content[58:]

        for name, broken, words in (
            ("text outside", header(256, 99_999_999, 2462, 512_201, 0, 0), ("TEXT segment", "99999999")),
            ("text reversed", header(2456, 256, 2462, 512_201, 0, 0), ("TEXT segment",)),
            ("text cut", header(256, 2000, 2462, 512_201, 0, 0), (ACQUISITION,)),
            ("data elsewhere", header(256, 2456, 2463, 512_202, 0, 0), ("DATA", "2463")),
            ("no offset", content[:10] + b"    abcd" + content[18:], ("abcd", "offset")),
            ("negative offset", content[:10] + b"     -56" + content[18:], ("offset",)),
            ("file cut", content[:400_000], ("DATA segment", "400000 bytes")),
            ("header cut", content[:40], ("header",)),
            ("empty", b"", ("header",)),
            ("another format", b"PK\x03\x04" + content, ("header",)),
        ):
            with self.subTest(name):
                path.write_bytes(broken)
                self.refuse(self.read, ACQUISITION, *words)

    def test_no_file(self):
        self.refuse(self.read, "*.fcs", "there are 0")
        self.refuse(self.describe, "*.fcs", "there are 0")

    def test_two_files(self):
        shutil.copy(self.use_acquisition(), self.input / "second.fcs")
        self.refuse(self.read, "there are 2", "second.fcs")
        self.refuse(self.describe, "there are 2", "second.fcs")

    def test_steps_in_order(self):
        path = self.use_acquisition()
        self.refuse(self.describe, "header.json", "read_header.py")
        self.succeed(self.read)
        path.write_bytes(path.read_bytes() + b" ")
        self.refuse(self.describe, ACQUISITION, "not the file")


class HelloTests(unittest.TestCase):
    actor = ROOT / "actors" / "hello"

    def test_sample(self):
        message = json.loads((self.actor / "samples" / "ada.json").read_text(encoding="utf-8"))
        result = subprocess.run(
            [sys.executable, "reactor.py"], cwd=self.actor, timeout=60, stdout=subprocess.PIPE, encoding="utf-8",
            env={"PATH": os.environ.get("PATH", ""), "MSG": repr(message)}, check=True,
        )
        self.assertEqual(result.stdout, "hello, Ada\n")

    def test_schema_is_json(self):
        schema = json.loads((self.actor / "message.jsonschema").read_text(encoding="utf-8"))
        self.assertEqual(schema["required"], ["name"])


if __name__ == "__main__":
    unittest.main()
