"""What `status` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anka_agent.cli import status as module
from anka_agent.cli.main import main


def test_status_in_both_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def read_status(settings: Any) -> dict[str, str]:
        return {"status": "running"}

    monkeypatch.setattr(module, "read_status", read_status)
    assert main(["status", f"--state-dir={tmp_path}"]) == 0
    assert capsys.readouterr().out == "status: running\n"
    assert main(["status", f"--state-dir={tmp_path}", "--machine-readable"]) == 0
    assert json.loads(capsys.readouterr().out) == {"status": "OK", "message": "", "body": {"status": "running"}}
