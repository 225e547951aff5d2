"""Which part knows which: what one is told reaches the others."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from anka_agent.anka.cli import AnkaCli, InstalledVersion, License
from anka_agent.anka.errors import NoRoomError
from anka_agent.assembly import ClusterAccess, Parts, Process, assemble, make_claim
from anka_agent.identity.machine import MachineIdentity
from anka_agent.jobs.journal import Journal
from anka_agent.mac import hardware as host
from anka_agent.mac.facts import MacFacts
from anka_agent.settings import AgentSettings
from anka_crds.api import AnkaNode
from anka_crds.api.node import AgentUpdate, AssignedWork
from anka_crds.rules.challenger import parse_challenger
from anka_crds.rules.lease_usage import parse_usage
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import NotHolding
from anka_kube.store import Store
from anka_registry.central_logs.secret_filter import HIDDEN, SecretFilter
from anka_runtime.background import child_tasks
from support.gated_anka import GatedAnka
from support.manual_clock import ManualClock
from support.objects import TEMPLATE, instance, save_image
from support.scripted_api import ScriptedApi
from support.template_mac import until

GB = 10**9
IDENTITY = MachineIdentity("one", "H-1")
ROW = {"uuid": TEMPLATE, "name": "macos-15", "status": "stopped", "version": "v1"}


class Desk:
    def __init__(self, api: ScriptedApi, client: KubeClient, state: Path) -> None:
        self.api = api
        self.anka = GatedAnka({"list": [ROW], "registry": {}, f"show {TEMPLATE}": ROW, f"show {TEMPLATE} tag": []})
        self.due = asyncio.Event()
        self.secrets = SecretFilter()
        self.left: list[int] = []
        clock = ManualClock()
        cli = AnkaCli(self.anka)
        facts = MacFacts(
            cli, InstalledVersion("Anka", "3.8.1", "1"), License("ent", "valid", "", ""), [],
            clock=clock, report_due=self.due,
        )  # fmt: skip
        settings = AgentSettings(_cli_parse_args=False, node_name="mac-1", state_dir=state, host="10.0.0.9")
        self.process = Process(settings, IDENTITY, client, ApiClock(clock), cli, facts, self.due, self.secrets)
        self.state = state

    def assemble(self, status: dict[str, Any] | None = None, **spec: Any) -> Parts:
        joined = AnkaNode.from_api(self.api.put("ankanodes", "mac-1", "", spec=spec, status=status or {}))
        return assemble(self.process, joined, None, launched=True, leave=lambda: self.left.append(1))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as client,
    ):
        yield Desk(api, client, tmp_path)


async def test_this_nodes_objects_only(desk: Desk) -> None:
    parts = desk.assemble()
    assert parts.cluster.selector == "status.nodeName=mac-1"
    assert parts.cluster.node.host_ip == "10.0.0.9"
    assert not parts.cluster.has_fresh_instances()
    watch = asyncio.create_task(parts.cluster.instance_watch.run())
    await parts.cluster.instance_watch.synced.wait()
    await desk.api.watched()
    assert {seen.query["fieldSelector"] for seen in desk.api.seen if "ankainstances" in seen.path} == {
        "status.nodeName=mac-1"
    }
    await until(parts.cluster.has_fresh_instances)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)


NOTHING = {"assigned": {"saves": False, "distributions": False}}
RARE = ("saveimages", "templatedistributions")


@asynccontextmanager
async def watching(cluster: ClusterAccess) -> AsyncIterator[None]:
    async with child_tasks(
        cluster.node_watch.run(), cluster.instance_watch.run(), cluster.save_watch.run(),
        cluster.distribution_watch.run(),
    ):  # fmt: skip
        await cluster.save_watch.ready.wait()
        await cluster.distribution_watch.ready.wait()
        yield


def asked(desk: Desk) -> list[str]:
    return [kind for kind in RARE if any(kind in seen.path for seen in desk.api.seen)]


async def test_rare_kinds_are_watched_while_their_node_says_so_and_while_it_says_nothing(desk: Desk) -> None:
    async with watching(desk.assemble().cluster):
        await desk.api.until(lambda: desk.api.open_streams == 4)
        desk.api.put("ankanodes", "mac-1", "", status=NOTHING)
        await desk.api.until(lambda: desk.api.open_streams == 2)


@pytest.mark.parametrize("kind", RARE)
async def test_what_comes_to_a_mac_without_work_is_seen_until_it_is_over(desk: Desk, kind: str) -> None:
    cluster = desk.assemble(NOTHING).cluster
    async with watching(cluster):
        await desk.api.until(lambda: desk.api.open_streams == 2)
        assert asked(desk) == []
        working: dict[str, dict[str, Any]] = {
            "saveimages": {"nodeName": "mac-1", "instanceId": "u"},
            "templatedistributions": {"phase": "Running", "nodes": [{"nodeName": "mac-1"}]},
        }
        spec = save_image().spec.to_api() if kind == "saveimages" else {"template": TEMPLATE}
        namespace = "default" if kind == "saveimages" else ""
        desk.api.put(kind, "one", namespace, spec=spec, status=working[kind])
        flag = "saves" if kind == "saveimages" else "distributions"
        desk.api.put("ankanodes", "mac-1", "", status={"assigned": {**NOTHING["assigned"], flag: True}})
        await desk.api.until(lambda: desk.api.open_streams == 3)
        assert asked(desk) == [kind]
        store: Store[Any] = cluster.saves.store if kind == "saveimages" else cluster.distributions
        await store.wait_for(lambda known: len(known) == 1, 20)
        desk.api.put("ankanodes", "mac-1", "", status=NOTHING)
        await cluster.node.wait_for(
            lambda node: node.status.assigned == AssignedWork(saves=False, distributions=False), 20
        )
        assert desk.api.open_streams == 3, "it has not ended"
        desk.api.put(kind, "one", namespace, spec=spec, status={**working[kind], "phase": "Done"})
        await desk.api.until(lambda: desk.api.open_streams == 2)
        assert len(store) == 0


async def test_a_save_that_the_agent_before_this_one_began_is_looked_for_whatever_the_node_says(desk: Desk) -> None:
    Journal(desk.state / "instances").save("u", "save-1").write()
    async with watching(desk.assemble(NOTHING).cluster):
        assert asked(desk) == ["saveimages"]
        await desk.api.until(lambda: desk.api.open_streams == 2)


async def test_vms_of_an_agent_before_this_one_are_known(desk: Desk) -> None:
    Journal(desk.state / "instances").record_vm("uid-one", "x", "u1")
    assert desk.assemble().mac.inventory.owners == {"u1": "uid-one"}


async def test_what_an_update_says_is_reported(desk: Desk) -> None:
    reported = {"version": "2", "failed": True, "message": "it is damaged"}
    parts = desk.assemble(status={"agentUpdate": reported}, vmPrefix="x-")
    await parts.mac.templates.observe()
    with pytest.raises(NotHolding):
        await parts.reporter.report()
    await parts.heartbeat.beat()
    await parts.reporter.report()
    status = desk.api.objects["ankanodes"]["", "mac-1"]["status"]
    assert status["agentUpdate"]["message"] == "it is damaged", "an agent that starts does not forget it"
    desk.due.clear()
    parts.updater._state.post(AgentUpdate(version="3", message="is being installed"))
    assert desk.due.is_set()
    await parts.reporter.report()
    assert desk.api.objects["ankanodes"]["", "mac-1"]["status"]["agentUpdate"]["version"] == "3"
    assert parts.mac.inventory.prefix == "x-"


@pytest.mark.parametrize("needed", [True, False])
async def test_pulls_leave_the_reserve_of_the_nodes_spec_and_what_instances_need(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, needed: bool
) -> None:
    monkeypatch.setattr(host, "disk_bytes", lambda path: 100 * GB)
    desk.anka.answers |= {
        "registry pull --check-download-size": {"size": 20 * GB, "available": 39 * GB},
        "registry describe": {"versions": [{"tag": "v1"}]}, f"show {TEMPLATE} tag": [{"tag": "v1", "size": 30 * GB}],
    }  # fmt: skip
    parts = desk.assemble(reserveSpacePercent=20)
    await parts.mac.templates.observe()
    if needed:
        parts.cluster.instances.store.apply_written(instance(status={"nodeName": "mac-1", "phase": "Started"}))
        with pytest.raises(NoRoomError, match="20 GB are kept in reserve"):
            await parts.mac.puller.fetch("other", None, None, lambda percent: None)
        events = desk.api.objects["events"].values()
        assert [event["reason"] for event in events] == ["NoDiskSpace"]
    else:
        desk.anka.answers["delete"] = {}
        removal = asyncio.create_task(parts.mac.puller.fetch("other", None, None, lambda percent: None))
        await desk.anka.called(6)
        await asyncio.gather(removal, return_exceptions=True)
        assert any(call.startswith("delete") for call in desk.anka.calls)


async def test_secrets_are_hidden_where_logs_are_sent(desk: Desk) -> None:
    cluster = desk.assemble().cluster
    one, save = instance(vncPassword="hunter22"), save_image(script=base64.b64encode(b"echo hunter33").decode())
    cluster.instances.store.apply_written(one)
    cluster.saves.store.apply_written(save)
    assert desk.secrets.cover("hunter22, hunter33") == f"{HIDDEN}, {HIDDEN}"


async def test_the_heartbeat_is_the_nodes(desk: Desk) -> None:
    parts = desk.assemble()
    await parts.heartbeat.beat()
    lease = desk.api.objects["leases"]["anka-nodes", "mac-1"]
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseDurationSeconds"]) == ("mac-1/one", 40)
    assert lease["metadata"]["ownerReferences"][0]["name"] == "mac-1"
    await parts.heartbeat.beat()
    usage = parse_usage(desk.api.objects["leases"]["anka-nodes", "mac-1"]["metadata"]["annotations"])
    assert usage is not None
    assert usage.free_disk_bytes > 0


async def test_the_heartbeat_is_slower_where_there_are_many_macs(desk: Desk) -> None:
    parts = desk.assemble()
    assert parts.heartbeat.pace is not None
    paces = []
    for macs in (1, 1000):
        parts.cluster.fleet.macs = macs
        paces.append(parts.heartbeat.pace())
    assert paces == [10, 12]


async def test_a_second_machine_says_where_it_is(desk: Desk) -> None:
    joined = AnkaNode.from_api(desk.api.put("ankanodes", "mac-1", "", spec={}, status={}))
    found = parse_challenger(make_claim(desk.process, joined).describe())
    assert found is not None
    assert (found.address, found.hardware_uuid) == ("10.0.0.9", "H-1")


async def test_without_a_heartbeat_nothing_is_written_and_no_vm_is_an_orphan(desk: Desk) -> None:
    parts = desk.assemble()
    with pytest.raises(NotHolding):
        await parts.cluster.instances.patch_status(instance(), {"message": "x"})
    assert not parts.instances._orphans._is_fresh()
