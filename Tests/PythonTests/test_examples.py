"""The actor of Examples/plate-qc and the first script of docs/python.md, without a daemon."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import ROOT, SDK


def run(folder, message, **variables):
    environment = {
        "PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1", "LOCALONLY": "1",
        "MSG": repr(message), **variables,
    }
    return subprocess.run(
        [sys.executable, "reactor.py"], cwd=folder, env=environment, timeout=60, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8")


class PlateTests(unittest.TestCase):
    folder = ROOT / "Examples" / "plate-qc"

    def setUp(self):
        self.plate = json.loads((self.folder / "samples" / "plate.json").read_text(encoding="utf-8"))

    def test_a_good_plate(self):
        result = run(self.folder, self.plate)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertRegex(result.stdout, r"INFO [0-9a-f-]{36}: Z' 0\.961\n\Z")
        self.assertIn("finish of job", result.stdout)

    def test_plates_that_are_not_good(self):
        noisy = dict(self.plate, wells=[dict(well) for well in self.plate["wells"]])
        noisy["wells"][0]["value"] = 10.0
        alone = dict(self.plate, wells=[well for well in self.plate["wells"] if well["well"] not in ("B2", "C2")])
        same = dict(self.plate, wells=[dict(well, value=7) for well in self.plate["wells"]])
        for plate, words in (
            (noisy, "Z' is -"), (alone, "1 negative controls"), (same, "have the same mean"),
        ):
            result = run(self.folder, plate)
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stdout, r"CRITICAL plate\.uw_biofab\.133737 is not good : .*" + re.escape(words))
            self.assertIn("fail of job", result.stdout)

    def test_its_schema_takes_its_sample(self):
        from reactors.jsonschema7 import Schema

        schema = Schema.read(str(self.folder / "message.jsonschema"))
        self.assertEqual(schema.problems(self.plate), [])
        self.assertTrue(schema.problems({"lab": "", "wells": []}))


class DocumentationTests(unittest.TestCase):
    def test_the_first_script(self):
        text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
        script = re.search(r"```python\n# actors/greeter/reactor\.py\n(.*?)```", text, re.DOTALL).group(1)
        schema = re.search(r"```json\n(.*?)```", text, re.DOTALL).group(1)
        self.assertEqual(json.loads(schema)["title"], "actors/greeter/message.jsonschema")
        receiver = re.search(r'send_message\("(\w+)"', script).group(1)
        self.assertTrue((ROOT / "actors" / receiver / "actor.yml").exists(), "it sends to an actor that is shipped")
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "reactor.py").write_text(script, encoding="utf-8")
            (Path(folder) / "message.jsonschema").write_text(schema, encoding="utf-8")
            result = run(folder, {"name": "Ada"}, _abaco_actor_id="e5QKEW8L0BeZ4")
            self.assertEqual(result.stdout.splitlines(), [
                "e5QKEW8L0BeZ4 INFO hello, Ada",
                "e5QKEW8L0BeZ4 INFO LOCALONLY: not sent to hello: {'name': 'Ada'}", "e5QKEW8L0BeZ4 INFO done"])
            result = run(folder, {"nam": "Ada"}, _abaco_actor_id="e5QKEW8L0BeZ4")
            self.assertEqual(result.returncode, 1)
            self.assertIn("CRITICAL not a greeting : {'nam': 'Ada'}", result.stdout)


if __name__ == "__main__":
    unittest.main()
