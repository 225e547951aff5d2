"""What the pages compute, by node's own test runner: tests/portal has the tests."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from anka_dev.repository import ROOT

NODE = shutil.which("node")
TESTS = ROOT / "tests/portal"
FILES = sorted(TESTS.rglob("*.test.mjs"))

pytestmark = pytest.mark.skipif(NODE is None, reason="no node here")


def test_there_are_tests() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_javascript(file: object) -> None:
    assert NODE is not None
    done = subprocess.run([NODE, "--test", "--test-reporter=spec", str(file)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests 0" not in done.stdout
