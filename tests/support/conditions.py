"""What an object says of itself, for tests that expect it to say something."""

from __future__ import annotations

from collections.abc import Iterable

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, NodeGroup
from anka_crds.api.meta import Condition
from anka_crds.rules.condition_list import find


def condition(obj: AnkaInstance | AnkaNode | AnkaTemplate | NodeGroup, kind: str) -> Condition:
    """The condition of this type. AssertionError, with those that there are, when it is absent."""
    found = find(obj.status.conditions, kind)
    assert found is not None, f"{obj.metadata.name} has no condition {kind}: {obj.status.conditions!r}"
    return found


def is_true(conditions: Iterable[Condition], kind: str) -> bool:
    """Whether there is a condition of this type, and it is True."""
    found = find(conditions, kind)
    return found is not None and found.status == "True"
