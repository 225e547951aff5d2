"""What an instance asks for, as far as the choice of a node depends on it. Equal shapes get one common answer."""

from __future__ import annotations

from dataclasses import dataclass

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.phase import Phase


@dataclass(frozen=True, slots=True)
class Shape:
    """Template, tag, node and group as people wrote them: ids or names."""

    template: str
    tag: str | None = None
    version: int | None = None
    node: str | None = None
    group: str | None = None


def shape_of(instance: AnkaInstance) -> Shape:
    spec = instance.spec
    return Shape(spec.template, spec.tag or None, spec.version, spec.node, spec.group)


def is_pending(instance: AnkaInstance) -> bool:
    """Whether the instance waits for a node."""
    return (
        instance.status.node_name is None
        and instance.status.phase is Phase.SCHEDULING
        and instance.metadata.deletion_timestamp is None
    )
