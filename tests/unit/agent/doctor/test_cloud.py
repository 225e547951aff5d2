"""Checks of what joins this Mac to its cloud."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anka_agent.doctor import cloud
from anka_kube.endpoint import Endpoint
from support.jwt import service_account_token

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


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
    finding = cloud.check_token(file, "mac-1", NOW)
    assert finding.ok is good
    assert says in finding.says
    assert bool(finding.do) is not good


def test_no_token(tmp_path: Path) -> None:
    assert "No such file" in cloud.check_token(tmp_path / "token", "mac-1", NOW).says


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
    finding = cloud.check_clock(ahead)
    assert (finding.ok, finding.says) == (good, says)


async def test_an_api_that_is_not_there() -> None:
    ahead, finding = await cloud.check_api(Endpoint("http://127.0.0.1:1"))
    assert ahead is None
    assert not finding.ok
    assert "http://127.0.0.1:1 does not answer" in finding.says


def test_a_renewing_agent_needs_one_right_more() -> None:
    plain, renewing = (cloud.list_rights("mac-1", "anka-nodes", renews=renews) for renews in (False, True))
    (more,) = [right for right in renewing if right not in plain]
    assert str(more) == "create serviceaccounts/token in anka-nodes"
    assert more.attributes()["name"] == "node-mac-1"
