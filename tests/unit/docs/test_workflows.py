"""Workflow files for a user's own CI: actionlint takes them, and what they run is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.judges import Judge

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def jobs() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yaml").read_text())["jobs"]
    assert isinstance(found, dict)
    return found


def commands() -> str:
    return "\n".join(step.get("run", "") for job in jobs().values() for step in job["steps"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actionlint_takes_it(actionlint: Judge, path: Path) -> None:
    # Not what else may be installed on this machine.
    assert actionlint.run("-shellcheck=", "-pyflakes=", "-oneline", str(path)) == ""


def test_actionlint_would_notice(actionlint: Judge, tmp_path: Path) -> None:
    broken = tmp_path / "ci.yaml"
    broken.write_text(FILES[0].read_text().replace("github.workspace", "github.nothing"))
    said = actionlint.run("-shellcheck=", "-pyflakes=", "-oneline", str(broken), accepted=frozenset({1}))
    assert 'property "nothing" is not defined' in said


def test_it_makes_what_there_is_to_make() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = set(re.findall(r"\bmake ([a-z-]+)", commands()))
    assert made <= targets
    assert made >= set(re.findall(r"^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))


def test_the_image_is_asked_for_each_of_its_programs() -> None:
    programs = re.search(r"for program in (.*); do", commands())
    assert programs is not None
    assert set(programs[1].split()) == PROJECT["project"]["scripts"].keys() - {"anka-dev"}


def test_every_job_ends_and_may_write_nothing() -> None:
    for name, job in jobs().items():
        assert job["timeout-minutes"] <= 120, name
        assert "permissions" not in job, name
    whole = yaml.safe_load(FILES[0].read_text())
    assert whole["permissions"] == {"contents": "read"}


def test_one_job_has_a_kind_cluster() -> None:
    assert [name for name, job in jobs().items() if job.get("env", {}).get("CLUSTER") == "kind"] == ["kind"]
