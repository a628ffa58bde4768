"""The SDK as a wheel: built with setuptools alone, and what is in it works where it is installed."""

import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

from support import SDK


def python_with_tools():
    """A Python that can build: the one that runs this, or Debian's."""
    for python in (sys.executable, "/usr/bin/python3"):
        command = [python, "-c", "import setuptools, wheel, pip"]
        if Path(python).exists() and subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
            return python
    raise unittest.SkipTest("no Python here has pip, setuptools and wheel: scripts/setup --tests installs them")


class WheelTests(unittest.TestCase):
    def test_it_is_built_and_imported(self):
        python = python_with_tools()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            # The build leaves files beside the sources.
            shutil.copytree(SDK, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
            subprocess.run(
                [python, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
                 "--disable-pip-version-check", "--wheel-dir", str(folder), str(folder / "source")],
                check=True, timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            [wheel] = folder.glob("reactord_sdk-*-py3-none-any.whl")
            with zipfile.ZipFile(wheel) as archive:
                inside = {path for path in archive.namelist() if path.endswith(".py")}
                archive.extractall(folder / "site")
            self.assertEqual(inside, {str(path.relative_to(SDK)) for path in SDK.rglob("*.py")})
            script = "\n".join([
                "import sys", "sys.path.insert(0, {!r})".format(str(folder / "site")),
                "import datacatalog.pipelinejobs.clients, reactors.runtime",
                "print(reactors.runtime.Reactor().nickname)",
            ])
            result = subprocess.run(
                [sys.executable, "-I", "-c", script], cwd=name, timeout=60, stdout=subprocess.PIPE, encoding="utf-8",
                check=True)
            self.assertRegex(result.stdout, r"\A[a-z]+-[a-z]+\n\Z")


if __name__ == "__main__":
    unittest.main()
