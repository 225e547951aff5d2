"""One Mac of a request, by what its AnkaNode says."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaNode
from anka_crds.api.distribution import NodeProgress
from anka_operator.distributions.progress import OFFLINE, follow_mac, with_outcome
from support.objects import START, distribution, node

ENTRY = NodeProgress(node_name="a", progress_percent=40, round=2)
GONE = "There is no AnkaNode a"
GIVEN_UP = f"{OFFLINE}, and was given up"


def mac(*, silence: float | None = None, **work: Any) -> AnkaNode:
    """`silence`: seconds that it has been Offline. `work`: what its agent reports of the request, if anything."""
    status: dict[str, Any] = {}
    if work:
        status["distributions"] = [{"name": "request", "uid": "uid-request", "round": 2, **work}]
    if silence is not None:
        since = (START - timedelta(seconds=silence)).isoformat()
        alive = {
            "type": "Alive",
            "status": "False",
            "reason": "NoHeartbeat",
            "message": "",
            "lastTransitionTime": since,
        }
        status["conditions"] = [alive]
    return node("a", state="Active" if silence is None else "Offline", status=status)


@pytest.mark.parametrize(
    ("one", "expected", "wait"),
    [
        (None, (True, 40, GONE), math.inf),
        (mac(), (False, 40, None), math.inf),
        (mac(progressPercent=50), (False, 50, None), math.inf),
        (mac(progressPercent=50, message="waits for disk"), (False, 50, "waits for disk"), math.inf),
        (mac(progressPercent=50, done=True), (True, 100, None), math.inf),
        (mac(progressPercent=50, done=True, message="no route"), (True, 50, "no route"), math.inf),
        (mac(progressPercent=90, done=True, round=1), (False, 40, None), math.inf),
        (mac(progressPercent=90, done=True, uid="older"), (False, 40, None), math.inf),
        (mac(silence=100), (False, 40, OFFLINE), 200),
        (mac(silence=100, progressPercent=60), (False, 60, OFFLINE), 200),
        (mac(silence=300), (True, 40, GIVEN_UP), math.inf),
        (mac(silence=300, done=True), (True, 100, None), math.inf),
        # The condition that says since when is not written yet: its event follows.
        (node("a", state="Offline"), (False, 40, OFFLINE), math.inf),
    ],
)
def test_what_is_told_of_a_mac(one: AnkaNode | None, expected: tuple[bool, int, str | None], wait: float) -> None:
    entry, seconds = follow_mac(ENTRY, one, distribution(), 300, START)
    assert (entry.done, entry.progress_percent, entry.message) == expected
    assert seconds == wait
    assert (entry.node_name, entry.round) == ("a", 2)


@pytest.mark.parametrize("one", [None, mac(progressPercent=1), mac(silence=1000)])
@pytest.mark.parametrize("message", [None, "no route"])
def test_the_end_is_the_end(one: AnkaNode | None, message: str | None) -> None:
    ended = with_outcome(ENTRY, True, 100, message)
    assert follow_mac(ended, one, distribution(), 300, START) == (ended, math.inf)
