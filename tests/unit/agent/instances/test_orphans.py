"""What is removed, and everything that must hold before."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.errors import AnkaError
from anka_agent.instances.orphans import Orphans
from anka_agent.jobs.journal import Journal
from anka_agent.mac.inventory import Inventory
from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_kube.errors import Unreachable
from anka_kube.store import Store
from support.faulty_mac import MemoryApi
from support.gated_anka import GatedAnka
from support.objects import instance

ONE = instance()
OWN = {"uuid": "own", "name": "p-x", "status": "running"}
LOST = {"uuid": "lost", "name": "p-x-1700000000111111111", "status": "running"}
PULLED = {"uuid": "t", "name": "macos-15", "status": "stopped"}


class Api(MemoryApi[AnkaInstance]):
    """`listed`: what the API itself has."""

    def __init__(self) -> None:
        super().__init__(Store(INSTANCES))
        self.listed: list[AnkaInstance] = []
        self.selectors: list[str] = []
        self.error: Exception | None = None

    async def list(self, field_selector: str) -> list[AnkaInstance]:
        self.selectors.append(field_selector)
        if self.error is not None:
            raise self.error
        return self.listed


class Desk:
    def __init__(self, directory: Path) -> None:
        self.anka = GatedAnka({"list": [OWN, LOST, PULLED], "stop": {}, "delete": {}})
        anka = AnkaCli(self.anka)
        self.journal = Journal(directory)
        self.journal.record_vm("uid-one", "p-x", "own")
        self.inventory = Inventory(anka, "p-", self.journal.owners)
        self.api = Api()
        self.api.store.apply_written(ONE)
        self.fresh = True
        self.orphans = Orphans(
            self.api, anka, self.inventory, self.journal, "status.nodeName=mac-1", lambda: self.fresh
        )

    async def check(self, times: int = 2) -> list[str]:
        """Commands that changed something."""
        await self.inventory.observe()
        for _ in range(times):
            await self.orphans.check()
        return [call for call in self.anka.calls if call != "list"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_vm_without_an_instance_is_stopped_and_deleted(desk: Desk) -> None:
    assert await desk.check() == ["stop --force lost", "delete --yes lost"]
    assert [vm.uuid for vm in desk.inventory.own()] == ["own"]
    assert desk.api.selectors == ["status.nodeName=mac-1"]


async def test_one_check_is_not_enough(desk: Desk) -> None:
    assert await desk.check(1) == []


async def test_a_watch_that_is_cut_off_proves_nothing(desk: Desk) -> None:
    await desk.check(1)
    desk.fresh = False
    await desk.orphans.check()
    desk.fresh = True
    await desk.orphans.check()
    assert await desk.check(0) == [], "it begins anew"


async def test_the_api_itself_has_the_last_word(desk: Desk) -> None:
    lost = instance("two")
    desk.journal.record_vm("uid-two", LOST["name"], LOST["uuid"])
    desk.api.store.apply_deleted(ONE)
    desk.api.listed = [ONE, lost]
    assert await desk.check() == [], "the cache lags"


@pytest.mark.parametrize("where", ["api", "anka"])
async def test_what_cannot_be_removed_now_is_found_again(desk: Desk, where: str) -> None:
    if where == "api":
        desk.api.error = Unreachable("away", sent=False, action="list")
    else:
        desk.anka.answers["stop"] = AnkaError("busy")
    await desk.check()
    desk.api.error = None
    desk.anka.answers["stop"] = {}
    assert (await desk.check(1))[-1] == "delete --yes lost"


async def test_a_vm_that_was_being_pushed_under_another_name(desk: Desk) -> None:
    desk.journal.record_vm("uid-gone", "p-z", "t")
    desk.anka.answers["list"] = [OWN, PULLED]
    assert await desk.check() == ["delete --yes t"]
    assert desk.journal.uids() == ["uid-one"], "with the record of its instance"


@pytest.mark.parametrize(
    ("name", "uuid", "reported", "stays"),
    [
        (LOST["name"], None, None, True),
        (f"{LOST['name']}-0", None, None, False),
        (LOST["name"], "another", None, False),
        (None, None, "lost", True),
        (None, None, "another", False),
    ],
    ids=["being cloned", "another name", "has its VM", "journal lost", "journal lost, another VM"],
)
async def test_a_vm_that_its_worker_has_not_looked_at_yet_stays(
    desk: Desk, name: str | None, uuid: str | None, reported: str | None, stays: bool
) -> None:
    status = {"phase": "Started", "vm": {"uuid": reported, "name": "x", "status": "running"}} if reported else {}
    two = instance("two", status=status)
    desk.api.listed.append(two)
    desk.api.store.apply_written(two)
    if name is not None:
        desk.journal.record_vm("uid-two", name, uuid)
    assert (await desk.check() == []) == stays
