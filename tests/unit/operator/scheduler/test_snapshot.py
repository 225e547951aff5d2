"""Objects in, the scheduler's input out."""

from __future__ import annotations

from anka_operator.scheduler.ledger import Claim
from anka_operator.scheduler.score import Placement
from anka_operator.scheduler.size import Size
from anka_operator.scheduler.snapshot import snapshot
from support.objects import group, instance, node, template


def test_snapshot() -> None:
    held = [{"uuid": "t", "name": "t", "tag": "v1", "vcpu": 6, "memoryMib": 8192}]
    seen = snapshot(
        nodes=[node("a", status={"templates": held}), node("b")],
        templates=[template()],
        groups=[group("ios", "spare")],
        instances=[
            instance("waits"),
            instance("runs", status={"nodeName": "a", "phase": "Started", "template": {"id": "t", "tag": "v1"}}),
            instance("failed", status={"nodeName": "a", "phase": "Error"}),
            instance("leaves", meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        ],
        placement=Placement.PACK,
    )
    assert list(seen.world.nodes) == ["a", "b"]
    assert (seen.world.fallbacks, seen.world.placement) == ({"ios": "spare"}, Placement.PACK)
    assert [pending.uid for shape in seen.queue.shapes for pending in seen.queue.line(shape)] == ["uid-waits"]
    assert dict(seen.ledger.items()) == {"uid-runs": Claim("a", Size(6, 8192))}
