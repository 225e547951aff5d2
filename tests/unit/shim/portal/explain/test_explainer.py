"""Questions are answered beside the loop, one at a time, and not without end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from anka_scheduler.decide import Binding
from anka_scheduler.score import Placement
from anka_shim.failure import Failure
from anka_shim.portal.explain import explainer as module
from anka_shim.portal.explain.explainer import MOST_QUESTIONS, Explainer
from anka_shim.store.caches import Stores
from support.manual_clock import ManualClock
from support.objects import instance, node, template


def stores() -> Stores:
    made = Stores("default")
    made.nodes.observe(node("mac-1", slots=2, holds=("v2",)))
    made.nodes.observe(node("mac-2", slots=2, holds=("v2",)))
    made.templates.observe(template())
    made.instances.observe(instance("runs", status={"nodeName": "mac-1", "phase": "Started"}))
    return made


@pytest.mark.parametrize(("placement", "node_name"), [(Placement.SPREAD, "mac-2"), (Placement.PACK, "mac-1")])
async def test_it_chooses_as_the_operator_does(placement: Placement, node_name: str) -> None:
    explainer = Explainer(stores(), ManualClock(), placement)
    found = await explainer.explain(instance("new"))
    assert isinstance(found.answer, Binding)
    assert found.answer.node == node_name
    explainer.close()


async def test_too_many_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, running, most = threading.Event(), list[int](), list[int]()

    def slow(*given: Any) -> Any:
        running.append(1)
        most.append(len(running))
        assert let_go.wait(60)
        running.pop()
        return given

    monkeypatch.setattr(module, "explain", slow)
    explainer = Explainer(stores(), ManualClock(), Placement.SPREAD)
    asked = [asyncio.create_task(explainer.explain(instance("new"))) for _ in range(MOST_QUESTIONS)]
    await asyncio.sleep(0)  # every task has begun, and waits for its answer
    assert explainer._open == MOST_QUESTIONS
    with pytest.raises(Failure, match="too many questions") as refused:
        await explainer.explain(instance("new"))
    assert (refused.value.code, refused.value.retry_after) == (503, 2)
    let_go.set()
    assert len(await asyncio.gather(*asked)) == MOST_QUESTIONS
    assert most == [1] * MOST_QUESTIONS
    explainer.close()
