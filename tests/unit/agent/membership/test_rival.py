from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anka_agent.identity.machine import read_identity
from anka_agent.membership.rival import find_rival
from anka_agent.settings import AgentSettings
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from support.scripted_api import ScriptedApi


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi().serve() as served:
        yield served


@pytest.mark.parametrize("holder", [None, "ours", "mac-1/other"])
async def test_who_the_node_is(api: ScriptedApi, tmp_path: Path, holder: str | None) -> None:
    settings = AgentSettings(_cli_parse_args=False, node_name="mac-1", state_dir=tmp_path, anka="/none/anka")
    if holder == "ours":
        api.put("leases", "mac-1", "anka-nodes", spec={"holderIdentity": read_identity(tmp_path, None).holder("mac-1")})
    elif holder is not None:
        api.put("leases", "mac-1", "anka-nodes", spec={"holderIdentity": holder})
    async with KubeClient(Endpoint(api.url)) as client:
        assert await find_rival(client, settings) == (holder if holder == "mac-1/other" else None)
