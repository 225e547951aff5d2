"""The snapshot of the Mac, against an executable that counts its calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.mac.inventory import Inventory
from support.fake_anka import FakeAnka
from support.gated_anka import GatedAnka

OWNERS = {"a": "uid-one"}


def row(uuid: str, name: str, status: str = "stopped") -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "status": status}


@pytest.fixture
def inventory(fake_anka: FakeAnka) -> Inventory:
    return Inventory(AnkaCli(Anka(str(fake_anka.path))), "p-", OWNERS)


@pytest.mark.parametrize("bad", [None, {"uuid": "a"}, {"name": "p-x", "status": 5}])
async def test_a_vm_whose_row_cannot_be_read_is_not_gone(inventory: Inventory, fake_anka: FakeAnka, bad: Any) -> None:
    fake_anka.answer([row("a", "p-x", "running"), row("b", "p-y", "running")])
    await inventory.observe()
    fake_anka.answer([bad, row("b", "p-y", "stopped")])
    await inventory.observe()
    known = {found.uuid: found.status for found in inventory.own()}
    assert known == {"a": "running", "b": "stopped"}
    fake_anka.answer([row("b", "p-y", "stopped")])
    await inventory.observe()
    assert inventory.by_uuid("a") is None


async def test_tells_own_from_templates(inventory: Inventory, fake_anka: FakeAnka) -> None:
    fake_anka.answer([row("a", "p-x", "running"), row("t", "macos"), row("b", "p-y")])
    assert not inventory.observed.is_set()
    await inventory.observe()
    assert inventory.observed.is_set()
    assert [found.uuid for found in inventory.own()] == ["a", "b"]
    assert [found.uuid for found in inventory.unowned()] == ["b"]
    assert [found.uuid for found in inventory.templates()] == ["t"]
    found = inventory.find("uid-one")
    assert found is not None
    assert found.running
    assert inventory.find("uid-two") is None


async def test_listings_are_shared_but_never_too_old() -> None:
    anka = GatedAnka({"list": []})
    inventory = Inventory(AnkaCli(anka), "p-")
    anka.gate.clear()
    first = asyncio.create_task(inventory.observe())
    await anka.called()
    others = [asyncio.create_task(inventory.observe()) for _ in range(5)]
    anka.gate.set()
    await asyncio.gather(first, *others)
    assert anka.calls == ["list", "list"], "the first may be older than what the others want to see"


async def test_details_stay_while_nothing_changes(inventory: Inventory, fake_anka: FakeAnka) -> None:
    name = "p-x"
    detailed = {**row("a", name, "running"), "ip": "10.0.0.1"}
    fake_anka.table({"list": [row("a", name, "running")], "show a": detailed})
    await inventory.observe()
    found = inventory.find("uid-one")
    assert found is not None
    assert not found.detailed
    await inventory.detail(found)
    await inventory.observe()
    again = inventory.find("uid-one")
    assert again is not None
    assert again.ip == "10.0.0.1"
    fake_anka.table({"list": [row("a", name, "stopped")]})
    await inventory.observe()
    after = inventory.find("uid-one")
    assert after is not None
    assert (after.detailed, after.ip) == (False, None)
    assert await inventory.detail(after) is None
    assert inventory.find("uid-one") is None


async def test_a_list_from_before_a_step_is_asked_for_again() -> None:
    anka = GatedAnka({"list": []})
    inventory = Inventory(AnkaCli(anka), "p-")
    anka.gate.clear()
    listing = asyncio.create_task(inventory.observe())
    await anka.called()
    inventory.record_removal("a")
    anka.gate.set()
    await listing
    assert anka.calls == ["list", "list"]


async def test_trouble_is_known_and_passes(inventory: Inventory, fake_anka: FakeAnka) -> None:
    fake_anka.body("print('no')")
    with pytest.raises(AnkaError):
        await inventory.observe()
    assert inventory.problem is not None
    assert "no JSON" in inventory.problem
    fake_anka.answer([])
    await inventory.observe()
    assert inventory.problem is None


async def test_the_vm_of_an_instance_is_ours_whatever_its_name(fake_anka: FakeAnka, inventory: Inventory) -> None:
    fake_anka.answer([row("a", "macos-xcode"), row("t", "macos")])
    await inventory.observe()
    assert [seen.uuid for seen in inventory.templates()] == ["t"]
    found = inventory.find("uid-one")
    assert found is not None
    assert (found.uuid, inventory.find("uid-two")) == ("a", None)
    inventory.record_rename("a", "p-x")
    assert [seen.name for seen in inventory.own()] == ["p-x"]
    assert inventory.by_uuid("a") is not None


async def test_a_close_look_sees_an_address_that_changed_and_nothing_of_a_step() -> None:
    anka = GatedAnka({"list": [row("a", "p-x", "running")], "show a": row("a", "p-x", "running")})
    inventory = Inventory(AnkaCli(anka), "p-")
    await inventory.observe()
    await inventory.look_closely()
    assert [call for call in anka.calls if call.startswith("show")] == [], "nobody has asked for more than a list yet"
    await inventory.detail(inventory.own()[0])
    anka.answers["show a"] = {**row("a", "p-x", "running"), "ip": "192.168.64.9"}
    await inventory.look_closely()
    assert [found.ip for found in inventory.own()] == ["192.168.64.9"]
    await inventory.observe()
    assert [found.ip for found in inventory.own()] == ["192.168.64.9"], "a listing without it does not lose it"
