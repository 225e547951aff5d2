"""A scenario's tests run from its beginning, in its order, whatever is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
STORY = """
import pytest

pytestmark = {mark}
state = []

def test_begins():
    state.append(1)

@pytest.mark.parametrize("number", [2, 3])
def test_goes_on(number):
    state.append(number)
    assert state == list(range(1, number + 1))

def test_breaks():
    assert not {breaks}

def test_ends():
    assert state == [1, 2, 3] and not {breaks}
"""
REVERSED = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    items.reverse()
"""
WHOLE = ["test_begins", "test_goes_on[2]", "test_goes_on[3]", "test_breaks", "test_ends"]


@pytest.fixture
def story(tmp_path: Path) -> Path:
    (tmp_path / "backwards.py").write_text(REVERSED)
    return tmp_path / "test_story.py"


def run(
    story: Path, *arguments: str, mark: str = "pytest.mark.scenario", breaks: bool = False
) -> tuple[list[str], str]:
    """Names of the tests that passed, in their order, and all that was printed."""
    story.write_text(STORY.format(mark=mark, breaks=breaks))
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-v", "-p", "support.scenario", "-p", "no:cacheprovider",
            f"--rootdir={story.parent}", *arguments,
        ],
        env={"PYTHONPATH": f"{TESTS}:{story.parent}"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if " PASSED" in line]
    return [line.split(" PASSED")[0].rpartition("::")[2] for line in lines], done.stdout


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ([], WHOLE),
        (["-p", "backwards"], WHOLE),
        (["-k", "goes_on and 3"], WHOLE[:3]),
        (["-k", "begins"], WHOLE[:1]),
        (["-k", "ends or begins", "-p", "backwards"], WHOLE),
    ],
    ids=["all", "backwards", "the third", "the first", "first and last, backwards"],
)
def test_it_runs_from_its_beginning(story: Path, arguments: list[str], passed: list[str]) -> None:
    assert run(story, str(story), *arguments)[0] == passed


def test_one_by_its_id(story: Path) -> None:
    assert run(story, f"{story}::test_goes_on[2]")[0] == WHOLE[:2]


def test_others_run_as_they_are_selected(story: Path) -> None:
    """So that the tests above can fail."""
    assert run(story, str(story), "-k", "begins or breaks", "-p", "backwards", mark="[]")[0] == WHOLE[3::-3]


def test_a_failure_names_the_first_one(story: Path) -> None:
    passed, printed = run(story, str(story), breaks=True)
    assert passed == WHOLE[:3]
    assert printed.count("test_breaks failed before, and this test goes on where that one ended") == 1
