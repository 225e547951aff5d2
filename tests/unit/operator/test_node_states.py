"""The state of a node is the same word wherever it is shown: by kubectl, by REST, in metrics, in Events."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from anka_crds.api import AnkaNode, NodeState
from anka_operator.nodes.controller import NodeController
from anka_operator.nodes.desired import STUCK_SECONDS
from anka_shim.node.answer import NodeAnswer, NodeLoad, node_answer
from support.objects import START, instance, node
from support.operator_rig import NODES, rig
from support.rest import shown

EXPIRED = {"ankaVersion": {"licenseStatus": "expired"}}
STATES: list[tuple[str, bool, dict[str, Any], bool]] = [
    # The word, whether it beats, what it is like, whether it is full of what does not run.
    ("Active", True, {}, False),
    ("Drain Mode", True, {"drainMode": True}, False),
    ("Offline", False, {}, False),
    ("Inactive (Invalid License)", True, {"status": EXPIRED}, False),
    ("Updating", True, {"status": {"updating": True}}, False),
    ("Unhealthy", True, {"slots": 1}, True),
]


def test_no_state_is_left_out() -> None:
    assert {word for word, *_ in STATES} == {str(state) for state in NodeState}


@pytest.mark.parametrize(("word", "beats", "config", "stuck"), STATES, ids=[word for word, *_ in STATES])
async def test_one_word_everywhere(word: str, beats: bool, config: dict[str, Any], stuck: bool) -> None:
    async with rig() as cloud:
        life = NodeController(cloud.cluster, cloud.clock, cloud.recorder, node_namespace=NODES)
        # It was something else before, so that there is something to tell.
        await cloud.put(node(state="Offline" if word == "Active" else "Active", **config))
        if stuck:
            await cloud.put(
                instance(status={"nodeName": "mac-1", "phase": "Scheduling", "scheduledAt": START.isoformat()})
            )
        cloud.clock.advance(STUCK_SECONDS)
        if beats:
            await cloud.beat("mac-1")
        await life.run_once()
        await life.run_once()
        seen = cloud.node()

        raw = cloud.api.objects["ankanodes"]["", "mac-1"]
        (column,) = [column for column in AnkaNode.DEFINITION.columns if column.name == "State"]
        assert (column.path, raw["status"]["state"]) == (".status.state", word)

        answer = shown(node_answer(seen, {}, NodeLoad()))
        NodeAnswer.model_validate(answer)
        assert answer["state"] == word

        counted = {
            str(state): REGISTRY.get_sample_value("anka_operator_nodes", {"state": str(state)}) for state in NodeState
        }
        assert {state for state, number in counted.items() if number} == {word}

        ((_, _, message, _),) = cloud.events()
        assert message.startswith(f"{word}: ")
