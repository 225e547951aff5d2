"""Pulls that several callers share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.errors import AnkaError
from anka_agent.mac.pulls import IsPulling, TemplatePuller
from support.gated_anka import GatedAnka
from support.mac_host import make_mac_host

ROW = {"uuid": "t", "name": "macos", "status": "stopped", "version": "v"}
PULL = "registry pull --tag v t"


@pytest.fixture
def anka() -> GatedAnka:
    return GatedAnka({"registry": {}, "list": [ROW], "show t": ROW, "show t tag": [{"tag": "v"}], "delete": {}})


@pytest.fixture
def puller(anka: GatedAnka) -> TemplatePuller:
    return make_mac_host(AnkaCli(anka)).puller


def ignore(percent: int) -> None:
    del percent


def pulls_of(anka: GatedAnka) -> list[str]:
    return [call for call in anka.calls if call.startswith("registry")]


async def test_a_pull_is_shared(puller: TemplatePuller, anka: GatedAnka) -> None:
    anka.gate.clear()
    anka.lines = ["50%"]
    percents: list[int] = []
    pulls = [asyncio.create_task(puller.fetch("t", "v", None, percents.append)) for _ in range(3)]
    await anka.called()
    assert puller.is_pulling("t")
    assert not puller.is_pulling("other")
    anka.gate.set()
    await asyncio.gather(*pulls)
    assert pulls_of(anka) == [PULL]
    assert percents == [50, 50, 50]
    assert not puller.is_pulling("t")


@pytest.mark.parametrize("content", [None, "as-pushed"])
async def test_who_comes_late_pulls_nothing_again(anka: GatedAnka, content: str | None) -> None:
    """At every point of a pull, up to its last: after each command that it runs, one more asks for the same."""
    mac = make_mac_host(AnkaCli(anka))

    async def fetch() -> bool:
        return await mac.puller.fetch("t", "v", None, ignore, content_id=content)

    first, late = asyncio.create_task(fetch()), []
    while not first.done():
        late.append(asyncio.create_task(fetch()))
        await asyncio.sleep(0)
    late.append(asyncio.create_task(fetch()))
    assert all(await asyncio.gather(first, *late))
    assert pulls_of(anka) == [PULL]


async def test_others_keep_a_pull_that_one_gives_up(puller: TemplatePuller, anka: GatedAnka) -> None:
    anka.gate.clear()
    one, other = (asyncio.create_task(puller.fetch("t", "v", None, lambda percent: None)) for _ in range(2))
    await anka.called()
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    anka.gate.set()
    await other
    assert one.cancelled()
    assert pulls_of(anka) == [PULL]


async def test_the_last_one_ends_it(puller: TemplatePuller, anka: GatedAnka) -> None:
    anka.gate.clear()
    only = asyncio.create_task(puller.fetch("t", "v", None, ignore))
    await anka.called()
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only
    assert not puller.is_pulling("t")
    anka.gate.set()
    await puller.fetch("t", "v", None, ignore)
    assert pulls_of(anka) == [PULL, PULL]


async def test_a_failure_reaches_all_and_the_next_attempt_is_new(puller: TemplatePuller, anka: GatedAnka) -> None:
    anka.answers["registry"] = AnkaError("registry down")
    attempts = [asyncio.create_task(puller.fetch("t", "v", None, ignore)) for _ in range(2)]
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        assert isinstance(result, AnkaError)
    anka.answers["registry"] = {}
    await puller.fetch("t", "v", None, ignore)
    assert pulls_of(anka) == [PULL, PULL]


async def test_what_was_fetched_is_known_and_reported(anka: GatedAnka) -> None:
    due = asyncio.Event()
    mac = make_mac_host(AnkaCli(anka), report_due=due)
    assert await mac.puller.fetch("t", "v", "http://r", ignore)
    assert anka.calls[0] == "registry --remote http://r pull --tag v t"
    assert mac.templates.holds("t", "v")
    assert mac.templates.journal.last_use("t", "v") is not None
    assert due.is_set()
    assert not await mac.puller.fetch("t", "v2", None, ignore), "anka does not list it"


async def test_a_pull_waits_for_the_removal_of_its_template(anka: GatedAnka) -> None:
    mac = make_mac_host(AnkaCli(anka))
    await mac.templates.observe()
    before = len(anka.calls)
    anka.gate.clear()
    removal = asyncio.create_task(mac.templates.remove("t", None))
    await anka.called(before + 1)
    pull = asyncio.create_task(mac.puller.fetch("t", "v", None, ignore))
    await asyncio.sleep(0)
    assert mac.puller.is_pulling("t")
    assert anka.calls[before:] == ["delete --yes t"]
    anka.gate.set()
    await asyncio.gather(removal, pull)
    assert PULL in anka.calls[before + 1 :]


async def test_a_pull_is_admitted_before_it_begins(anka: GatedAnka) -> None:
    admitted: list[tuple[str, str | None, str | None, bool]] = []

    @asynccontextmanager
    async def admit(template: str, tag: str | None, remote: str | None, is_pulling: IsPulling) -> AsyncIterator[None]:
        admitted.append((template, tag, remote, is_pulling(template)))
        if tag == "large":
            raise AnkaError("it does not fit")
        yield

    mac = make_mac_host(AnkaCli(anka))
    puller = TemplatePuller(mac.anka, mac.templates, admit)
    await puller.fetch("t", "v", None, ignore)
    with pytest.raises(AnkaError, match="does not fit"):
        await puller.fetch("t", "large", None, ignore)
    assert admitted == [("t", "v", None, True), ("t", "large", None, True)]
    assert pulls_of(anka) == [PULL]


async def test_pulls_are_measured(puller: TemplatePuller, anka: GatedAnka) -> None:
    def count(result: str) -> float:
        return REGISTRY.get_sample_value("anka_agent_pull_seconds_count", {"result": result}) or 0.0

    before = {result: count(result) for result in ("done", "failed", "cancelled")}
    await puller.fetch("t", "v", None, ignore, content_id="first")
    anka.answers["registry"] = AnkaError("no")
    with pytest.raises(AnkaError):
        await puller.fetch("t", "v", None, ignore, content_id="second")
    before_the_last = len(anka.calls)
    anka.gate.clear()
    anka.lines = ["30%"]
    cut = asyncio.create_task(puller.fetch("t", "v", None, ignore, content_id="second"))
    await anka.called(before_the_last + 1)
    labels = {"template": "t", "tag": "v"}
    assert REGISTRY.get_sample_value("anka_agent_pull_progress_percent", labels) == 30
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    assert REGISTRY.get_sample_value("anka_agent_pull_progress_percent", labels) is None
    assert {result: count(result) - before[result] for result in before} == {"done": 1, "failed": 1, "cancelled": 1}


async def test_a_pull_from_before_the_tag_was_pushed_again_is_not_joined(anka: GatedAnka) -> None:
    mac = make_mac_host(AnkaCli(anka))
    anka.gate.clear()
    old, *new = (
        asyncio.create_task(mac.puller.fetch("t", "v", None, ignore, content_id=content))
        for content in ("old", "new", "new")
    )
    await anka.called()
    anka.gate.set()
    await asyncio.gather(old, *new)
    assert anka.calls.count(PULL) == 2
    assert mac.templates.has_content("t", "v", "new")
    assert mac.templates.has_content("t", "v", None)
    assert not mac.templates.has_content("t", "v", "old")
    assert not mac.templates.has_content("t", "v2", None)
