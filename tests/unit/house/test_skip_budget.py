"""Which skips fail CI."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support import skip_budget
from support.skip_budget import Expected, Skip, find_unexpected

ROOT = Path(__file__).resolve().parents[3]
BUDGET = [
    Expected("^no tool", 2, ["tool", "root"]),
    Expected("^no network", 1, ["network"]),
    Expected("^no luck", 1, []),
]


def skips(*reasons: str) -> list[Skip]:
    return [Skip(f"test_{number}", reason) for number, reason in enumerate(reasons)]


@pytest.mark.parametrize(
    ("reasons", "has", "wrong"),
    [
        ([], [], []),
        (["no tool: x", "no tool: y", "no network"], [], []),
        (["no tool: x"], ["tool"], []),
        (["no tool: x"], ["tool", "root"], ["test_0: this machine has tool, root"]),
        (["no luck"], ["tool", "root", "network"], []),
        (["no time"], [], ["test_0: no skip is expected for this reason"]),
        (["no network", "no network"], [], ["test_1: more than 1 are skipped for this reason"]),
    ],
    ids=["none", "within", "one thing is missing", "nothing is missing", "found by trying", "other reason", "too many"],
)
def test_find_unexpected(reasons: list[str], has: list[str], wrong: list[str]) -> None:
    found = find_unexpected(skips(*reasons), BUDGET, has.__contains__)
    assert [f"{skip.test}: {why}" for skip, why in found] == wrong


def test_the_file_names_only_what_can_be_checked() -> None:
    budget = skip_budget.read()
    assert {what for entry in budget for what in entry.lacks} == skip_budget.CAPABILITIES.keys()
    assert all(re.compile(entry.reason) and entry.most > 0 for entry in budget)


@pytest.mark.parametrize(
    "reason",
    [
        "no image is built: no network: x",
        "no image is built: no buildah and no debootstrap here (Debian: apt-get install buildah debootstrap)",
        "pods are plain processes: no buildah and no debootstrap here (Debian: apt-get install buildah debootstrap)",
        "no namespaces here: x",
        "no iptables-restore here",
        "no ip, no iptables-restore here",
        "network namespaces need root of Linux",
        "no promtool here: make all-checkers, or Debian's package prometheus",
        "no kube-scheduler and kwok in the cache: anka-dev bench builds them",
        "no browser here",
        "no JDK here: javac of version 17 or later",
        "no curl with HTTP/2 here",
    ],
)
def test_each_reason_has_a_budget_of_its_own(reason: str) -> None:
    """Else the tests that lack one tool use up what is for those that lack another."""
    matching = [entry for entry in skip_budget.read() if re.search(entry.reason, reason)]
    assert len(matching) == 1 or reason == "no image is built: no network: x"


@pytest.mark.parametrize(("flag", "code"), [("", 0), ("--skip-budget", 1)], ids=["not enforced", "enforced"])
def test_a_run_with_an_unexpected_skip_fails(tmp_path: Path, flag: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text("pytest_plugins = ['support.skip_budget']\n")
    (tmp_path / "test_it.py").write_text("import pytest\n\ndef test_it():\n    pytest.skip('no time')\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *flag.split(), "test_it.py"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "tests")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert ("test_it: no time (no skip is expected" in done.stdout) is (code == 1)
