"""Programs of others that check what we ship. Where one cannot be built, its tests are skipped, and say why."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anka_dev.local_kubernetes import environment
from localkube.errors import DevError
from localkube.programs import binaries, versions
from localkube.progress import say_on_stderr


@dataclass(frozen=True)
class Checker:
    binary: Path

    def run(
        self, *arguments: str, stdin: str = "", accepted: frozenset[int] = frozenset({0}), cwd: Path | None = None
    ) -> str:
        """Its standard output; an exit code that is not accepted fails the test with what it said."""
        done = subprocess.run(
            [self.binary, *arguments], input=stdin, capture_output=True, text=True, timeout=120, check=False, cwd=cwd
        )
        assert done.returncode in accepted, f"{self.binary.name}: {done.stdout}{done.stderr}"
        return done.stdout


class Kstatus(Checker):
    def statuses(self, objects: Iterable[Mapping[str, Any]]) -> list[str]:
        """InProgress, Failed, Current or Terminating, for each."""
        answers = json.loads(self.run(stdin=json.dumps(list(objects), default=str)))
        return [answer["status"] for answer in answers]


def _binary(name: str) -> Path:
    try:
        return binaries.ensure_checker(name, environment(), say_on_stderr)
    except DevError as error:
        pytest.skip(f"needs {name}: {error}")


@pytest.fixture(scope="session")
def kstatus() -> Kstatus:
    """The library by which Flux, kpt and `helm --wait` know what is going on with an object."""
    return Kstatus(_binary(versions.KSTATUS))


@pytest.fixture(scope="session")
def kube_score() -> Checker:
    return Checker(_binary(versions.KUBE_SCORE))


def find_dex() -> Path | None:
    """Never built for a test: that takes minutes (make all-checkers)."""
    return binaries.find_checker(versions.DEX, environment())


@pytest.fixture(scope="session")
def promtool() -> Checker:
    """Never built for a test: that takes minutes."""
    found = binaries.find_checker(versions.PROMTOOL, environment())
    if found is None:
        pytest.skip("no promtool here: make all-checkers, or Debian's package prometheus")
    return Checker(found)


@pytest.fixture(scope="session")
def actionlint() -> Checker:
    return Checker(_binary(versions.ACTIONLINT))
