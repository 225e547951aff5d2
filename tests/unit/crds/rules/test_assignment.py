from __future__ import annotations

from typing import Any

import pytest

from anka_crds.rules.assignment import concerns_agent, find_unfinished, list_unfinished
from support.objects import distribution, save_image

BOUND = {"nodeName": "mac-1", "instanceId": "uid-one"}


@pytest.mark.parametrize(
    ("status", "alive", "concerns"),
    [
        ({}, True, False),
        (BOUND, True, True),
        (BOUND, False, True),
        ({**BOUND, "pushedAt": "2026-01-01T00:00:00Z"}, False, True),
        ({**BOUND, "phase": "Done"}, True, True),
        ({**BOUND, "phase": "Error"}, True, True),
        ({**BOUND, "phase": "Done"}, False, False),
        ({"nodeName": "mac-1", "phase": "Done"}, True, False),
    ],
)
def test_a_save_until_it_has_ended_and_its_instance_is_gone(
    status: dict[str, Any], alive: bool, concerns: bool
) -> None:
    instances = {"uid-one"} if alive else set()
    assert concerns_agent(save_image(status=status), instances.__contains__) is concerns


RUNNING: dict[str, Any] = {"phase": "Running", "nodes": [{"nodeName": "mac-1"}, {"nodeName": "mac-2", "done": True}]}


def test_a_distribution_for_the_macs_that_have_not_done_it() -> None:
    one = distribution(status=RUNNING)
    assert [entry.node_name for entry in list_unfinished(one)] == ["mac-1"]
    assert find_unfinished(one, "mac-1") is not None
    assert find_unfinished(one, "mac-2") is None
    assert find_unfinished(one, "mac-3") is None


@pytest.mark.parametrize(
    "over",
    [
        distribution(status=RUNNING, cancelled=True),
        distribution(status=RUNNING, meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        *(distribution(status={**RUNNING, "phase": phase}) for phase in ("Pending", "Done", "Error", "Cancelled")),
    ],
)
def test_a_distribution_that_is_over_or_not_begun_asks_nobody(over: Any) -> None:
    assert find_unfinished(over, "mac-1") is None
