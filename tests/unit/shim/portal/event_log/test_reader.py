"""The event log in a simulated registry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anka_registry.client import RegistryClient
from anka_shim.failure import Failure
from anka_shim.logs.central_logs import CentralLogs
from anka_shim.portal.event_log import reader as module
from anka_shim.portal.event_log.reader import OFF, TOO_OLD, EventLogReader
from anka_sim.registry.server import serving
from support.shim_rig import rig


def line(number: int) -> str:
    return json.dumps({"name": "StartVM", "time": number, "event_id": f"e{number}"}) + "\n"


async def test_over_http(tmp_path: Path) -> None:
    async with serving(tmp_path) as url, RegistryClient(url) as registry, rig(registry_url=url) as shim:
        assert await shim.message("GET", "/portal/v1/events") == OFF
        await registry.log("event", "event", "", "".join(map(line, range(3))))
        await registry.log("anka_agent", "mac-1", "", "other\n")
        found = await shim.body("GET", "/portal/v1/events?limit=2")
        assert ([event["event_id"] for event in found["events"]], found["more"]) == (["e2", "e1"], True)
        found = await shim.body("GET", "/portal/v1/events?limit=2&before=e1")
        assert ([event["event_id"] for event in found["events"]], found["more"]) == (["e0"], False)
        assert await shim.message("GET", "/portal/v1/events?before=nope") == TOO_OLD
        assert await shim.message("GET", "/portal/v1/events?limit=1001") == "limit: must be at most 1000 (given: 1001)"


async def test_without_a_registry() -> None:
    with pytest.raises(Failure, match="the logs are not known"):
        await EventLogReader(CentralLogs(None, "anka-ci")).read(10, None)


async def test_more_is_read_where_the_end_is_too_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_BYTES", 120)
    async with serving(tmp_path) as url, RegistryClient(url) as registry:
        await registry.log("event", "event", "", "".join(map(line, range(20))))
        page = await EventLogReader(CentralLogs(registry, "anka-ci")).read(10, None)
        assert (len(page.events), page.has_more) == (10, True)
