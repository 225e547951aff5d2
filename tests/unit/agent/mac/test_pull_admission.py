from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from anka_agent.anka.errors import AnkaError, CommandTimeout, GarbageError, NoRoomError, NotFoundError
from anka_agent.plan.eviction import Need
from anka_runtime.clock import SystemClock
from support.disk_mac import DiskMac
from support.template_mac import until

GB = 10**9
SIZES = {("new", "v1"): 60 * GB, ("a", "v1"): 30 * GB, ("b", "v1"): 30 * GB, ("b", "v2"): 10 * GB, ("c", "v1"): GB}


def mac(disk: int, reserve: int = 20) -> DiskMac:
    return DiskMac(disk * GB, SIZES, reserve * GB)


async def test_what_fits_removes_nothing() -> None:
    here = mac(140)
    await here.holds(("a", "v1"), ("b", "v1"))
    await here.pull("new")
    assert (here.deleted, here.events) == ([], [])
    assert ("new", "v1") in here.anka.held


async def test_the_least_recently_used_goes_and_an_event_says_so() -> None:
    here = mac(139)
    await here.holds(("a", "v1"), ("b", "v1"))
    await here.pull("new")
    assert here.deleted == ["delete a"]
    assert here.events == [
        (
            "Normal",
            "TemplateRemoved",
            "Removed name-a:v1 (30 GB, last used 2026-01-01 00:00 UTC) to make room for new:v1",
        )
    ]
    assert not here.templates.holds("a", None)
    assert here.templates.holds("b", "v1")


async def test_a_tag_alone_goes_when_that_is_enough() -> None:
    here = mac(110)
    await here.holds(("b", "v2"), ("b", "v1"))
    await here.pull("new")
    assert here.deleted == ["delete --tag v2 b"]
    assert ("b", "v1") in here.anka.held


async def test_use_changes_the_order() -> None:
    here = mac(139)
    await here.holds(("a", "v1"), ("b", "v1"))
    await here.journal.record_use("a", "v1", SystemClock().now())
    await here.pull("new")
    assert here.deleted == ["delete b"]


@pytest.mark.parametrize(
    "spare", ["instance", "running", "not in the registry", "pulled itself"], ids=lambda name: name.replace(" ", "-")
)
async def test_what_stays(spare: str) -> None:
    here = mac(139)
    await here.holds(("a", "v1"), ("b", "v1"))
    wanted = "new"
    if spare == "instance":
        here.needs = [Need("a", "v1", "instance default/one")]
    elif spare == "running":
        here.anka.running.add("a")
        await here.inventory.observe()
    elif spare == "not in the registry":
        del here.anka.sizes["a", "v1"]
    else:
        here.anka.sizes["a", "v2"] = 60 * GB
        await here.pull("a", "v2")
        assert here.deleted == ["delete b"]
        return
    await here.pull(wanted)
    assert here.deleted == ["delete b"]


async def test_what_cannot_fit_fails_clearly_and_removes_nothing() -> None:
    here = mac(92)
    await here.holds(("a", "v1"), ("b", "v1"))
    here.needs = [Need("b", None, "a rule")]
    words = "the template needs 60 GB, 32 GB are free and 20 GB are kept in reserve; nothing more can be removed"
    with pytest.raises(NoRoomError, match=f"^{words}$"):
        await here.pull("new")
    assert here.deleted == []
    assert here.events == [("Warning", "NoDiskSpace", f"new:v1 is not pulled: {words}")]
    assert not any(call.startswith("pull --tag") for call in here.anka.calls)


async def test_an_anka_that_frees_nothing_is_asked_once() -> None:
    here = mac(139)
    await here.holds(("a", "v1"))
    here.anka.held["x", "v1"] = 30 * GB
    here.anka.stubborn = True
    with pytest.raises(NoRoomError):
        await here.pull("new")
    assert here.deleted == ["delete a"]


async def test_two_pulls_do_not_count_the_same_bytes() -> None:
    here = mac(105)
    here.anka.go.clear()
    first = asyncio.create_task(here.pull("new"))
    await pulls(here, 1)
    with pytest.raises(NoRoomError, match="needs 30 GB, 45 GB are free and 20 GB"):
        await here.pull("a")
    small = asyncio.create_task(here.pull("c"))
    await pulls(here, 2)
    here.anka.go.set()
    await asyncio.gather(first, small)


async def pulls(here: DiskMac, number: int) -> None:
    """Until so many have begun."""
    await until(lambda: sum(call.startswith("pull --tag") for call in here.anka.calls) == number)


async def test_beside_a_pull_of_unknown_size_the_disk_is_not_full() -> None:
    here = mac(110)
    await here.holds(("b", "v1"))
    here.anka.go.clear()
    here.anka.errors["--check-download-size"] = GarbageError("?")
    first = asyncio.create_task(here.pull("c"))
    await pulls(here, 1)
    here.anka.errors.clear()
    other = asyncio.create_task(here.pull("a"))
    await pulls(here, 2)
    here.anka.go.set()
    await asyncio.gather(first, other)
    assert here.deleted == [], "nothing had to go"


async def test_a_pull_that_fails_gives_its_bytes_back() -> None:
    here = mac(110)
    here.anka.go.clear()
    first, other = asyncio.create_task(here.pull("new")), asyncio.create_task(here.pull("c"))
    await pulls(here, 2)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    pull = asyncio.create_task(here.pull("a"))
    await pulls(here, 3)
    here.anka.go.set()
    await asyncio.gather(other, pull)


@pytest.mark.parametrize(
    ("error", "pulled"),
    [
        (GarbageError("printed no JSON answer"), True),
        (AnkaError("no such option: --check-download-size"), True),
        (NotFoundError("no such template", 3), False),
        (AnkaError("registry unreachable"), False),
        (CommandTimeout("did not end within 60 s"), False),
    ],
    ids=str,
)
async def test_a_size_that_is_not_told(error: AnkaError, pulled: bool) -> None:
    here = mac(10)
    here.anka.errors["--check-download-size"] = error
    if pulled:
        await here.pull("new")
    else:
        with pytest.raises(type(error)):
            await here.pull("new")
    assert (("new", "v1") in here.anka.held) is pulled


async def test_what_is_here_takes_no_room() -> None:
    here = mac(60)
    await here.holds(("new", "v1"))
    await here.pull("new")
    assert (here.deleted, here.events) == ([], [])


async def test_metrics() -> None:
    names = ("templates_removed_for_space_total", "removed_for_space_bytes_total", "pulls_without_space_total")

    def counts() -> list[float]:
        return [REGISTRY.get_sample_value(f"anka_agent_{name}") or 0.0 for name in names]

    before = counts()
    here = mac(90)
    await here.holds(("a", "v1"))
    await here.pull("new")
    with pytest.raises(NoRoomError):
        await mac(10).pull("new")
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 30 * GB, 1]
