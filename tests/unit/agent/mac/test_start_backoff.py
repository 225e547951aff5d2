"""When a Mac on which starts fail takes a pause, and for how long."""

from __future__ import annotations

import asyncio

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.mac.start_backoff import PAUSE, TOLERATED, StartBackoff
from anka_agent.plan.naming import Source
from support.gated_anka import GatedAnka
from support.mac_host import make_mac_host
from support.manual_clock import ManualClock

ROW = {"uuid": "t", "name": "macos-15", "status": "stopped", "version": "v1", "arch": 2}
GOOD = Source("t", "v1", "content-1")
"""The Mac holds it."""
BAD = [Source("bad", None), Source("bad", "v1"), Source("bad", "v1", "content-1"), Source("t", "v1", "content-2")]
"""Never started here; no two are the same."""


class Mac:
    def __init__(self) -> None:
        self.clock, self.due = ManualClock(), asyncio.Event()
        anka = AnkaCli(GatedAnka({"list": [ROW], "show t": ROW, "show t tag": [{"tag": "v1"}]}))
        self.host = make_mac_host(anka, clock=self.clock)
        self.starts = StartBackoff(self.host.templates, self.clock, self.due, lambda: 0.999999)

    async def pull(self, content_id: str) -> None:
        await self.host.templates.observe()
        await self.host.templates.record_pull("t", "v1", content_id)

    def fail(self, *sources: Source) -> bool:
        """Whether it takes nothing after these failures."""
        for source in sources:
            self.starts.note_failure(source, f"{source.template} is broken")
        return self.starts.problem is not None


@pytest.fixture
async def mac() -> Mac:
    made = Mac()
    await made.pull("content-1")
    return made


async def test_a_mac_pauses_longer_each_time_until_a_start_succeeds(mac: Mac) -> None:
    await mac.starts.note_success(GOOD)
    assert not mac.fail(*[GOOD] * (TOLERATED - 1))
    assert not mac.due.is_set()
    for pause in (60.0, 120.0, 240.0, 480.0, 900.0, 900.0):
        mac.due.clear()
        assert mac.fail(GOOD)
        assert mac.due.is_set()
        assert (mac.starts.problem or "").endswith("the last: t is broken")
        mac.clock.advance(pause - 1)
        assert mac.starts.problem is not None
        mac.clock.advance(1)
        assert mac.starts.problem is None, "one more may try"
    assert PAUSE.cap == 900
    assert mac.fail(GOOD)
    mac.due.clear()
    await mac.starts.note_success(GOOD)
    assert (mac.starts.problem, mac.due.is_set()) == (None, True)
    assert not mac.fail(*[GOOD] * (TOLERATED - 1)), "it begins anew"
    assert mac.fail(GOOD)
    mac.clock.advance(60)
    assert mac.starts.problem is None, "with the shortest pause"


async def test_a_source_that_never_started_here_is_itself_suspect(mac: Mac) -> None:
    assert not mac.fail(*[BAD[0]] * 20), "a damaged template pauses no Mac"
    assert not mac.fail(*[GOOD] * 20), "held, but never started"
    assert mac.fail(BAD[1]), "three sources are not all damaged"


@pytest.mark.parametrize("count", range(1, len(BAD) + 1))
async def test_each_other_tag_and_content_is_another_source(mac: Mac, count: int) -> None:
    assert mac.fail(*BAD[:count] * 2) is (count >= TOLERATED)


async def test_a_source_counts_beside_one_that_started_here(mac: Mac) -> None:
    await mac.starts.note_success(GOOD)
    assert not mac.fail(GOOD, BAD[0], BAD[0])
    assert mac.fail(GOOD)


async def test_what_fails_during_a_pause_does_not_prolong_it(mac: Mac) -> None:
    await mac.starts.note_success(GOOD)
    assert mac.fail(*[GOOD] * 8), "all of them began before it"
    mac.clock.advance(60)
    assert mac.starts.problem is None
    assert mac.fail(BAD[0]), "the first after it is enough"
    mac.clock.advance(119)
    assert mac.starts.problem is not None


async def test_new_content_of_a_tag_has_not_started_here(mac: Mac) -> None:
    await mac.starts.note_success(GOOD)
    await mac.pull("content-2")
    assert not mac.fail(*[Source("t", "v1", "content-2")] * TOLERATED)


async def test_a_vm_of_the_old_content_proves_nothing_about_the_new(mac: Mac) -> None:
    await mac.pull("content-2")
    await mac.starts.note_success(GOOD)
    assert not mac.fail(*[Source("t", "v1", "content-2")] * TOLERATED)
