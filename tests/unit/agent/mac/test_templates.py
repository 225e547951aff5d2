"""What of the registry is on this Mac, as `anka show` tells it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.errors import AnkaError, GarbageError
from anka_agent.mac import templates as module
from anka_agent.mac.inventory import Inventory
from anka_agent.mac.tag_journal import TagJournal
from anka_agent.mac.templates import TemplateCache
from support.gated_anka import GatedAnka
from support.manual_clock import ManualClock

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


ROW = {"uuid": "t", "name": "macos", "status": "stopped", "version": "v2"}
SHOWN = {**ROW, "arch": 2}
TAGS = [{"tag": "v1"}, {"tag": "v2"}]


class Mac:
    def __init__(self, **answers: Any) -> None:
        self.anka = GatedAnka({"list": [ROW], "show t": SHOWN, "show t tag": TAGS, "delete": {}, **answers})
        self.report_due = asyncio.Event()
        self.journal = TagJournal()
        cli = AnkaCli(self.anka)
        self.inventory = Inventory(cli, "p-")
        self.templates = TemplateCache(
            cli, self.inventory, self.journal, clock=ManualClock(), report_due=self.report_due
        )

    async def read(self) -> TemplateCache:
        await self.inventory.observe()
        await self.templates.refresh()
        return self.templates

    def shows(self) -> int:
        return sum(call.startswith("show") for call in self.anka.calls)


async def test_knows_what_is_held() -> None:
    mac = Mac(list=[ROW, {**ROW, "uuid": "gone"}])
    assert not mac.templates.holds("t", None)
    templates = await mac.read()
    for tag, held in ((None, True), ("v1", True), ("v2", True), ("v3", False)):
        assert templates.holds("t", tag) is held
    assert not templates.holds("gone", None)
    assert templates.arch == "arm64"


async def test_reads_only_when_something_changed() -> None:
    mac = Mac()
    templates = await mac.read()
    shows = mac.shows()
    await mac.read()
    assert mac.shows() == shows
    await templates.refresh(force=True)
    assert mac.shows() == 2 * shows


async def test_an_anka_without_tags_tells_the_one_in_use() -> None:
    mac = Mac()
    mac.anka.answers["show t tag"] = GarbageError("usage", command="show")
    templates = await mac.read()
    assert templates.holds("t", "v2")
    assert not templates.holds("t", "v1")


async def test_the_first_reading_is_repeated_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFRESH_SECONDS", 0.001)
    mac = Mac()
    mac.anka.answers["show t"] = AnkaError("busy")
    await mac.inventory.observe()
    reading = asyncio.create_task(mac.templates.refresh_until_known())
    await mac.anka.called(4)
    assert not reading.done()
    mac.anka.answers["show t"] = SHOWN
    await asyncio.wait_for(reading, 20)
    assert mac.templates.holds("t", "v1")


async def test_a_slow_reading_does_not_hide_what_a_later_one_found() -> None:
    mac = Mac()
    await mac.inventory.observe()
    slow_gate = mac.anka.gate
    slow_gate.clear()
    slow = asyncio.create_task(mac.templates.refresh())
    await mac.anka.called(2)
    mac.anka.gate = asyncio.Event()
    mac.anka.gate.set()
    await mac.templates.refresh(force=True)
    mac.anka.answers["show t tag"] = [{"tag": "v1"}]
    slow_gate.set()
    await slow
    assert mac.templates.holds("t", "v2")


async def test_what_is_being_removed_is_not_held_and_a_pull_waits_for_it() -> None:
    mac = Mac()
    templates = await mac.read()
    mac.anka.gate.clear()
    removal = asyncio.create_task(templates.remove("t", "v1"))
    await mac.anka.called(4)
    assert [templates.holds("t", tag) for tag in (None, "v1", "v2")] == [False, False, True]
    waiting = asyncio.create_task(templates.wait_for_removal("t"))
    await asyncio.sleep(0)
    assert not waiting.done()
    mac.anka.answers["show t tag"] = [{"tag": "v2"}]
    mac.anka.gate.set()
    await asyncio.gather(removal, waiting)
    assert "delete --yes --tag v1 t" in mac.anka.calls
    assert [templates.holds("t", tag) for tag in (None, "v1", "v2")] == [True, False, True], "read again at once"
    assert mac.report_due.is_set()


async def test_two_tags_are_removed_one_after_the_other() -> None:
    mac = Mac()
    templates = await mac.read()
    mac.anka.gate.clear()
    first, second = (asyncio.create_task(templates.remove("t", tag)) for tag in ("v1", "v2"))
    await mac.anka.called(4)
    await asyncio.sleep(0)
    mac.anka.answers["show t tag"] = [{"tag": "v2"}]
    mac.anka.gate.set()
    await asyncio.gather(first, second)
    # When it is v2's turn, it is the last, and a template without tags is useless.
    calls = [call for call in mac.anka.calls if call.startswith("delete")]
    assert calls == ["delete --yes --tag v1 t", "delete --yes t"]


async def test_what_another_removal_took_is_not_removed_again() -> None:
    mac = Mac()
    templates = await mac.read()
    mac.anka.gate.clear()
    removals = [asyncio.create_task(templates.remove("t", "v1")) for _ in range(2)]
    await mac.anka.called(4)
    mac.anka.answers["show t tag"] = [{"tag": "v2"}]
    mac.anka.gate.set()
    await asyncio.gather(*removals)
    assert [call for call in mac.anka.calls if call.startswith("delete")] == ["delete --yes --tag v1 t"]


@pytest.mark.parametrize(
    ("tags", "tag", "command"),
    [
        (["v1", "v2"], None, "delete --yes t"),
        (["v1", "v2"], "v1", "delete --yes --tag v1 t"),
        (["v1"], "v1", "delete --yes t"),
    ],
    ids=["all of it", "one of two", "the last one"],
)
async def test_a_template_without_tags_is_of_no_use(tags: list[str], tag: str | None, command: str) -> None:
    mac = Mac(**{"show t tag": [{"tag": one} for one in tags]})
    templates = await mac.read()
    await templates.remove("t", tag)
    assert command in mac.anka.calls


async def test_a_removal_that_fails_says_so_and_the_mac_is_read_again() -> None:
    mac = Mac(delete=AnkaError("in use"))
    templates = await mac.read()
    with pytest.raises(AnkaError, match="in use"):
        await templates.remove("t", None)
    assert templates.holds("t", "v1")


async def test_uses_are_recorded_for_what_is_held() -> None:
    mac = Mac()
    templates = await mac.read()
    await templates.record_use("t", "v1")
    await templates.record_use("t", None)
    assert mac.journal.last_use("t", "v1") == ManualClock().now()
    assert mac.journal.last_use("t", "v2") == ManualClock().now(), "the tag in use"
    mac.anka.answers["show t tag"] = [{"tag": "v2"}]
    await templates.observe()
    assert mac.journal.last_use("t", "v1") is None
    assert mac.journal.last_use("t", "v2") is not None
