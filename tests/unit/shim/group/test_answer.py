from __future__ import annotations

from typing import Any

from anka_crds.api import NodeGroup
from anka_shim.group.answer import group_answer
from support.rest import shown


def made(name: str, **spec: Any) -> NodeGroup:
    return NodeGroup.from_api({"metadata": {"name": name}, "spec": spec})


def test_answers_never_have_a_null_description_or_name() -> None:
    assert shown(
        group_answer("spare", made("spare", displayName="Spare", description="the rest", fallbackGroup="old"))
    ) == {
        "id": "spare",
        "name": "Spare",
        "description": "the rest",
        "fallback_group_id": "old",
    }
    nothing = {"id": "x", "name": "x", "description": "", "fallback_group_id": None}
    assert shown(group_answer("x", made("x"))) == nothing
    assert shown(group_answer("x", None)) == nothing
