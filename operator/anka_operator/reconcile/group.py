"""Status of a NodeGroup: how many Macs it has, and whether its fallback makes sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from anka_crds.api.group import NodeGroup
from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState
from anka_crds.core.conditions import summarised
from anka_crds.core.lifecycle import Health
from anka_operator.reconcile.patch import Status, differs, listed, settled
from anka_operator.scheduler.groups import cycle


def judged(
    group: NodeGroup, nodes: Iterable[AnkaNode], fallbacks: Mapping[str, str | None], now: datetime
) -> Status | None:
    """The patch that makes the status true; None when it is. `nodes`: those of this group; `fallbacks`: all groups."""
    members = list(nodes)
    active = sum(1 for node in members if node.status.state is NodeState.ACTIVE)
    health, reason, message = _verdict(group, len(members), active, fallbacks)
    conditions = summarised(
        settled(group.status.conditions), health, reason, message, generation=group.metadata.generation, now=now
    )
    patch: Status = {
        "observedGeneration": group.metadata.generation,
        "nodes": len(members),
        "activeNodes": active,
        "conditions": listed(conditions),
    }
    return patch if differs(group.status.to_api(), patch) else None


def _verdict(group: NodeGroup, nodes: int, active: int, fallbacks: Mapping[str, str | None]) -> tuple[Health, str, str]:
    name, fallback = group.metadata.name, group.spec.fallback_group
    if fallback is not None and fallback not in fallbacks:
        return (
            Health.FAILED,
            "FallbackNotFound",
            f"There is no NodeGroup {fallback}: create it, or change fallbackGroup",
        )
    if round_trip := cycle(name, {**fallbacks, name: fallback}):
        return Health.FAILED, "FallbackCycle", f"The fallbacks go in a circle: {' -> '.join(round_trip)}"
    # Without numbers: the columns have them, and a condition should not change with every Mac that drains.
    if not nodes:
        return Health.READY, "Empty", "No Mac names this group in spec.groups"
    return Health.READY, "Ready", "Takes instances" if active else "None of its Macs takes instances now"
