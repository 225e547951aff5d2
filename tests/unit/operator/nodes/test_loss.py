"""A node that is Offline is lost after a while."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from anka_crds.api import AnkaNode
from anka_operator.nodes.loss import NodeLoss, assess_loss
from support.objects import START, node


def offline(seconds: float) -> AnkaNode:
    """At START it has been Offline for that long."""
    since = (START - timedelta(seconds=seconds)).isoformat()
    alive = {"type": "Alive", "status": "False", "reason": "NoHeartbeat", "message": "", "lastTransitionTime": since}
    return node(state="Offline", status={"conditions": [alive]})


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (None, NodeLoss(0, None)),
        (node(), NodeLoss(math.inf, None)),
        (node(state=None), NodeLoss(math.inf, None)),
        (offline(0), NodeLoss(300, 0)),
        (offline(299), NodeLoss(1, 299)),
        (offline(300), NodeLoss(0, 300)),
        (offline(1000), NodeLoss(0, 1000)),
        (offline(-5), NodeLoss(305, -5)),
    ],
)
def test_loss(one: AnkaNode | None, expected: NodeLoss) -> None:
    assert assess_loss(one, lost_seconds=300, now=START) == expected


def test_who_waits_for_nobody() -> None:
    assert assess_loss(offline(0), lost_seconds=0, now=START) == NodeLoss(0, 0)
