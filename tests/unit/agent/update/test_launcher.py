"""The launcher over processes that a test scripts: what is started in which order, and what is remembered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from anka_agent import VERSION
from anka_agent.update.launcher import Launcher
from anka_agent.update.versions import BASE, LIFELINE, UPDATE_EXIT, Versions

HANG = -1000


class Child:
    """`code`: with which it ends, HANG if only when it is told to. `first`: what it does before."""

    def __init__(self, code: int, first: Callable[[], None] = lambda: None) -> None:
        self._code, self._first = code, first
        self._did = self.terminated = self.killed = False

    def wait(self, timeout: float | None = None) -> int:
        if not self._did:
            # As a process: it does something before anybody hears of its end.
            self._did = True
            self._first()
            if timeout is not None:
                raise subprocess.TimeoutExpired("agent", timeout)
        if self._code == HANG and not self.terminated:
            assert timeout is not None, "would wait for ever"
            raise subprocess.TimeoutExpired("agent", timeout)
        return 0 if self.terminated else self._code

    def poll(self) -> int | None:
        return None

    def terminate(self) -> None:
        self.terminated = True


class Script:
    """Starts these children in turn; `versions` of what was started, "" for the installed one."""

    def __init__(self, directory: Path, *children: Child) -> None:
        self.versions: list[str] = []
        self.argv: list[Sequence[str]] = []
        self.environment: Mapping[str, str] = {}
        self._directory = directory
        self._children = list(children)

    def __call__(self, argv: Sequence[str], environment: Mapping[str, str], lifeline: int) -> Any:
        assert os.fstat(lifeline)
        assert environment[LIFELINE] == str(lifeline)
        first = environment.get("PYTHONPATH", "").split(os.pathsep)[0]
        self.versions.append(Path(first).name if first.startswith(str(self._directory)) else "")
        self.argv.append(argv)
        self.environment = environment
        return cast(Any, self._children.pop(0))


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    (tmp_path / "2").mkdir()
    return Versions(tmp_path)


def run(versions: Versions, *children: Child, seconds: float = 60.0) -> tuple[int, list[str]]:
    script = Script(versions.directory, *children)
    code = Launcher(versions, ["--poll=1"], trial_seconds=seconds, start=script).run()
    assert all(list(argv[-4:]) == ["-m", "anka_agent", "run", "--poll=1"] for argv in script.argv)
    assert script.environment[BASE] == VERSION
    return code, script.versions


def asks(versions: Versions, version: str, *, up: str = "") -> Child:
    def first() -> None:
        if version != VERSION:
            versions.path(version).mkdir(exist_ok=True)
        if up:
            versions.record_start(up)
        versions.request(version)

    return Child(UPDATE_EXIT, first)


def comes_up(versions: Versions, version: str, code: int = 7) -> Child:
    return Child(code, lambda: versions.record_start(version))


def test_without_an_update_it_is_as_the_agent_alone(versions: Versions) -> None:
    assert run(versions, Child(2)) == (2, [""])
    assert run(versions, Child(-9)) == (137, [""])


def test_an_update(versions: Versions) -> None:
    assert run(versions, asks(versions, "2"), comes_up(versions, "2")) == (7, ["", "2"])
    versions.path("3").mkdir()
    # And it stays, over restarts of the launcher.
    assert run(versions, Child(0)) == (0, ["2"])
    assert versions.find_failure("2") is None
    # Packages that are not of use any more go.
    assert not versions.path("3").exists()


def test_an_update_after_an_update(versions: Versions) -> None:
    started = run(versions, asks(versions, "2"), asks(versions, "3", up="2"), comes_up(versions, "3"))
    assert started == (7, ["", "2", "3"])
    assert versions.path("2").exists()  # of use until 3 was up


def test_back_to_the_installed_one(versions: Versions) -> None:
    code, started = run(versions, asks(versions, "2"), asks(versions, VERSION, up="2"), comes_up(versions, VERSION))
    assert (code, started) == (7, ["", "2", ""])
    assert run(versions, Child(0)) == (0, [""])


def test_one_that_ends_before_it_is_up_is_gone_back_from(versions: Versions) -> None:
    broken = [Child(3), Child(UPDATE_EXIT), Child(-11)]
    code, started = run(versions, asks(versions, "2"), *broken, Child(0))
    assert (code, started) == (0, ["", "2", "2", "2", ""])
    assert "ended 3 times before it came up: back to" in (versions.find_failure("2") or "")
    assert not versions.path("2").exists()


def test_one_that_needs_a_second_start(versions: Versions) -> None:
    assert run(versions, asks(versions, "2"), Child(1), comes_up(versions, "2"))[1] == ["", "2", "2"]
    assert versions.find_failure("2") is None


def test_one_that_never_comes_up_is_ended(versions: Versions) -> None:
    hangs = Child(HANG)
    code, started = run(versions, asks(versions, "2"), hangs, Child(0), seconds=0.05)
    assert (code, started) == (0, ["", "2", ""])
    assert hangs.terminated
    assert "did not come up in 0.05 s" in (versions.find_failure("2") or "")


def test_back_to_the_one_before_not_to_the_installed_one(versions: Versions) -> None:
    started = run(versions, asks(versions, "2"), asks(versions, "3", up="2"), *[Child(1)] * 3, Child(0))[1]
    assert started == ["", "2", "3", "3", "3", "2"]


def test_a_failed_version_may_be_asked_for_again(versions: Versions) -> None:
    run(versions, asks(versions, "2"), *[Child(1)] * 3, Child(0))
    assert run(versions, asks(versions, "2"), comes_up(versions, "2"))[1] == ["", "2"]
    assert versions.find_failure("2") is None


def test_a_launcher_that_was_killed_goes_on_with_the_trial(versions: Versions) -> None:
    state = versions.state()
    state.trial, state.starts = "2", 2
    versions.save(state)
    assert run(versions, Child(1), Child(0))[1] == ["2", ""]


def test_a_package_that_somebody_removed(versions: Versions) -> None:
    state = versions.state()
    state.current = "9"
    versions.save(state)
    assert run(versions, Child(0))[1] == [""]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"other": 1}', "\x00"])
def test_damaged_state_means_the_installed_one(versions: Versions, text: str) -> None:
    (versions.directory / "launcher.json").write_text(text)
    assert run(versions, Child(0))[1] == [""]
