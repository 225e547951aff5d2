"""What `anka-agent status` shows, with and without a cloud that answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from anka_agent import VERSION, lock
from anka_agent.membership.files import Files
from anka_agent.membership.kubeconfig import kubeconfig
from anka_agent.membership.status import read_status
from anka_agent.settings import ShowSettings
from support.scripted_api import ScriptedApi


def settings(state: Path) -> ShowSettings:
    return ShowSettings(
        _cli_parse_args=False, node_name="mac-1", state_dir=state, kubeconfig=Files(state).kubeconfig, num_workers=3
    )


def member(state: Path, url: str) -> None:
    files = Files(state)
    files.write({"node_name": "mac-1"}, kubeconfig(url, files.token, ca=None, verify=True), "token")


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi().serve() as served:
        yield served


async def test_a_mac_that_has_not_joined(tmp_path: Path) -> None:
    assert await read_status(settings(tmp_path)) == {"status": "not joined"}


@pytest.mark.parametrize(("state", "shown"), [("Active", "Active"), (None, "not judged yet")])
async def test_the_node_as_the_api_has_it(api: ScriptedApi, tmp_path: Path, state: str | None, shown: str) -> None:
    member(tmp_path, api.url)
    spec: dict[str, Any] = {"displayName": "Mac 1", "groups": ["ci"], "maxVmCount": 2, "reserveSpacePercent": 20}
    api.put("ankanodes", "mac-1", "", spec=spec, status={"state": state} if state else {})
    api.put("ankainstances", "one", "ci", spec={"template": "t"}, status={"nodeName": "mac-1"})
    report = await read_status(settings(tmp_path))
    assert report["status"] == "not running"
    assert report["node"] == {"state": shown, "instances": 1, "machine": "this Mac"}
    assert report["config"] == {
        "node_id": "mac-1", "version": VERSION, "heartbeat": "10s", "num_workers": 3, "state_dir": str(tmp_path),
        "controller_addresses": [api.url], "node_name": "Mac 1", "groups": ["ci"], "capacity_mode": "number",
        "vm_limit": 2, "reserve_space": "20%", "vm_prefix": "mgmtManaged-",
    }  # fmt: skip
    assert api.seen[-1].query["fieldSelector"] == "status.nodeName=mac-1"


async def test_an_agent_that_runs_while_the_cloud_is_away(tmp_path: Path) -> None:
    member(tmp_path, f"http://127.0.0.1:{unused_port()}")
    with lock.hold(tmp_path):
        report = await read_status(settings(tmp_path))
    assert report["status"] == "running"
    assert "127.0.0.1" in report["node"]["trouble"]
    assert "node_name" not in report["config"]
