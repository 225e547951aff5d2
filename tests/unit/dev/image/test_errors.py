"""Whether an image could not be built for want of a network: in the words of those who download."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anka_dev.image import build as building
from anka_dev.image.buildah import Buildah
from anka_dev.image.errors import NoNetwork, failure
from localkube.errors import DevError

PIP = """WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError(
'<HTTPSConnection object>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')'
ERROR: Could not find a version that satisfies the requirement setuptools>=77 (from versions: none)
ERROR: No matching distribution found for setuptools>=77
subprocess exited with status 1
Error: building at STEP "RUN /tool/bin/pip": exit status 1"""
DEBOOTSTRAP = """I: Retrieving InRelease
I: Retrieving Release
E: Failed getting release file http://mirror.example/debian/dists/bookworm/Release"""
APT = "W: Failed to fetch http://mirror.example/InRelease  Could not resolve 'mirror.example'"


@pytest.mark.parametrize(("output", "line"), [(PIP, 1), (DEBOOTSTRAP, 2), (APT, 0)], ids=["pip", "debootstrap", "apt"])
def test_without_network(output: str, line: int) -> None:
    """The line that says so is told, wherever it is."""
    error = failure("it", output, lines=2)
    assert isinstance(error, NoNetwork)
    assert str(error) == f"it failed: {output.splitlines()[line]}"


@pytest.mark.parametrize(
    "output",
    [
        "ERROR: No matching distribution found for anka-nothing",
        'Error: building at STEP "RUN false": exit status 1',
        "E: Couldn't find these debs: pyhton3",
        "ERROR: Hash of the package does not match",
    ],
)
def test_what_is_our_own_fault_is_told(output: str) -> None:
    """With a network: such a failure must not become a skipped test."""
    error = failure("it", f"first\nsecond\n{output}", lines=2)
    assert (type(error), str(error)) == (DevError, f"it failed: second; {output}")


def script(folder: Path, name: str, text: str, code: int) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(("text", "kind"), [(PIP, NoNetwork), ("out of space", DevError)])
def test_the_build_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, kind: type[DevError]) -> None:
    script(tmp_path, "buildah", text, 1)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(DevError) as raised:
        Buildah(tmp_path).run("bud")
    assert type(raised.value) is kind
    assert Buildah(tmp_path).run("bud", check=False).returncode == 1


def test_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, "debootstrap", DEBOOTSTRAP, 1)
    script(tmp_path, "buildah", "", 1)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NoNetwork, match="Failed getting release file"):
        building.ensure_base(Buildah(tmp_path), lambda _: None)
