from __future__ import annotations

from anka_operator.agent_updates.controller import RolloutController
from support.objects import node
from support.operator_rig import Rig

OLD = {"agentVersion": "1"}


async def test_one_after_the_other(rig: Rig) -> None:
    rollout = RolloutController(rig.cluster, rig.clock, limit="1", failures=2)
    for name in ("a", "b"):
        await rig.put(node(name, status=OLD, agentVersion="2"))
    await rollout.run_once()
    assert [rig.node(name).status.update_approved for name in ("a", "b")] == ["2", None]
    await rollout.run_once()
    assert len(rig.writes()) == 1
    await rig.put(node("a", status={"agentVersion": "2", "updateApproved": "2"}, agentVersion="2"))
    await rollout.run_once()
    assert [rig.node(name).status.update_approved for name in ("a", "b")] == [None, "2"]
    # The place was given back before it was given away.
    assert [write.path.split("/")[-2] for write in rig.writes()] == ["a", "a", "b"]


async def test_it_says_once_that_it_stopped(rig: Rig, caplog: object) -> None:
    rollout = RolloutController(rig.cluster, rig.clock, limit="1", failures=1)
    failed = {**OLD, "agentUpdate": {"version": "2", "failed": True, "message": "x"}}
    await rig.put(node("a", status=failed, agentVersion="2"), node("b", status=OLD, agentVersion="2"))
    await rollout.run_once()
    await rollout.run_once()
    assert rig.writes() == []
    assert str(getattr(caplog, "text", "")).count("no more Macs get agent version 2") == 1
