"""What CI runs is accepted by what it runs, before a machine has spent an hour on it."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from anka_dev.cli import COMMAND_LINE
from anka_runtime.cli import LazyCommand

ROOT = Path(__file__).resolve().parents[3]
CI = [line for line in (ROOT / ".ci/run").read_text().splitlines() if re.search(r"\bmake\b", line) and line[0] != "#"]
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def commands(*arguments: str) -> list[str]:
    """What make would run, targets that are up to date included; the same from within another make."""
    command = ["make", "--no-print-directory", "-n", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def parse(name: str, *arguments: str) -> None:
    """Parse the arguments of this command of anka-dev without running it; SystemExit where it would refuse them."""
    command = next(command for command in COMMAND_LINE.commands if command.name == name)
    loaded = command.load() if isinstance(command, LazyCommand) else command
    loaded.options(f"anka-dev {name}", list(arguments), "")


@pytest.mark.parametrize("target", TARGETS)
def test_arguments_reach_the_target_itself_and_nothing_that_it_needs(target: str) -> None:
    reached = [line for line in commands(target, "ARGS=--for-the-target") if "--for-the-target" in line]

    assert len(reached) <= 1
    assert not reached or reached == commands(target, "ARGS=--for-the-target")[-1:]


@pytest.mark.parametrize("line", CI)
def test_ci_gives_our_commands_only_arguments_that_they_know(line: str) -> None:
    words = [word for word in shlex.split(line) if word not in ("make", "CI=true", "&")]
    ours = [shlex.split(command)[1:] for command in commands(*words) if "/anka-dev " in command]

    assert words
    for arguments in ours:
        parse(*arguments)


def test_ci_enforces_the_skip_budget() -> None:
    assert "CI=true make test" in CI


def test_an_unknown_argument_would_be_noticed() -> None:
    with pytest.raises(SystemExit):
        parse("control-plane", "checkers", "--skip-budget")
