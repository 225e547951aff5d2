"""All checks in one report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.cli.main import main
from anka_agent.doctor import examine
from anka_agent.doctor.finding import Finding, ok, problem
from support.fake_anka import FakeAnka

VERSION = {"product": "Anka", "version": "3.8.1", "build": "203"}
LICENSE = {"license_type": "com.veertu.anka.entplus", "status": "valid", "product": "x", "expires": "17-aug-2027"}


@pytest.mark.parametrize(
    ("licence", "says"),
    [
        (LICENSE, ["ok      anka: version 3.8.1", "ok      licence: com.veertu.anka.entplus, expires 17-aug-2027"]),
        (
            {**LICENSE, "status": "expired"},
            ["ok      anka: version 3.8.1", "PROBLEM licence: the Anka licence is expired: no VM can start"],
        ),
    ],
)
async def test_anka(licence: dict[str, str], says: list[str], fake_anka: FakeAnka) -> None:
    fake_anka.table({"version": VERSION, "license show": licence})
    lines = [finding.line() for finding in await examine.check_anka(AnkaCli(Anka(str(fake_anka.path))))]
    assert all(line.startswith(start) for line, start in zip(lines, says, strict=True)), lines


async def test_no_anka() -> None:
    (finding,) = await examine.check_anka(AnkaCli(Anka("/no/anka")))
    assert not finding.ok
    assert "install Anka on this Mac" in finding.says
    assert not (await examine.check_registry(AnkaCli(Anka("/no/anka")), None)).ok


def test_disk(tmp_path: Path) -> None:
    assert examine.check_disk(tmp_path / "not" / "there", 0).ok
    full = examine.check_disk(tmp_path, 101)
    assert not full.ok
    assert "less than the reserve of 101 %" in full.do


def test_state_directory(tmp_path: Path) -> None:
    assert examine.check_state_dir(tmp_path) == ok("state directory", str(tmp_path))
    assert examine.check_state_dir(tmp_path / "x").do == "`anka-agent join` makes it"


VERSION = {"product": "Anka", "version": "3.8.1", "build": "203"}
LICENSE = {"license_type": "com.veertu.anka.entplus", "status": "valid", "product": "x", "expires": "17-aug-2027"}


def test_lines() -> None:
    assert ok("disk", "plenty").line() == "ok      disk: plenty"
    assert problem("disk", "full", "delete files").line() == "PROBLEM disk: full: delete files"


def test_a_mac_that_has_not_joined(
    tmp_path: Path, fake_anka: FakeAnka, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANKA_KUBECONFIG", raising=False)
    fake_anka.table({"version": VERSION, "license show": LICENSE, "registry list": []})
    argv = ["doctor", f"--state-dir={tmp_path}", f"--anka={fake_anka.path}", "--reserve-space=0"]
    assert main(argv) == 1
    assert "PROBLEM joined: this Mac has not joined: `anka-agent join URL --token …`" in capsys.readouterr().out
    assert main([*argv, "--machine-readable"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["message"]) == ("ERROR", "1 problems")
    assert Finding(**answer["body"][-1]).what == "joined"
