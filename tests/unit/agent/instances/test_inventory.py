"""The snapshot of the Mac, against an executable that counts its calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.operations import Operations
from anka_agent.anka.vm import Vm
from anka_agent.instances.inventory import Inventory, unclaimed
from support.fake_anka import FakeAnka

T1, T2 = "1700000000111111111", "1700000000222222222"


def row(uuid: str, name: str, status: str = "stopped") -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "status": status}


def vm(uuid: str, name: str, status: str = "stopped") -> Vm:
    return Vm(uuid, name, status)


@pytest.fixture
def inventory(fake_anka: FakeAnka) -> Inventory:
    return Inventory(Operations(Anka(str(fake_anka.path))), "p-")


@pytest.mark.parametrize(
    ("vms", "tokens", "left"),
    [
        ([], [T1], []),
        ([vm("a", f"p-x-{T1}")], [T1], []),
        ([vm("a", f"p-x-{T1}")], [T2], ["a"]),
        ([vm("a", f"x-{T1}"), vm("t", "macos")], [], []),
        ([vm("a", "p-by-hand")], [T1], ["a"]),
        ([vm("a", f"p-x-{T1}"), vm("b", f"p-y-{T1}", "running")], [T1], ["a"]),
        ([vm("a", f"p-x-{T1}"), vm("b", f"p-x-{T2}")], [T2, T1], []),
    ],
)
def test_unclaimed(vms: list[Vm], tokens: list[str], left: list[str]) -> None:
    assert [found.uuid for found in unclaimed(vms, "p-", tokens)] == left


async def test_tells_own_from_templates(inventory: Inventory, fake_anka: FakeAnka) -> None:
    fake_anka.answer([row("a", f"p-x-{T1}", "running"), row("t", "macos")])
    assert not inventory.looked.is_set()
    await inventory.look()
    assert inventory.looked.is_set()
    assert [found.uuid for found in inventory.own()] == ["a"]
    assert [found.uuid for found in inventory.templates()] == ["t"]
    found = inventory.of(T1)
    assert found is not None
    assert found.running
    assert inventory.of(T2) is None


async def test_looks_are_shared_but_never_too_old(inventory: Inventory, fake_anka: FakeAnka) -> None:
    fake_anka.body("time.sleep(0.3); say([])")
    first = asyncio.create_task(inventory.look())
    await asyncio.sleep(0.1)
    await asyncio.gather(first, *(inventory.look() for _ in range(5)))
    assert len(fake_anka.calls) == 2


async def test_details_stay_while_nothing_changes(inventory: Inventory, fake_anka: FakeAnka) -> None:
    name = f"p-x-{T1}"
    detailed = {**row("a", name, "running"), "ip": "10.0.0.1"}
    fake_anka.table({"list": [row("a", name, "running")], "show a": detailed})
    await inventory.look()
    found = inventory.of(T1)
    assert found is not None
    assert not found.detailed
    await inventory.detail(found)
    await inventory.look()
    again = inventory.of(T1)
    assert again is not None
    assert again.ip == "10.0.0.1"
    fake_anka.table({"list": [row("a", name, "stopped")]})
    await inventory.look()
    after = inventory.of(T1)
    assert after is not None
    assert (after.detailed, after.ip) == (False, None)
    assert await inventory.detail(after) is None
    assert inventory.of(T1) is None


async def test_a_list_from_before_a_step_is_asked_again(inventory: Inventory, fake_anka: FakeAnka) -> None:
    fake_anka.body("time.sleep(0.3); say([])")
    look = asyncio.create_task(inventory.look())
    await asyncio.sleep(0.1)
    inventory.removed("a")
    await look
    assert len(fake_anka.calls) == 2


async def test_trouble_is_known_and_passes(inventory: Inventory, fake_anka: FakeAnka) -> None:
    fake_anka.body("print('no')")
    with pytest.raises(AnkaError):
        await inventory.look()
    assert inventory.trouble is not None
    assert "no JSON" in inventory.trouble
    fake_anka.answer([])
    await inventory.look()
    assert inventory.trouble is None


async def test_a_claimed_vm_is_ours_whatever_its_name(fake_anka: FakeAnka, inventory: Inventory) -> None:
    fake_anka.answer([row("a", "macos-xcode"), row("t", "macos")])
    inventory.claims["a"] = T1
    await inventory.look()
    assert [seen.uuid for seen in inventory.templates()] == ["t"]
    found = inventory.of(T1)
    assert found is not None
    assert (found.uuid, inventory.of(T2)) == ("a", None)
    inventory.renamed("a", f"p-x-{T1}")
    assert [seen.name for seen in inventory.own()] == [f"p-x-{T1}"]
    assert inventory.by_uuid("a") is not None
    # Deleted here, it may come back as a template: it was pushed as one.
    inventory.removed("a")
    assert inventory.claims == {}
    await inventory.look()
    assert {seen.uuid for seen in inventory.templates()} == {"a", "t"}
