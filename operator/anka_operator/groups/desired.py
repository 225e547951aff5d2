"""Status of a NodeGroup: how many Macs it has, and whether its fallback makes sense."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from anka_crds.api.conditions import GroupReason
from anka_crds.api.group import NodeGroup
from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState
from anka_crds.rules.lifecycle import Health
from anka_operator.status_patch import StatusPatch, is_change, to_list, with_own_health
from anka_scheduler.groups import find_cycle


def compute_status(
    group: NodeGroup, nodes: Iterable[AnkaNode], fallbacks: Mapping[str, str | None], now: datetime
) -> StatusPatch | None:
    """The patch that corrects the status, if needed. `nodes`: those of the group; `fallbacks`: those of all groups."""
    members = list(nodes)
    active = sum(1 for node in members if node.status.state is NodeState.ACTIVE)
    health, reason, message = _assess(group, len(members), active, fallbacks)
    conditions = with_own_health(group, health, reason, message, now)
    patch: StatusPatch = {
        "observedGeneration": group.metadata.generation,
        "nodes": len(members),
        "activeNodes": active,
        "conditions": to_list(conditions),
    }
    return patch if is_change(group.status.to_api(), patch) else None


def _assess(
    group: NodeGroup, nodes: int, active: int, fallbacks: Mapping[str, str | None]
) -> tuple[Health, GroupReason, str]:
    name, fallback = group.metadata.name, group.spec.fallback_group
    if fallback is not None and fallback not in fallbacks:
        return (
            Health.FAILED,
            GroupReason.FALLBACK_NOT_FOUND,
            f"There is no NodeGroup {fallback}: create it, or change fallbackGroup",
        )
    if cycle := find_cycle(name, {**fallbacks, name: fallback}):
        return Health.FAILED, GroupReason.FALLBACK_CYCLE, f"The fallbacks go in a circle: {' -> '.join(cycle)}"
    # Without numbers: the columns have them, and a condition should not change with every Mac that drains.
    if not nodes:
        return Health.READY, GroupReason.EMPTY, "No Mac names this group in spec.groups"
    return Health.READY, GroupReason.READY, "Takes instances" if active else "None of its Macs takes instances now"
