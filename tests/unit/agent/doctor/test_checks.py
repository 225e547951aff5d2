"""Each check: what is fine, what is wrong, and what it says to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anka_agent.__main__ import main
from anka_agent.anka.command import Anka
from anka_agent.anka.operations import Operations
from anka_agent.doctor import cloud, mac
from anka_agent.doctor.finding import Finding, ok, problem
from anka_crds.kube.config import Endpoint
from support.fake_anka import FakeAnka
from support.jwt import service_account_token

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
VERSION = {"product": "Anka", "version": "3.8.1", "build": "203"}
LICENSE = {"license_type": "com.veertu.anka.entplus", "status": "valid", "product": "x", "expires": "17-aug-2027"}


def test_lines() -> None:
    assert ok("disk", "plenty").line() == "ok      disk: plenty"
    assert problem("disk", "full", "delete files").line() == "PROBLEM disk: full: delete files"


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
    lines = [finding.line() for finding in await mac.anka(Operations(Anka(str(fake_anka.path))))]
    assert all(line.startswith(start) for line, start in zip(lines, says, strict=True)), lines


async def test_no_anka() -> None:
    (finding,) = await mac.anka(Operations(Anka("/no/anka")))
    assert not finding.ok
    assert "install Anka on this Mac" in finding.says
    assert not (await mac.registry(Operations(Anka("/no/anka")))).ok


def test_disk(tmp_path: Path) -> None:
    assert mac.disk(tmp_path / "not" / "there", 0).ok
    full = mac.disk(tmp_path, 101)
    assert not full.ok
    assert "less than the reserve of 101 %" in full.do


def test_state_directory(tmp_path: Path) -> None:
    assert mac.state_dir(tmp_path) == ok("state directory", str(tmp_path))
    assert mac.state_dir(tmp_path / "x").do == "`anka-agent join` makes it"


@pytest.mark.parametrize(
    ("token", "good", "says"),
    [
        (service_account_token(issued=NOW, life=HOUR), True, "anka-nodes/node-mac-1, until 2026-01-01 01:00 UTC"),
        (service_account_token(issued=None, life=None), True, "anka-nodes/node-mac-1, does not expire"),
        (service_account_token(issued=NOW - 2 * HOUR, life=HOUR), False, "expired at 2025-12-31 23:00 UTC"),
        (service_account_token("node-b", issued=NOW, life=HOUR), False, "is anka-nodes/node-b's"),
        ("x", False, "not a ServiceAccount token"),
    ],
)
def test_token(token: str, good: bool, says: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    finding = cloud.token(file, "mac-1", NOW)
    assert finding.ok is good
    assert says in finding.says
    assert bool(finding.do) is not good


def test_no_token(tmp_path: Path) -> None:
    assert "No such file" in cloud.token(tmp_path / "token", "mac-1", NOW).says


@pytest.mark.parametrize(
    ("ahead", "good", "says"),
    [
        (0.4, True, "0 s ahead of the API's"),
        (-59, True, "59 s behind the API's"),
        (61, False, "61 s ahead of the API's"),
        (-3600, False, "3600 s behind the API's"),
    ],
)
def test_clock(ahead: float, good: bool, says: str) -> None:
    finding = cloud.clock(ahead)
    assert (finding.ok, finding.says) == (good, says)


async def test_an_api_that_is_not_there() -> None:
    ahead, finding = await cloud.api(Endpoint("http://127.0.0.1:1"))
    assert ahead is None
    assert not finding.ok
    assert "http://127.0.0.1:1 does not answer" in finding.says


def test_a_renewing_agent_needs_one_right_more() -> None:
    plain, renewing = (cloud.needed("mac-1", "anka-nodes", renews=renews) for renews in (False, True))
    (more,) = [right for right in renewing if right not in plain]
    assert str(more) == "create serviceaccounts/token in anka-nodes"
    assert more.attributes()["name"] == "node-mac-1"


def test_a_mac_that_has_not_joined(
    tmp_path: Path, fake_anka: FakeAnka, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANKA_KUBECONFIG", raising=False)
    fake_anka.table({"version": VERSION, "license show": LICENSE, "registry list": []})
    argv = ["doctor", f"--state-dir={tmp_path}", f"--anka={fake_anka.path}", "--reserve-space=0"]
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 1
    assert "PROBLEM joined: this Mac has not joined: `anka-agent join URL --token …`" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*argv, "--machine-readable"])
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["message"]) == ("ERROR", "1 problems")
    assert Finding(**answer["body"][-1]).what == "joined"
