from __future__ import annotations

from typing import Any

import pytest

from anka_shim.distribution.answer import DistributionAnswer, distribution_answer
from support.objects import TEMPLATE, distribution, node
from support.rest import shown

NO_TEMPLATE = {
    "type": "Ready",
    "status": "False",
    "reason": "TemplateNotFound",
    "message": "No such template",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
NODES = [node("mac-1", groups=["ios"]), node("mac-2")]


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ({}, {"mac-1": {"progress": 0.0, "status": False}}),
        (
            {"phase": "Running", "nodes": [{"nodeName": "a", "progressPercent": 45}]},
            {"a": {"progress": 0.45, "status": False}},
        ),
        (
            {"phase": "Done", "nodes": [{"nodeName": "a", "progressPercent": 100, "done": True}]},
            {"a": {"progress": 1.0, "status": True}},
        ),
        (
            {"phase": "Error", "nodes": [{"nodeName": "a", "progressPercent": 10, "done": True, "message": "no"}]},
            {"a": {"progress": 0.1, "status": False, "message": "no"}},
        ),
        (
            {
                "phase": "Cancelled",
                "nodes": [{"nodeName": "a", "progressPercent": 40, "done": True, "message": "over"}],
            },
            {"a": {"progress": 0.4, "status": False, "message": "over"}},
        ),
        ({"phase": "Error"}, {"mac-1": {"progress": 0.0, "status": False, "message": "Error"}}),
        (
            {"phase": "Error", "conditions": [NO_TEMPLATE]},
            {"mac-1": {"progress": 0.0, "status": False, "message": "No such template"}},
        ),
        ({"phase": "Cancelled"}, {"mac-1": {"progress": 0.0, "status": False, "message": "Cancelled"}}),
        ({"phase": "Done"}, {}),
    ],
)
def test_how_far_it_is(status: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Before the operator has looked, the Macs that it is going to be for."""
    answer = shown(distribution_answer(distribution("id-1", group="ios", status=status), NODES))
    assert answer["distribute_status"] == wanted
    DistributionAnswer.model_validate(answer)


def test_the_request_in_the_answer() -> None:
    new = distribution("id-1", template="macos-15")
    assert shown(distribution_answer(new, []))["request"] == {
        "time_requested": "2026-01-01T00:00:00Z",
        "template_id": "macos-15",
        "request_id": "id-1",
    }
    taken = {"phase": "Running", "requestedAt": "2026-01-01T00:00:09Z", "template": {"id": TEMPLATE}}
    request = shown(distribution_answer(distribution("id-1", template="macos-15", status=taken), []))["request"]
    assert (request["time_requested"], request["template_id"]) == ("2026-01-01T00:00:09Z", TEMPLATE)
