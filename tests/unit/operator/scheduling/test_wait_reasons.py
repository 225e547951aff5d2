"""Who waits is told why: late, seldom, and not all at once."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import AnkaInstance
from anka_crds.rules.condition_list import find
from anka_operator.instances.desired import already_reports
from anka_operator.scheduling import wait_reasons as module
from anka_operator.scheduling.controller import SchedulingController
from anka_operator.scheduling.wait_reasons import (
    EVENTS_PER_RUN,
    FIRST_EVENT_SECONDS,
    FIRST_REPORT_SECONDS,
    LOOK_SECONDS,
    NEXT_REPORT_SECONDS,
    REPORTS_PER_RUN,
    WaitReasonReporter,
)
from anka_scheduler.ledger import Claim
from anka_scheduler.queue import SchedulingQueue
from anka_scheduler.reasons import WaitReason
from anka_scheduler.starvation import PERIOD_SECONDS
from support.objects import instance, node, template
from support.operator_rig import Rig


class Pair:
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.scheduling = SchedulingController(rig.cluster, rig.clock, rig.view)
        self.explaining = WaitReasonReporter(rig.cluster, self.scheduling, rig.clock, rig.recorder)

    async def run(self, after: float = FIRST_REPORT_SECONDS) -> int:
        """One round of both after some time; how many were told something."""
        self.rig.clock.advance(after)
        before = len(self.rig.writes())
        await self.scheduling.run_once()
        await self.explaining.run_once()
        return len(self.rig.writes()) - before


@pytest.fixture
def pair(rig: Rig) -> Pair:
    return Pair(rig)


def told(rig: Rig, name: str = "one") -> str | None:
    condition = find(rig.instance(name).status.conditions, "Scheduled")
    return condition.message if condition is not None else None


async def test_told_once_and_only_after_a_while(rig: Rig, pair: Pair) -> None:
    await rig.put(template(), instance())
    assert await pair.run(after=0.5) == 0
    assert await pair.run() == 1
    assert told(rig) == "There are no nodes yet"
    assert await pair.run(after=100) == 0


async def test_a_new_reason_is_told_but_not_at_once(rig: Rig, pair: Pair) -> None:
    await rig.put(template(), instance())
    await pair.run()
    await rig.put(node(drainMode=True))
    assert await pair.run(after=1) == 0
    assert await pair.run(after=NEXT_REPORT_SECONDS) == 1
    assert told(rig) == "0/1 node fit: 1 draining"


async def test_thousands_take_turns(rig: Rig, pair: Pair) -> None:
    count = REPORTS_PER_RUN * 2 + 5
    await rig.put(template(), *(instance(f"i{number}") for number in range(count)))
    assert [await pair.run() for _ in range(4)] == [REPORTS_PER_RUN, REPORTS_PER_RUN, 5, 0]
    # When all must hear something new, those who heard last hear last.
    await rig.put(node(slots=0))
    assert [await pair.run(after=NEXT_REPORT_SECONDS), await pair.run(after=0), await pair.run(after=0)] == [
        REPORTS_PER_RUN,
        REPORTS_PER_RUN,
        5,
    ]
    assert {told(rig, f"i{number}") for number in range(count)} == {"0/1 node fit: 1 full"}


async def test_who_was_told_is_looked_at_again_only_when_something_changes(
    rig: Rig, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(one: AnkaInstance, why: WaitReason) -> bool:
        looked.append(one.metadata.name)
        return already_reports(one, why)

    monkeypatch.setattr(module, "already_reports", look)

    async def run(after: float = 1) -> list[str]:
        looked.clear()
        await pair.run(after=after)
        return sorted(looked)

    await rig.put(template(), *(instance(name) for name in "abc"))
    assert await run() == ["a", "b", "c"]
    assert await run() == ["a", "b", "c"], "our own writes are changes, too"
    assert await run() == []
    assert await run(after=LOOK_SECONDS / 2) == []
    await rig.put(rig.instance("b"))
    assert await run() == ["b"], "another version"
    await rig.put(node(slots=0))
    assert await run(after=NEXT_REPORT_SECONDS) == ["a", "b", "c"], "another reason"
    assert await run() == ["a", "b", "c"]
    assert await run() == []
    assert await run(after=LOOK_SECONDS) == ["a", "b", "c"], "from time to time, whatever was told"
    await rig.remove(rig.instance("c"))
    assert await run(after=LOOK_SECONDS) == ["a", "b"]


async def test_a_bind_that_failed_is_followed_by_the_reason_of_now(rig: Rig, pair: Pair) -> None:
    """While it was written, the instance was in no queue, and others of its shape were told another reason."""
    await rig.put(template(), instance(), instance("two"))
    assert await pair.run() == 2
    one = rig.instance()
    pair.scheduling.state.assume(one.metadata.uid, Claim("mac-1"))
    await rig.put(node(slots=0))
    assert [await pair.run(after=NEXT_REPORT_SECONDS) for _ in range(2)] == [1, 0]
    pair.scheduling.state.settle(one.metadata.uid)
    assert sum([await pair.run(after=LOOK_SECONDS / 2) for _ in range(2)]) == 1
    assert told(rig) == told(rig, "two") == "0/1 node fit: 1 full"


async def test_a_change_under_way_wins(rig: Rig, pair: Pair) -> None:
    """Guarded: who is bound at this moment by somebody else must not be told that it waits."""
    await rig.put(template(), instance())
    await pair.run(after=0)
    rig.clock.advance(FIRST_REPORT_SECONDS)
    # Behind the back of our cache.
    rig.api.objects["ankainstances"]["default", "one"]["metadata"]["resourceVersion"] = "9999"
    await pair.explaining.run_once()
    assert len(rig.writes()) == 1
    status = rig.api.objects["ankainstances"]["default", "one"]["status"]
    assert status["conditions"] == []


async def test_who_gets_a_node_soon_has_no_event(rig: Rig, pair: Pair) -> None:
    await rig.put(template(), node(slots=0), instance())
    assert await pair.run(after=FIRST_EVENT_SECONDS - 1) == 1
    await rig.put(node())
    await pair.run(after=10)
    await rig.until(lambda: rig.instance().status.node_name is not None)
    await pair.run(after=10)
    assert rig.event_writes() == 0


async def test_an_event_for_a_reason_of_another_kind_only(rig: Rig, pair: Pair) -> None:
    await rig.put(template(), instance())
    await pair.run(after=FIRST_EVENT_SECONDS)
    assert rig.events() == [("Warning", "FailedScheduling", "There are no nodes yet", 1)]
    await rig.put(node(slots=0), node("mac-2", slots=0))
    await pair.run(after=NEXT_REPORT_SECONDS)
    assert rig.events() == [("Warning", "FailedScheduling", "0/2 nodes fit: 2 full", 2)]
    # The same in other numbers: the condition has it.
    await rig.put(node("mac-3", slots=0))
    assert await pair.run(after=NEXT_REPORT_SECONDS) == 1
    assert told(rig) == "0/3 nodes fit: 3 full"
    await pair.run(after=100)
    assert rig.event_writes() == 2


async def test_events_of_thousands_take_turns(rig: Rig, pair: Pair) -> None:
    count = EVENTS_PER_RUN * 2 + 1
    await rig.put(template(), *(instance(f"i{number}") for number in range(count)))
    await pair.run(after=FIRST_EVENT_SECONDS)
    seen = [rig.event_writes()]
    for _ in range(3):
        await pair.run()
        seen.append(rig.event_writes())
    assert seen == [EVENTS_PER_RUN, 2 * EVENTS_PER_RUN, count, count]


async def test_who_waits_for_its_event_costs_nothing_until_its_turn(
    rig: Rig, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 that all waited for their Event took 5 % of a core."""
    monkeypatch.setattr(module, "REPORTS_PER_RUN", 1000)
    await rig.put(template(), *(instance(f"i{number}") for number in range(200)))
    await pair.run(after=FIRST_EVENT_SECONDS)
    await pair.run()
    asked: list[str] = []
    contains = SchedulingQueue.__contains__

    def ask(queue: SchedulingQueue, uid: str) -> bool:
        asked.append(uid)
        return contains(queue, uid)

    monkeypatch.setattr(SchedulingQueue, "__contains__", ask)
    posted = rig.event_writes()
    await pair.run()
    assert rig.event_writes() - posted == EVENTS_PER_RUN
    assert len(asked) <= 2 * EVENTS_PER_RUN
    # Who leaves needs no Event, and holds up nobody behind.
    for number in range(190):
        await rig.remove(rig.instance(f"i{number}"))
    posted = rig.event_writes()
    await pair.run()
    assert rig.event_writes() - posted == EVENTS_PER_RUN
    assert len(asked) <= 4 * EVENTS_PER_RUN


async def test_a_new_leader_tells_nothing_again(rig: Rig, pair: Pair) -> None:
    await rig.put(template(), instance())
    await pair.run(after=FIRST_EVENT_SECONDS)
    again = Pair(rig)
    assert await again.run(after=100) == 0
    assert rig.event_writes() == 1


async def test_nodes_kept_free_are_told_and_forgotten(rig: Rig, pair: Pair) -> None:
    """`anka-operator explain` reads it."""
    sized: dict[str, Any] = {"capacityMode": "resource", "vcpuOverride": 8, "ramOverrideGib": 64}
    taken = instance("small", resources={"vcpu": 1, "memoryMib": 512}, status={"nodeName": "mac-1", "phase": "Started"})
    await rig.put(template(arch=""), node(arch="amd64", **sized), taken)
    await rig.put(instance("large", resources={"vcpu": 8, "memoryMib": 512}))
    await pair.run()
    await pair.run()
    assert rig.instance("large").status.kept_free is None
    await pair.run(after=PERIOD_SECONDS)
    assert rig.instance("large").status.kept_free == 1
    assert told(rig, "large") == "0/1 node fit: 1 lacks vCPUs; mac-1 is kept free for it"
    await rig.put(node(arch="amd64", drainMode=True, meta={"version": 50}, **sized))
    await pair.run(after=NEXT_REPORT_SECONDS)
    assert rig.instance("large").status.kept_free is None
