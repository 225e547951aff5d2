"""What `doctor` prints of its findings, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anka_agent.cli import doctor as module
from anka_agent.cli.main import main
from anka_agent.doctor.finding import Finding, ok, problem


@pytest.mark.parametrize(
    ("findings", "code", "status", "message"),
    [
        ([ok("disk", "fine")], 0, "OK", ""),
        ([ok("disk", "fine"), problem("anka", "old", "update")], 1, "ERROR", "1 problems"),
    ],
)
def test_doctor(
    findings: list[Finding], code: int, status: str, message: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    async def examine(settings: Any, clock: Any) -> list[Finding]:
        return findings

    monkeypatch.setattr(module, "examine", examine)
    assert main(["doctor", f"--state-dir={tmp_path}"]) == code
    assert capsys.readouterr().out.splitlines() == [finding.line() for finding in findings]
    assert main(["doctor", f"--state-dir={tmp_path}", "--machine-readable"]) == code
    printed = json.loads(capsys.readouterr().out)
    assert (printed["status"], printed["message"], len(printed["body"])) == (status, message, len(findings))
