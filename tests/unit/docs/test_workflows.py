"""Workflow files for a user's own CI: actionlint takes them, and what they run is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_agent.update.signature import namespace_of
from support.checkers import Checker

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
SKIPS_WITHOUT_ROOT = re.compile(
    r"^from .* import .*\b(NO_CONTAINERS|RUNTIMES|no_containers|small_network|missing)\b", re.MULTILINE
)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def jobs(workflow: str = "ci") -> dict[str, Any]:
    found = yaml.safe_load((ROOT / ".github" / "workflows" / f"{workflow}.yaml").read_text())["jobs"]
    assert isinstance(found, dict)
    return found


def commands(workflow: str = "ci") -> str:
    return "\n".join(step.get("run", "") for job in jobs(workflow).values() for step in job["steps"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actionlint_takes_it(actionlint: Checker, path: Path) -> None:
    # Not what else may be installed on this machine.
    assert actionlint.run("-shellcheck=", "-pyflakes=", "-oneline", str(path)) == ""


def test_actionlint_would_notice(actionlint: Checker, tmp_path: Path) -> None:
    broken = tmp_path / "ci.yaml"
    broken.write_text(FILES[0].read_text().replace("github.workspace", "github.nothing"))
    said = actionlint.run("-shellcheck=", "-pyflakes=", "-oneline", str(broken), accepted=frozenset({1}))
    assert 'property "nothing" is not defined' in said


def test_it_makes_what_there_is_to_make() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = set(re.findall(r"\bmake ([a-z-]+)", commands()))
    assert made | set(re.findall(r"\bmake ([a-z-]+)", commands("release"))) <= targets
    assert made >= set(re.findall(r"^make ([a-z-]+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))


def test_the_image_is_asked_for_each_of_its_programs() -> None:
    programs = re.search(r"for program in (.*); do", commands())
    assert programs is not None
    assert set(programs[1].split()) == PROJECT["project"]["scripts"].keys() - {"anka-dev", "anka-sim"}


def test_every_job_ends_and_may_write_nothing() -> None:
    for name, job in jobs().items():
        assert job["timeout-minutes"] <= 120, name
        assert "permissions" not in job, name
    whole = yaml.safe_load(FILES[0].read_text())
    assert whole["permissions"] == {"contents": "read"}


def test_tests_that_need_root_run_in_a_job_that_is_root() -> None:
    run = [step.get("run", "") for step in jobs()["root"]["steps"]]
    assert run[-1].startswith("sudo ")
    assert run[-1].endswith(" make test-root")
    [install] = [line for line in run if "apt-get install" in line]
    assert {"buildah", "debootstrap", "iptables"} <= set(install.split())

    listed = re.search(r"^ROOT_TESTS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert listed is not None
    skipping = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if SKIPS_WITHOUT_ROOT.search(path.read_text())
    }
    assert len(skipping) > 3
    assert all(any(path.startswith(given) for given in listed[1].split()) for path in skipping), skipping


def test_one_job_has_a_kind_cluster() -> None:
    assert [name for name, job in jobs().items() if job.get("env", {}).get("CLUSTER") == "kind"] == ["kind"]


def test_a_release_is_made_of_what_cannot_change() -> None:
    used = [step["uses"] for job in jobs("release").values() for step in job["steps"] if "uses" in step]
    assert used
    assert [action for action in used if not re.search(r"@[0-9a-f]{40}$", action)] == []
    assert '--build-arg BASE="$base@$digest"' in commands("release")
    assert re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_the_job_with_the_key_runs_nothing_of_others() -> None:
    build, draft = jobs("release")["build"], jobs("release")["draft"]
    assert "permissions" not in build
    assert "secrets." not in str(build)
    assert draft["permissions"] == {"contents": "write"}
    assert draft["environment"] == "release"
    assert [step["uses"].split("@")[0] for step in draft["steps"] if "uses" in step] == ["actions/download-artifact"]
    run = "\n".join(step.get("run", "") for step in draft["steps"])
    assert not re.search(r"\b(pip|make|docker|python3?|bash|sh)\b", run)


def test_what_is_signed_is_what_agents_and_the_documentation_verify() -> None:
    """By the name in the signature, too."""
    guide = (ROOT / "docs" / "contribute" / "release.md").read_text()
    signed = re.findall(r'ssh-keygen -Y sign -f "\$key" -n "(\S+)-\$VERSION" (\S+)', commands("release"))
    assert [name for name, _ in signed] == ["anka-agent", "anka-cloud"]
    assert "-n anka-cloud-1.4.0" in guide
    assert namespace_of("1.4.0") == "anka-agent-1.4.0"
