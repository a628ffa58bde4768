"""The SDK's own readers: YAML, JSON Schema, Hashids, agave URIs; and that it runs on every Python it is for."""

import ast
import datetime
import json
import math
import unittest
from pathlib import Path

from support import SDK, VECTORS

from reactors import agaveutils, hashids, jsonschema7, yamltext
from reactors.client import AgaveError

SUITE = Path("/usr/share/json-schema-test-suite/tests/draft7")


class YAMLTests(unittest.TestCase):
    # What PyYAML's safe_load makes of them.
    TABLE = (
        ("", None), ("# c\n", None), ("---\na: 1\n...\n", {"a": 1}), ("--- text", "text"),
        ("\ufeffa: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("a: b\nc:\n  d: ~\n  e: [1, 2, {x: y}]\n", {"a": "b", "c": {"d": None, "e": [1, 2, {"x": "y"}]}}),
        ("a:\n- 1\n- 2\nb: 3", {"a": [1, 2], "b": 3}),
        ("- a\n- b: c\n  d: e\n-\n  f: g\n- - x\n  - y\n", ["a", {"b": "c", "d": "e"}, {"f": "g"}, ["x", "y"]]),
        ("- - - 1\n    - 2\n  - 3\n- 4", [[[1, 2], 3], 4]),
        ("a: 'it''s' # c\nb: \"x\\ty\\u00e9\"", {"a": "it's", "b": "x\tyé"}),
        ("a: \"multi\n  line\n\n  text\"\n", {"a": "multi line\ntext"}),
        ("a: |\n  line1\n   line2\n\n  line3\nb: >-\n  fold\n  me\n\n  new\n    kept\n  back\n",
         {"a": "line1\n line2\n\nline3\n", "b": "fold me\nnew\n  kept\nback"}),
        ("a: |+\n  x\n\n\nb: >+\n x\n\n", {"a": "x\n\n\n", "b": "x\n\n"}), ("a: |2\n   x\n  y\n", {"a": " x\ny\n"}),
        ("a: plain text\n  goes on\n\n  and on\nb: c # comment", {"a": "plain text goes on\nand on", "b": "c"}),
        ("a: b#c\nd: http://x.y/z?a=1#f", {"a": "b#c", "d": "http://x.y/z?a=1#f"}),
        ("on: yes\noff: No\nx: TRUE\ny: tRue", {True: True, False: False, "x": True, "y": "tRue"}),
        ("a: 0644\nb: 0x1F\nc: 1_000\nd: 12:30:00\ne: 1e3\nf: 1.0e+3\ng: .5\nh: -.inf\ni: 0b101\nk: 08\nl: +12\nm: 3.",
         {"a": 420, "b": 31, "c": 1000, "d": 45000, "e": "1e3", "f": 1000.0, "g": 0.5, "h": -math.inf, "i": 5,
          "k": "08", "l": 12, "m": 3.0}),
        ("d: 2018-09-18\nt: 2018-09-18T01:50:15.284Z\nu: 2018-09-18 01:50:15",
         {"d": datetime.date(2018, 9, 18),
          "t": datetime.datetime(2018, 9, 18, 1, 50, 15, 284000, tzinfo=datetime.timezone.utc),
          "u": datetime.datetime(2018, 9, 18, 1, 50, 15)}),
        ("a: {b: c, d: [e, f],\n  g: 'h, i', j: }\nk: [\n 1, # one\n 2\n]", {
            "a": {"b": "c", "d": ["e", "f"], "g": "h, i", "j": None}, "k": [1, 2]}),
        ("a: {x: 'http://a', y: http://b:80/c}\nb: []\nc: {}",
         {"a": {"x": "http://a", "y": "http://b:80/c"}, "b": [], "c": {}}),
        ("'quoted key': 1\n\"k:2\": v\nkey with blanks: 3", {"quoted key": 1, "k:2": "v", "key with blanks": 3}),
        ("a:b: c\nd:e: f:g", {"a:b": "c", "d:e": "f:g"}), ("text only", "text only"), ("-\n-", [None, None]),
    )
    REFUSED = (
        ("a: &x 1", 1, "anchors"), ("a: 1\nb: *x", 2, "aliases"), ("a: !!str 1", 1, "tags"),
        ("? a\n: b", 1, "question"),
        ("a: 1\n---\nb: 2", 2, "second document"), ("a: b: c", 1, "second colon"), ("a: 'x' y", 1, "behind the value"),
        ("a: [1, 2", 1, "not closed"), ("a: \"x\nb: 1", 2, "not closed"), ("\ta: 1", 1, "tab"),
        ("a: 1\na: 2", 2, "twice"),
        ("a: 1\n b: 2", 2, "second colon"), (" a: 1\nb: 2", 2, "does not belong"), ("a: 1\n- b", 2, "does not belong"),
        ("a: @x", 1, "quotes"), ("a: - b", 1, "line of its own"), ("a: \"\\q\"", 1, "no escape"),
        ("{a: 1 b: 2}", 1, "comma"),
        ("<<: {a: 1}", 1, "merge"), ("a: [,]", 1, "value is missing"), ("[" * 100, 1, "deep"),
        ("- " * 100 + "a", 1, "deep"),
        ("%YAML 1.1\n---\na: 1", 1, "directives"), ("a: 1\nb", 2, "key and a colon"),
    )

    def test_what_is_read(self):
        for text, expected in self.TABLE:
            with self.subTest(text):
                value = yamltext.load(text)
                self.assertEqual((value, repr(value)), (expected, repr(expected)))

    def test_what_is_refused(self):
        for text, line, word in self.REFUSED:
            with self.subTest(text):
                with self.assertRaisesRegex(yamltext.YAMLError, r"\Aline {}: .*{}".format(line, word)):
                    yamltext.load(text)


class SchemaTests(unittest.TestCase):
    def test_the_official_suite(self):
        right, wrong, refused = 0, [], set()
        for file in sorted(SUITE.glob("*.json")):
            for group in json.loads(file.read_text(encoding="utf-8")):
                for test in group["tests"]:
                    try:
                        valid = not jsonschema7.Schema(group["schema"]).problems(test["data"])
                    except jsonschema7.SchemaError:
                        refused.add(file.name)
                        continue
                    right += valid == test["valid"]
                    if valid != test["valid"]:
                        wrong.append((file.name, group["description"], test["description"]))
        self.assertEqual(wrong, [])
        # They refer to documents elsewhere, and nothing is fetched.
        self.assertEqual(refused, {"definitions.json", "ref.json", "refRemote.json"})
        self.assertGreaterEqual(right, 404)

    def test_places_are_named(self):
        schema = jsonschema7.Schema({
            "properties": {"a/b": {"items": {"type": "integer", "minimum": 2}}, "m": {"format": "email"}},
            "patternProperties": {"^x": False}, "dependencies": {"m": ["n"]}})
        self.assertEqual(schema.problems({"a/b": [2, "3", 1], "m": "me", "xy": 1}), [
            "/a~1b/1: is not of type integer", "/a~1b/2: is less than 2", "/m: is no email",
            "/xy: nothing is allowed here", "/: 'n' is missing, which 'm' needs"])

    def test_schemas_that_cannot_be_used(self):
        for document, value in (
            (5, 1), ({"type": "text"}, 1), ({"pattern": "("}, "a"), ({"$ref": "#/nowhere"}, 1), ({"$ref": "#"}, 1),
            ({"$ref": "http://example.org/x"}, 1),
        ):
            with self.subTest(document):
                with self.assertRaises(jsonschema7.SchemaError):
                    jsonschema7.Schema(document).problems(value)


class IdTests(unittest.TestCase):
    def test_hashids(self):
        for vector in VECTORS["abaco_hashid"]:
            self.assertEqual(hashids.is_hashid(vector["id"]), vector["valid"], vector["id"])
        for vector in VECTORS["abaco_hashid_encode"]:
            self.assertEqual(hashids.encode(int(vector["int"])), vector["hashid"])
        for number in (0, 1, 12345, 2**63, 2**64 - 1):
            self.assertEqual(hashids.decode(hashids.encode(number)), [number])

    def test_agave_uris(self):
        for vector in VECTORS["agave_uri"]:
            expected = vector["system_dir_file"]
            if isinstance(expected, dict):
                with self.assertRaises(AgaveError):
                    agaveutils.from_agave_uri(vector["uri"])
            else:
                self.assertEqual(list(agaveutils.from_agave_uri(vector["uri"])), expected)
        self.assertEqual(agaveutils.to_agave_uri("sys", "/a/b/", "c.txt"), "agave://sys/a/b/c.txt")


class LanguageTests(unittest.TestCase):
    def test_every_file_is_python_3_8(self):
        files = sorted(SDK.rglob("*.py"))
        self.assertGreater(len(files), 15)
        for file in files:
            ast.parse(file.read_text(encoding="utf-8"), str(file), feature_version=(3, 8))

    def test_only_the_standard_library_is_imported(self):
        allowed = set(
            "ast contextlib datetime functools hashlib hmac threading ipaddress json logging math os posixpath random re secrets sys "
            "tempfile time urllib uuid reactors datacatalog".split())
        for file in SDK.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                else:
                    names = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
                for name in names:
                    self.assertIn(name.split(".")[0], allowed, file)


if __name__ == "__main__":
    unittest.main()
