"""What becomes of an instance that its Mac could not start."""

from __future__ import annotations

from typing import Any

import pytest

from anka_operator.scheduling.controller import SchedulingController
from anka_operator.scheduling.refusals import RefusalController
from support.objects import instance, node, template
from support.operator_rig import Rig

NO = {"reason": "StartFailed", "message": "the VM cannot be started: license expired"}
REFUSED: dict[str, Any] = {
    "phase": "Scheduling",
    "nodeName": "mac-1",
    "message": "x",
    "refusals": [{"nodeName": "mac-1", **NO}],
}


class Pair:
    def __init__(self, rig: Rig) -> None:
        self.scheduling = SchedulingController(rig.cluster, rig.clock, rig.view)
        self.refusals = RefusalController(rig.cluster, self.scheduling, rig.clock, rig.recorder)


@pytest.fixture
def pair(rig: Rig) -> Pair:
    return Pair(rig)


async def test_it_goes_to_another_mac_and_never_back(rig: Rig, pair: Pair) -> None:
    await rig.put(template(), node("mac-1"), node("mac-2"), instance(status=REFUSED))
    await pair.refusals.run_once()
    status = rig.instance().status
    assert (status.phase, status.node_name, status.message) == ("Scheduling", None, None)
    assert status.refusals is not None
    assert [one.node_name for one in status.refusals] == ["mac-1"]
    await pair.refusals.run_once()
    assert len(rig.writes()) == 1, "once"
    pair.scheduling.wake()
    await pair.scheduling.run_once()
    await pair.scheduling.__aexit__(None, None, None)
    assert rig.instance().status.node_name == "mac-2"


@pytest.mark.parametrize("other", [None, {"state": "Offline"}, {"state": "Active", "hostArch": "amd64"}])
async def test_it_fails_with_the_reason_where_no_other_mac_could_run_it(
    rig: Rig, pair: Pair, other: dict[str, Any] | None
) -> None:
    more = [node("mac-2", status=other)] if other else []
    await rig.put(template(), node("mac-1"), *more, instance(status=REFUSED))
    await pair.refusals.run_once()
    status = rig.instance().status
    assert (status.phase, status.message) == ("Error", NO["message"])


@pytest.mark.parametrize(
    "change",
    [{"nodeName": "mac-2"}, {"nodeName": None}, {"phase": "Error"}, {"refusals": []}],
    ids=["bound to another since", "taken back", "has failed", "not refused"],
)
async def test_what_is_not_refused_now_is_left_alone(rig: Rig, pair: Pair, change: dict[str, Any]) -> None:
    await rig.put(template(), node("mac-1"), instance(status={**REFUSED, **change}))
    await pair.refusals.run_once()
    assert rig.writes() == []
