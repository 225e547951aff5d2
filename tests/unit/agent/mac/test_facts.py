"""When anka is asked again about itself and its USB devices."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_agent.anka.cli import AnkaCli, License
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.mac.facts import (
    FACTS_SECONDS,
    AnkaUnusable,
    MacFacts,
    describe_license_problem,
    read_facts,
    read_license,
    require_version,
)
from support.fake_anka import FakeAnka
from support.gated_anka import GatedAnka
from support.manual_clock import ManualClock


@pytest.fixture
def anka(fake_anka: FakeAnka) -> AnkaCli:
    return AnkaCli(Anka(str(fake_anka.path)))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "does not work: anka version"),
        ({"version": "text"}, "does not work"),
        ({"version": {"version": "1.4.3"}}, "Anka 1.4.3 is too old: install version 2 or newer"),
    ],
)
async def test_unusable_versions(anka: AnkaCli, fake_anka: FakeAnka, answers: dict[str, Any], words: str) -> None:
    fake_anka.table(answers)
    with pytest.raises(AnkaUnusable, match=words):
        await require_version(anka)


async def test_missing_anka_says_what_to_do() -> None:
    with pytest.raises(AnkaUnusable, match="install Anka on this Mac, or say where it is with --anka PATH"):
        await require_version(AnkaCli(Anka("/nothing/here")))


async def test_usable(anka: AnkaCli, fake_anka: FakeAnka) -> None:
    fake_anka.table(
        {"version": {"product": "p", "version": "3.8.1", "build": 203}, "license show": {"status": "valid"}}
    )
    found = await require_version(anka)
    assert (found.major, found.build) == (3, "203")
    assert describe_license_problem(await read_license(anka)) is None


def test_invalid_licence() -> None:
    problem = describe_license_problem(License("t", "expired", "p", ""))
    assert problem is not None
    assert "licence is expired" in problem


async def test_a_licence_that_cannot_be_read(anka: AnkaCli, fake_anka: FakeAnka) -> None:
    fake_anka.table({})
    with pytest.raises(AnkaUnusable, match=r"the Anka licence cannot be read: .*; try `.* license show`"):
        await read_license(anka)


VERSION = {"product": "Anka", "version": "3.8.1", "build": "203"}
LICENSE = {"license_type": "ent", "status": "valid"}
FREE = {"location": "0x1", "name": "phone", "is_busy": False}


class Desk:
    def __init__(self, **answers: Any) -> None:
        self.anka = GatedAnka({"version": VERSION, "license show": LICENSE, "usb list": [FREE], **answers})
        self.clock = ManualClock()
        self.due = asyncio.Event()

    async def read(self) -> MacFacts:
        facts = await read_facts(AnkaCli(self.anka), clock=self.clock, report_due=self.due)
        self.anka.calls.clear()
        return facts


async def test_the_first_reading() -> None:
    facts = await Desk().read()
    assert (facts.version.major, facts.license.valid, [one.location for one in facts.usb]) == (3, True, ["0x1"])
    assert not facts.usb_in_use


async def test_an_invalid_licence_and_missing_devices_are_no_reason_to_stop(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(**{"license show": {**LICENSE, "status": "expired"}, "usb list": AnkaError("no")})
    facts = await desk.read()
    assert (facts.license.valid, facts.usb) == (False, [])
    assert "the Anka licence is expired" in caplog.text


async def test_an_anka_that_is_too_old_is() -> None:
    with pytest.raises(AnkaUnusable, match="too old"):
        await Desk(version={**VERSION, "version": "1.9"}).read()


async def test_nothing_is_asked_before_it_is_time() -> None:
    desk = Desk()
    facts = await desk.read()
    desk.clock.advance(FACTS_SECONDS - 1)
    await facts.refresh()
    assert desk.anka.calls == []
    desk.clock.advance(1)
    desk.anka.answers["license show"] = {**LICENSE, "status": "expired"}
    await facts.refresh()
    assert desk.anka.calls == ["version", "license show", "usb list"]
    assert not facts.license.valid


async def test_a_device_that_was_taken_is_asked_for_at_once_and_while_it_is_in_use() -> None:
    desk = Desk()
    facts = await desk.read()
    desk.anka.answers["usb list"] = [{**FREE, "is_busy": True}]
    facts.expect_usb_change()
    assert desk.due.is_set()
    for _ in range(2):
        await facts.refresh()
    assert facts.usb_in_use
    assert desk.anka.calls == ["usb list", "usb list"]
    desk.anka.answers["usb list"] = [FREE]
    await facts.refresh()
    await facts.refresh()
    assert desk.anka.calls == ["usb list"] * 3, "free again: nothing to watch"
