"""How a command that a person waits for ends when something must be mended first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anka_agent.cli import disjoin as module
from anka_agent.cli.main import main
from anka_agent.membership.errors import MembershipError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MembershipError("this Mac has joined already"), "this Mac has joined already"),
        (PermissionError(13, "Permission denied", "/etc/x"), "/etc/x: Permission denied"),
    ],
)
def test_what_a_person_must_mend_is_one_line(
    error: Exception, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def disjoin(settings: Any, service: Any, say: Any) -> None:
        raise error

    monkeypatch.setattr(module, "disjoin", disjoin)
    with pytest.raises(SystemExit) as ended:
        main(["disjoin", f"--state-dir={tmp_path}"])
    assert (ended.value.code, capsys.readouterr().err) == (1, f"anka-agent disjoin: {line}\n")
