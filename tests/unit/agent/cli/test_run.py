"""How the agent in the foreground ends."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from anka_agent.cli import run as module
from anka_agent.cli.main import main
from anka_agent.supervisor import Crashed, StartError
from anka_agent.update.versions import UPDATE_EXIT
from anka_kube.endpoint import ConfigError, Endpoint
from anka_runtime import logs


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "configure", lambda level, form: None)
    monkeypatch.setattr(module, "load_endpoint", lambda path: Endpoint("http://api"))


def agent(ends: Exception | None = None, *, updated: bool = False) -> type:
    class Agent:
        def __init__(self, settings: Any, endpoint: Endpoint) -> None:
            self.updated = updated

        async def run(self, locks: ExitStack) -> None:
            if ends is not None:
                raise ends

    return Agent


@pytest.mark.parametrize(
    ("ends", "updated", "code", "line"),
    [
        (None, False, 0, ""),
        (None, True, UPDATE_EXIT, ""),
        (StartError("no anka"), False, 2, "anka-agent: no anka\n"),
        (Crashed("node report ended"), False, 1, "anka-agent: node report ended\n"),
        (KeyboardInterrupt(), False, 130, ""),
    ],
)
def test_how_run_ends(
    ends: Any, updated: bool, code: int, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(module, "Agent", agent(ends, updated=updated))
    try:
        found: Any = main(["run", f"--state-dir={tmp_path}"])
    except SystemExit as error:
        found = error.code
    assert (found, capsys.readouterr().err) == (code, line)


def test_its_threads_have_ended_when_another_agent_may_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that is being written when the agent is cancelled is written to its end."""
    happened: list[str] = []
    writes, stopped = threading.Event(), threading.Event()

    def write() -> None:
        writes.set()
        stopped.wait(60)
        happened.append("written")

    class Agent:
        updated = False

        def __init__(self, settings: Any, endpoint: Endpoint) -> None:
            pass

        async def run(self, locks: ExitStack) -> None:
            locks.callback(happened.append, "unlocked")
            asyncio.get_running_loop().run_in_executor(None, write)
            writes.wait(60)
            # Nobody waits for the thread but the end of the event loop.
            asyncio.get_running_loop().call_soon(stopped.set)

    monkeypatch.setattr(module, "Agent", Agent)
    assert main(["run", f"--state-dir={tmp_path}"]) == 0
    assert happened == ["written", "unlocked"]


def test_a_kubeconfig_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(path: object) -> Endpoint:
        raise ConfigError("kubeconfig is broken")

    monkeypatch.setattr(module, "load_endpoint", load)
    with pytest.raises(SystemExit) as ended:
        main(["run", f"--state-dir={tmp_path}"])
    assert (ended.value.code, capsys.readouterr().err) == (2, "anka-agent: kubeconfig is broken\n")
