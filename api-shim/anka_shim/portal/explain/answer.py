"""The scheduler's answer as JSON. Pure."""

from collections.abc import Callable
from typing import Any

from anka_scheduler.decide import Binding
from anka_scheduler.explain import Explanation, NodeAssessment


def explanation_answer(
    explanation: Explanation, name_of: Callable[[str], str], shows: Callable[[str], bool] = lambda _: True
) -> dict[str, Any]:
    """`name_of`: what people call a node, by its id. `shows`: nodes of which it is not true are only
    counted."""
    shown = [one for one in explanation.assessments if shows(one.node.name)]
    return {
        "answer": _answer(explanation, name_of),
        "ahead": explanation.ahead,
        "placed": explanation.placed,
        "nodes": [_node(assessment) for assessment in shown],
        "hidden": len(explanation.assessments) - len(shown),
    }


def _answer(explanation: Explanation, name_of: Callable[[str], str]) -> dict[str, Any]:
    answer = explanation.answer
    if not isinstance(answer, Binding):
        return {"reason": str(answer.reason), "message": answer.message}
    template = answer.template
    return {
        "node": answer.node,
        "name": name_of(answer.node),
        "needsPull": answer.needs_pull,
        "template": {"id": template.id, "name": template.name, "tag": template.tag, "version": template.version},
    }


def _node(assessment: NodeAssessment) -> dict[str, Any]:
    """`capacity` is absent where the number of VMs is not limited, `resources` where they are not."""
    node, usage, rejection = assessment.node, assessment.usage, assessment.rejection
    shown: dict[str, Any] = {
        "node": node.name,
        "name": node.display_name or node.name,
        "fits": rejection is None,
        "needsPull": assessment.needs_pull,
        "running": usage.vms,
        "fallback": assessment.group_position,
    }
    if rejection is not None:
        shown["why"] = rejection.predicate
    if node.vm_slots is not None:
        shown["capacity"] = node.vm_slots
    if node.allocatable is not None:
        shown["resources"] = {
            "vcpus": usage.vcpus,
            "ofVcpus": node.allocatable.vcpus,
            "ramMib": usage.memory_mib,
            "ofRamMib": node.allocatable.memory_mib,
        }
    return shown
