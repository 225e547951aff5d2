"""What the launcher gets from its command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anka_agent.cli import launch as module
from anka_agent.cli.main import main
from anka_runtime import logs


def test_launch_hands_its_flags_on_in_our_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[tuple[list[str], float]] = []

    class Launcher:
        def __init__(self, versions: Any, flags: list[str], *, trial_seconds: float) -> None:
            launched.append((flags, trial_seconds))

        def run(self) -> int:
            return 7

    monkeypatch.setattr(logs, "configure", lambda level, form: None)
    monkeypatch.setattr(module, "Launcher", Launcher)
    assert main(["launch", f"--state-dir={tmp_path}", "--node-id=mac-07", "--update-seconds=5"]) == 7
    assert launched == [([f"--state-dir={tmp_path}", "--node-name=mac-07", "--update-seconds=5"], 5.0)]
