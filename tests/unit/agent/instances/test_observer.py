"""When the inventory is believed, and when anka is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.vm import Vm
from anka_agent.instances.observer import VmObserver, state_of
from anka_agent.jobs.journal import Journal, VmRecord
from anka_agent.mac.inventory import Inventory
from support.faulty_mac import fill_disk
from support.gated_anka import GatedAnka
from support.objects import instance

ONE = instance()
NAME = "p-x"
ROW: dict[str, Any] = {"uuid": "a", "name": NAME, "status": "running"}


@pytest.fixture
def anka() -> GatedAnka:
    return GatedAnka({"list": [ROW], "show a": {**ROW, "ip": "10.0.0.1"}})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path)
    made.record_vm("uid-one", NAME, "a")
    return made


@pytest.fixture
def observer(anka: GatedAnka, journal: Journal) -> VmObserver:
    return VmObserver(Inventory(AnkaCli(anka), "p-", journal.owners), journal)


async def test_details_are_read_once(anka: GatedAnka, observer: VmObserver) -> None:
    vm = await observer.observe(ONE)
    assert vm is not None
    assert (vm.ip, observer.last) == ("10.0.0.1", vm)
    assert await observer.observe(ONE) is vm
    assert anka.calls == ["list", "show a"]


async def test_what_was_cut_off_is_listed_again(anka: GatedAnka, observer: VmObserver) -> None:
    await observer.observe(ONE)
    observer.mark_stale()
    anka.answers["list"] = []
    assert await observer.observe(ONE) is None
    assert anka.calls == ["list", "show a", "list"]
    await observer.observe(ONE)
    assert anka.calls == ["list", "show a", "list"], "once is enough"
    assert observer.last is not None, "it may have been deleted before it was reported"


async def test_a_vm_that_is_to_be_deleted_needs_no_details(anka: GatedAnka, observer: VmObserver) -> None:
    deleted = instance(meta={"deletionTimestamp": "2026-01-01T01:00:00Z"})
    vm = await observer.observe(deleted)
    assert vm is not None
    assert not vm.detailed
    assert anka.calls == ["list"]
    assert observer.last is None


def test_state_of() -> None:
    assert state_of(None) is None
    assert state_of(Vm("a", "x", "running", ip="1.2.3.4")) == ("a", "running", "1.2.3.4")


def row(uuid: str, name: str) -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "status": "stopped"}


@pytest.mark.parametrize(
    ("record", "reported", "listed", "found"),
    [
        (VmRecord("p-1"), None, [row("b", "p-1")], "b"),
        (VmRecord("p-1"), None, [row("b", "p-0-p-1"), row("c", "p-1-0"), row("d", "p-11")], None),
        (VmRecord("p-1"), None, [row("b", "p-1"), row("c", "p-1")], None),
        (VmRecord("p-1"), None, [row("other", "p-1")], None),
        (VmRecord("x-1"), None, [row("t", "x-1")], None),
        (VmRecord("p-1", "b"), None, [row("c", "p-1")], None),
        (VmRecord("p-1", "b"), None, [row("b", "macos-xcode")], "b"),
        (VmRecord("p-1", "b"), "c", [row("c", "p-1")], None),
        (None, "b", [row("b", "p-anything")], "b"),
        (None, "b", [row("b", "macos-xcode")], None),
        (None, "other", [row("other", "p-1")], None),
        (None, None, [row("b", "p-1")], None),
    ],
    ids=["cut off while it was cloned", "parts of the name", "two of the name", "another's VM of the name",
         "not our prefix", "another VM of the name", "renamed", "status against journal", "journal lost",
         "journal lost, a template has the UUID", "journal lost, another's VM", "nothing known"],
)  # fmt: skip
async def test_whose_a_vm_is(
    anka: GatedAnka,
    tmp_path: Path,
    record: VmRecord | None,
    reported: str | None,
    listed: list[dict[str, Any]],
    found: str | None,
) -> None:
    anka.answers = {"list": listed, **{f"show {one['uuid']}": one for one in listed}}
    journal = Journal(tmp_path / "instances")
    journal.record_vm("uid-other", "p-other", "other")
    if record is not None:
        journal.record_vm("uid-one", record.name, record.uuid)
    status = {"phase": "Started", "vm": {"uuid": reported, "name": "x", "status": "running"}} if reported else {}
    observer = VmObserver(Inventory(AnkaCli(anka), "p-", journal.owners), journal)
    vm = await observer.observe(instance(status=status))
    assert (vm.uuid if vm else None) == found
    assert {uuid for uuid, uid in Journal(tmp_path / "instances").owners.items() if uid == "uid-one"} == (
        {found} if found else {record.uuid} if record is not None and record.uuid else set()
    ), "and that is on the disk"


async def test_a_full_disk_hides_no_vm(
    anka: GatedAnka, journal: Journal, observer: VmObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.record_vm("uid-one", NAME)
    fill_disk(monkeypatch)
    vm = await observer.observe(ONE)
    assert vm is not None
    assert (await observer.observe(ONE), journal.owners) == (vm, {"a": "uid-one"})
