"""Putting this machine in the place of another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anka_agent.identity.machine import read_identity
from anka_agent.membership.errors import MembershipError
from anka_agent.membership.files import Files
from anka_agent.membership.kubeconfig import kubeconfig
from anka_agent.membership.replace import replace
from anka_agent.settings import AgentSettings
from anka_kube.lease import CHALLENGER
from support.scripted_api import Fault, ScriptedApi


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi().serve() as served:
        yield served


@pytest.fixture
def settings(api: ScriptedApi, tmp_path: Path) -> AgentSettings:
    files = Files(tmp_path)
    files.write({"node_name": "mac-1"}, kubeconfig(api.url, files.token, ca=None, verify=True), "token")
    return AgentSettings(
        _cli_parse_args=False, node_name="mac-1", state_dir=tmp_path, anka="/none/anka", kubeconfig=files.kubeconfig
    )


async def test_the_lease_is_this_machine_s(api: ScriptedApi, settings: AgentSettings) -> None:
    own = read_identity(settings.state_dir, None).holder("mac-1")
    api.put(
        "leases", "mac-1", "anka-nodes",
        spec={"holderIdentity": "mac-1/other", "leaseTransitions": 2}, metadata={"annotations": {CHALLENGER: "x"}},
    )  # fmt: skip
    said: list[str] = []
    await replace(settings, said.append)
    lease = api.objects["leases"]["anka-nodes", "mac-1"]
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseTransitions"]) == (own, 3)
    assert CHALLENGER not in lease["metadata"].get("annotations", {})
    assert "the other one (mac-1/other) stops" in said[0]
    await replace(settings, said.append)
    assert said[1] == "This Mac is node mac-1 already"
    assert api.count("patch") == 1


async def test_without_a_lease_there_is_nothing_to_do(api: ScriptedApi, settings: AgentSettings) -> None:
    said: list[str] = []
    await replace(settings, said.append)
    assert said == ["No Mac is node mac-1 now: the agent of this one becomes it when it runs"]


async def test_what_the_api_refuses_is_one_line(api: ScriptedApi, settings: AgentSettings) -> None:
    api.fail("get", Fault(403, "scripted"))
    with pytest.raises(MembershipError, match="scripted"):
        await replace(settings, lambda line: None)


async def test_a_mac_that_has_not_joined(tmp_path: Path) -> None:
    settings = AgentSettings(_cli_parse_args=False, node_name="mac-1", state_dir=tmp_path)
    with pytest.raises(MembershipError, match="has not joined"):
        await replace(settings, lambda line: None)
