"""The node as last seen, and as it was at the start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from anka_agent.node import view as module
from anka_agent.node.view import NodeView, owner_reference, register
from anka_crds.api import AnkaNode
from anka_crds.resources import NODES
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.store import Store
from anka_runtime.backoff import Backoff
from support.manual_clock import ManualClock
from support.objects import node
from support.scripted_api import Fault, ScriptedApi

NODE = AnkaNode.from_api({"metadata": {"name": "mac-1"}, "spec": {"maxVmCount": 3}})


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi().serve() as served:
        yield served


@pytest.fixture
async def client(api: ScriptedApi) -> AsyncIterator[KubeClient]:
    clock = ManualClock()
    async with KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as connected:
        yield connected


async def test_a_new_node_gets_its_spec_from_the_flags(api: ScriptedApi, client: KubeClient) -> None:
    made = await register(client, NODES, NODE)
    assert (made.spec.max_vm_count, made.metadata.uid) == (3, "uid-1")
    assert set(api.objects["ankanodes"]["", "mac-1"]["spec"]) >= {"maxVmCount"}


async def test_one_that_is_there_stays_as_people_made_it(api: ScriptedApi, client: KubeClient) -> None:
    api.put("ankanodes", "mac-1", "", spec={"maxVmCount": 1})
    assert (await register(client, NODES, NODE)).spec.max_vm_count == 1
    assert [seen.verb for seen in api.seen] == ["get"]


async def test_one_that_another_made_at_the_same_moment(api: ScriptedApi, client: KubeClient) -> None:
    api.put("ankanodes", "mac-1", "", spec={"maxVmCount": 1})
    api.fail("get", Fault(404, "NotFound"))
    assert (await register(client, NODES, NODE)).spec.max_vm_count == 1


async def test_an_api_that_is_away_is_waited_for_and_logged_once(
    api: ScriptedApi, client: KubeClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "BACKOFF", Backoff(base=0.0))
    api.fail("get", Fault(403, "Forbidden"), times=1000)
    registering = asyncio.create_task(register(client, NODES, NODE))
    await api.until(lambda: api.count("get") > 3)
    assert not registering.done()
    api.heal()
    assert (await registering).metadata.name == "mac-1"
    assert len([record for record in caplog.records if "cannot join" in record.message]) == 1


def test_a_lease_goes_with_its_node() -> None:
    node = AnkaNode.from_api({"metadata": {"name": "mac-1", "uid": "u"}})
    assert owner_reference(node) == {
        "apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "name": "mac-1", "uid": "u",
    }  # fmt: skip


JOINED = node("mac-1", displayName="Mac 1", status={"keptTemplates": [{"template": "t", "tag": "v1"}]})


@pytest.fixture
def nodes() -> Store[AnkaNode]:
    return Store(NODES)


def test_what_joined_counts_until_there_is_something_newer(nodes: Store[AnkaNode]) -> None:
    view = NodeView(nodes, JOINED, lambda: "10.0.0.1")
    assert (view.current, view.display_name, view.host_ip) == (None, "Mac 1", "10.0.0.1")
    assert [one.tag for one in view.rule_templates] == ["v1"]
    nodes.apply_written(node("mac-1", host="192.168.1.1", meta={"version": 2}))
    assert view.current is not None
    assert (view.name, view.display_name, view.host_ip, view.rule_templates) == ("mac-1", "mac-1", "192.168.1.1", [])


def test_what_is_assigned_is_unknown_until_the_operator_says_it(nodes: Store[AnkaNode]) -> None:
    view = NodeView(nodes, JOINED, lambda: None)
    assert (view.assigned.saves, view.assigned.distributions) == (None, None)
    nodes.apply_written(node("mac-1", status={"assigned": {"saves": False}}, meta={"version": 2}))
    assert (view.assigned.saves, view.assigned.distributions) == (False, None)


async def test_an_address_that_changes_is_followed_and_one_that_is_lost_stays(nodes: Store[AnkaNode]) -> None:
    found: list[str | None] = ["10.0.0.1", "10.0.0.2", None, "10.0.0.3"]
    view = NodeView(nodes, JOINED, lambda: found.pop(0))
    for address in ("10.0.0.2", "10.0.0.2", "10.0.0.3"):
        await view.look_up_address()
        assert view.host_ip == address


async def test_waits_for_a_condition(nodes: Store[AnkaNode]) -> None:
    view = NodeView(nodes, JOINED, lambda: None)
    changes: list[int] = []
    stop = view.subscribe(lambda: changes.append(1))
    waiting = asyncio.create_task(view.wait_for(lambda one: bool(one.status.updating), 20))
    nodes.observe(node("mac-1", meta={"version": 2}))
    await asyncio.sleep(0)
    assert not waiting.done()
    nodes.observe(node("mac-1", status={"updating": True}, meta={"version": 3}))
    await waiting
    stop()
    nodes.observe(node("mac-1", meta={"version": 4}))
    assert len(changes) == 2
    with pytest.raises(TimeoutError):
        await view.wait_for(lambda one: bool(one.status.updating), 0.01)
