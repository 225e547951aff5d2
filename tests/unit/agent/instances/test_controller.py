"""Workers come and go with their instances, and are woken by what concerns them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.instances import controller as module
from anka_agent.instances.controller import InstanceController
from anka_agent.instances.observer import VmState
from anka_agent.mac.inventory import Inventory
from anka_agent.node.view import NodeView
from anka_agent.saves.queue import make_save_store
from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES, NODES
from anka_kube.resource import Key
from anka_kube.store import Store
from support.gated_anka import GatedAnka
from support.objects import instance, node, save_image


class Worker:
    def __init__(self, key: Key, uid: str) -> None:
        self.key, self.uid = key, uid
        self.settled: VmState | None = None
        self.events: list[str] = []
        self.alive = False

    def start(self) -> None:
        self.alive = True

    def wake(self) -> None:
        self.events.append("wake")

    def wake_for_save(self, *, ended: bool) -> None:
        self.events.append(f"save {'ended' if ended else 'asked for'}")

    async def stop(self) -> None:
        self.events.append("stop")
        self.alive = False


class Orphans:
    def __init__(self) -> None:
        self.checks = asyncio.Event()

    async def check(self) -> None:
        self.checks.set()


class Desk:
    def __init__(self) -> None:
        self.instances: Store[AnkaInstance] = Store(INSTANCES)
        self.saves = make_save_store()
        self.anka = GatedAnka({"list": []})
        self.inventory = Inventory(AnkaCli(self.anka), "p-", {"a": "uid-one"})
        self.orphans = Orphans()
        self.workers: dict[str, Worker] = {}
        orphans: Any = self.orphans
        self.address = "10.0.0.1"
        self.view = NodeView(Store(NODES), node("mac-1"), lambda: self.address)
        self.controller = InstanceController(
            self.instances, self.saves, self.inventory, self.view, orphans, cast(Any, self._create)
        )

    def _create(self, key: Key, uid: str) -> Worker:
        assert uid not in self.workers
        self.workers[uid] = Worker(key, uid)
        return self.workers[uid]


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(module, "ORPHAN_SECONDS", 0.0)
    desk = Desk()
    desk.instances.apply_written(instance())
    running = asyncio.create_task(desk.controller.run())
    await asyncio.wait_for(desk.orphans.checks.wait(), 20)
    yield desk
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert all(not worker.alive for worker in desk.workers.values()), "its end waits for the workers"


async def test_one_worker_for_each_instance(desk: Desk) -> None:
    assert list(desk.workers) == ["uid-one"]
    assert desk.workers["uid-one"].key == ("default", "one")
    desk.instances.observe(instance("two", meta={"version": 2}))
    desk.instances.observe(instance(meta={"version": 3}))
    assert list(desk.workers) == ["uid-one", "uid-two"]
    assert desk.workers["uid-one"].events == ["wake", "wake"]


async def test_a_deleted_instance_ends_its_worker(desk: Desk) -> None:
    desk.instances.apply_deleted(instance())
    async with asyncio.timeout(20):
        while desk.workers["uid-one"].alive:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
    assert desk.controller.dead_workers() == []


async def test_a_worker_that_died_is_named(desk: Desk) -> None:
    assert desk.controller.dead_workers() == []
    desk.workers["uid-one"].alive = False
    assert desk.controller.dead_workers() == ["default/one"]


async def test_saves_wake_the_worker_of_their_instance(desk: Desk) -> None:
    worker = desk.workers["uid-one"]
    worker.events.clear()
    desk.saves.observe(save_image(status={"phase": "Pending"}))
    desk.saves.observe(save_image("other", "nobody"))
    desk.saves.observe(save_image(status={"phase": "Error"}, meta={"version": 2}))
    desk.saves.apply_deleted(save_image(meta={"version": 3}))
    assert worker.events == ["save asked for", "save ended", "save ended"]


async def test_a_vm_that_changed_by_itself_wakes_its_worker(desk: Desk) -> None:
    worker = desk.workers["uid-one"]
    row = {"uuid": "a", "name": "p-x", "status": "running"}
    desk.anka.answers["list"] = [row]
    worker.settled = ("a", "running", None)
    worker.events.clear()
    await desk.inventory.observe()
    assert worker.events == []
    desk.anka.answers["list"] = [{**row, "status": "stopped"}]
    await desk.inventory.observe()
    assert worker.events == ["wake"]


async def test_another_address_of_the_mac_wakes_all_workers_once(desk: Desk) -> None:
    worker = desk.workers["uid-one"]
    worker.events.clear()
    await desk.inventory.observe()
    assert worker.events == []
    desk.address = "10.0.0.2"
    await desk.view.look_up_address()
    for _ in range(3):
        await desk.inventory.observe()
    assert worker.events == ["wake"]
