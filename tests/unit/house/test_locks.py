"""The locks of image and Mac: the versions of constraints.txt, all that is needed, and nothing without a hash."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from support.locks import find_needed, read_constraints, read_lock

ROOT = Path(__file__).resolve().parents[3]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEPENDENCIES: list[str] = PROJECT["project"]["dependencies"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
AGENT = ROOT / "agent" / "anka_agent" / "macos" / "requirements.txt"
LOCKS = {
    AGENT: DEPENDENCIES,
    ROOT / "requirements-image.txt": [*DEPENDENCIES, *EXTRAS["operator"], *EXTRAS["shim"]],
    ROOT / "requirements-build.txt": PROJECT["build-system"]["requires"],
}
SBOM = ROOT / "dev" / "requirements-sbom.txt"
MACHINES = [
    {
        "sys_platform": system,
        "platform_machine": machine,
        "python_version": python,
        "python_full_version": f"{python}.0",
    }
    for (system, machine), python in itertools.product(
        [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64"), ("darwin", "arm64")], ["3.11", "3.12", "3.13"]
    )
]
HASH = "--hash=sha256:" + 64 * "a"


@pytest.mark.parametrize("file", [*LOCKS, SBOM], ids=lambda file: file.name)
def test_every_line_is_a_version_with_hashes_and_none_is_an_address(file: Path) -> None:
    assert read_lock(file)
    assert not re.search(r"://|index|find-links|@", file.read_text())


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_its_versions_are_those_that_the_tests_pass_with(file: Path) -> None:
    tested = read_constraints(ROOT / "constraints.txt")
    for pinned in read_lock(file):
        assert f"=={tested[canonicalize_name(pinned.name)]}" == str(pinned.specifier), pinned.name


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: "-".join(list(machine.values())[:3]))
@pytest.mark.parametrize("file", [AGENT, ROOT / "requirements-image.txt"], ids=lambda file: file.name)
def test_it_has_what_each_machine_needs_and_no_more(file: Path, machine: dict[str, str]) -> None:
    locked = {pin.name for pin in read_lock(file) if pin.marker is None or pin.marker.evaluate({**machine})}
    assert locked == find_needed(LOCKS[file], machine)


def test_the_build_backend_is_locked() -> None:
    assert [pin.name for pin in read_lock(ROOT / "requirements-build.txt")] == ["setuptools"]
    assert [re.split(r"\W", wanted)[0] for wanted in PROJECT["build-system"]["requires"]] == ["setuptools"]


@pytest.mark.parametrize(
    "line",
    [
        "a==1",
        f"a>=1 {HASH}",
        f"a==1.* {HASH}",
        f"a {HASH}",
        "a==1 --hash=md5:aaaa",
        f"a==1 {HASH} --hash=sha256:short",
        f"-r other.txt {HASH}",
        f"--index-url x {HASH}",
        f"a @ https://example.com/a.whl {HASH}",
    ],
)
def test_a_lock_that_locks_nothing_is_noticed(line: str, tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(f"b==1 \\\n    {HASH}\n{line}\n")
    with pytest.raises(ValueError, match=r"."):
        read_lock(lock)


def test_the_dockerfile_downloads_only_what_the_locks_know() -> None:
    text = re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text())
    runs = [command for line in text.splitlines() for command in line.split("&&") if re.search(r"/pip\b", command)]
    assert len(runs) == 4
    for run in runs:
        from_lock = re.search(r" --require-hashes --requirement (\S+)$", run.strip())
        assert from_lock or " --no-index --no-deps " in run, run
    assert {match[1] for match in re.finditer(r"--requirement (\S+)", text)} == {
        file.name for file in LOCKS if file != AGENT
    }


def test_what_the_dockerfile_copies_is_in_its_context() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY ((?!--).*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {name for names in copied for name in names.split()} == let_through
