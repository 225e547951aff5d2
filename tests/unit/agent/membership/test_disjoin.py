"""Leaving: in which order, what is left behind, and what `--force` skips."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

from anka_agent import lock
from anka_agent.identity.machine import FILE
from anka_agent.membership import disjoin as module
from anka_agent.membership.disjoin import disjoin
from anka_agent.membership.errors import MembershipError
from anka_agent.membership.files import Files
from anka_agent.membership.kubeconfig import kubeconfig
from anka_agent.membership.settings import DisjoinSettings
from support.fake_anka import FakeAnka
from support.scripted_api import Fault, ScriptedApi

ROW = {"status": "running", "creation_date": "2026-01-01T00:00:00Z"}


class Service:
    """Stands for launchd."""

    removed = 0

    def remove(self) -> None:
        self.removed += 1


class Desk:
    def __init__(self, api: ScriptedApi, anka: FakeAnka, state: Path) -> None:
        self.api, self.state, self.service = api, state, Service()
        self.files = Files(state)
        self.said: list[str] = []
        self.anka = anka
        self.join(api.url)

    def join(self, url: str) -> None:
        files = self.files
        files.write({"node_name": "mac-1"}, kubeconfig(url, files.token, ca=None, verify=True), "token")

    async def leave(self, **flags: Any) -> None:
        settings = DisjoinSettings(
            _cli_parse_args=False, node_name="mac-1", state_dir=self.state, anka=str(self.anka.path),
            kubeconfig=self.files.kubeconfig, **flags,
        )  # fmt: skip
        service: Any = self.service
        await disjoin(settings, service, self.said.append)

    @property
    def node(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.api.objects.get("ankanodes", {}).get(("", "mac-1"))
        return found


@pytest.fixture
async def desk(tmp_path: Path, fake_anka: FakeAnka, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)
    async with ScriptedApi().serve() as api:
        api.put("ankanodes", "mac-1", "", spec={"vmPrefix": "x-"}, status={"state": "Drain Mode"})
        yield Desk(api, fake_anka, tmp_path / "state")


def instance(desk: Desk) -> None:
    desk.api.put("ankainstances", "one", "ci", spec={"template": "t"}, status={"nodeName": "mac-1", "phase": "Started"})


async def test_instances_of_another_controller_keep_no_mac(desk: Desk) -> None:
    """Such a status mirrors one of another cloud, which may have a Mac of the same name."""
    spec = {"template": "t", "managedBy": "example.com/other"}
    desk.api.put("ankainstances", "one", "ci", spec=spec, status={"nodeName": "mac-1", "phase": "Started"})
    await desk.leave(timeout=60)
    assert desk.node is None


async def test_an_empty_mac_leaves(desk: Desk) -> None:
    await desk.leave()
    assert desk.node is None
    assert (desk.service.removed, desk.files.is_joined, [file.name for file in desk.state.iterdir()]) == (
        1,
        False,
        [FILE],
    )
    assert desk.said == ["Disjoined from the Anka Cloud Cluster"]


async def test_it_waits_for_instances_and_goes_back_to_work_in_time(desk: Desk) -> None:
    instance(desk)
    with pytest.raises(MembershipError, match=r"1 instance still there after 2 s; this Mac goes on working"):
        await desk.leave(timeout=2)
    assert desk.said == ["Waiting for 1 instance to end; --force does not wait"]
    assert desk.node is not None
    assert not desk.node["status"].get("leaving")
    assert (desk.service.removed, desk.files.is_joined) == (0, True)


async def test_a_copy_of_another_mac_forgets_it_and_deletes_nothing(desk: Desk) -> None:
    instance(desk)
    desk.api.put("leases", "mac-1", "anka-nodes", spec={"holderIdentity": "mac-1/other"})
    await desk.leave()
    assert desk.node is not None, "it is the other's"
    assert not desk.node["status"].get("leaving")
    assert (desk.service.removed, desk.files.is_joined) == (1, False)
    assert desk.said[0].startswith("AnkaNode mac-1 stays: it is another Mac's (mac-1/other)")


async def test_force_waits_for_nobody_and_names_what_is_left(desk: Desk) -> None:
    instance(desk)
    desk.anka.answer(
        [{"uuid": "1", "name": "x-macos-17", **ROW}, {"uuid": "2", "name": "mine", **ROW, "status": "stopped"}]
    )
    async with asyncio.timeout(10):
        await desk.leave(force=True)
    assert desk.node is None
    assert not desk.files.is_joined
    assert desk.said == [
        "Left on this Mac: VM x-macos-17 (anka delete --yes x-macos-17)",
        "Disjoined from the Anka Cloud Cluster",
    ]


@pytest.mark.parametrize("force", [False, True])
async def test_an_api_that_refuses(desk: Desk, force: bool) -> None:
    desk.api.fail("delete", Fault(403, "scripted"), times=100)
    if not force:
        with pytest.raises(MembershipError, match="--force forgets the identity of this Mac all the same"):
            await desk.leave()
        assert desk.files.is_joined, "it can be begun again"
        return
    await desk.leave(force=True)
    assert not desk.files.is_joined
    assert desk.said[0].startswith("AnkaNode mac-1 could not be deleted (")
    assert desk.said[0].endswith("): kubectl delete ankanode mac-1")


async def test_force_without_any_api(desk: Desk) -> None:
    desk.join(f"http://127.0.0.1:{unused_port()}")
    await desk.leave(force=True)
    assert not desk.files.is_joined
    assert "kubectl delete ankanode mac-1" in desk.said[0]
    assert desk.node is not None


async def test_who_was_shut_out_stops_its_agent(desk: Desk) -> None:
    """Its tokens have ended with its AnkaNode: nothing can be asked any more."""
    desk.api.token = "another"
    with pytest.raises(MembershipError, match="--force forgets the identity of this Mac all the same"):
        await desk.leave()
    assert desk.service.removed == 0
    await desk.leave(force=True)
    assert desk.service.removed == 1
    assert not desk.files.is_joined


async def test_a_node_that_is_gone_already(desk: Desk) -> None:
    desk.api.remove("ankanodes", "mac-1", "")
    await desk.leave()
    assert not desk.files.is_joined


async def test_one_that_has_not_joined(desk: Desk) -> None:
    desk.files.remove()
    with pytest.raises(MembershipError, match=r"this Mac has not joined: there is no .*agent\.json"):
        await desk.leave(force=True)


async def test_an_agent_whose_process_is_not_known_is_not_left_running(desk: Desk) -> None:
    with lock.hold(desk.state):
        (desk.state / lock.FILE).write_text("")
        with pytest.raises(MembershipError, match=f"an agent uses --state-dir {desk.state}"):
            await desk.leave(force=True)
    assert desk.files.is_joined
