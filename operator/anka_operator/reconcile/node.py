"""State and conditions of an AnkaNode, from its configuration, what its agent reports, and its heartbeat."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState
from anka_crds.core.conditions import find, summarised, with_condition, without
from anka_crds.core.lifecycle import Health
from anka_operator.reconcile.patch import Status, differs, listed, settled

UNKNOWN_GROUPS = "UnknownGroups"
ALIVE = "Alive"
"""Only the heartbeat moves it, so its transition tells since when the node is silent."""

_MEANING: dict[NodeState, tuple[Health, str, str]] = {
    NodeState.ACTIVE: (Health.READY, "Active", "Takes instances"),
    NodeState.DRAIN: (Health.READY, "Draining", "Running instances finish, nothing new starts here"),
    NodeState.OFFLINE: (
        Health.FAILED,
        "NoHeartbeat",
        "The agent sends no heartbeat: is the Mac on, the agent running?",
    ),
    NodeState.INACTIVE: (Health.FAILED, "InvalidLicense", "The Anka license is not valid: run `anka license show`"),
    NodeState.UPDATING: (Health.PROGRESSING, "Updating", "The agent is being updated"),
    NodeState.UNHEALTHY: (Health.FAILED, "Unhealthy", "All places are taken, but none of the VMs is running"),
}


def state_of(node: AnkaNode, alive: bool | None) -> NodeState | None:
    """`state` of the seed document. `alive` None: nobody can tell yet, so it stays as it is.

    Updating and Unhealthy need what agents do not report yet.
    """
    if alive is None:
        return node.status.state
    if not alive:
        return NodeState.OFFLINE
    anka = node.status.anka_version
    if anka is not None and anka.license_status and anka.license_status.lower() != "valid":
        return NodeState.INACTIVE
    return NodeState.DRAIN if node.spec.drain_mode else NodeState.ACTIVE


def judged(node: AnkaNode, alive: bool | None, groups: Collection[str], now: datetime) -> Status | None:
    """The patch that makes the status true; None when it is, or when nothing is known. `groups`: all there are."""
    state = state_of(node, alive)
    if state is None:
        return None
    health, reason, message = _MEANING[state]
    if state is NodeState.INACTIVE and node.status.anka_version is not None:
        message = f"The Anka license is {node.status.anka_version.license_status}: run `anka license show` on the Mac"
    generation = node.metadata.generation
    conditions = summarised(settled(node.status.conditions), health, reason, message, generation=generation, now=now)
    if state is NodeState.OFFLINE:
        conditions = with_condition(conditions, ALIVE, "False", reason, message, generation=generation, now=now)
    elif alive:
        words = "The agent sends heartbeats"
        conditions = with_condition(conditions, ALIVE, "True", "Heartbeat", words, generation=generation, now=now)
    unknown = sorted(set(node.spec.groups) - set(groups))
    if unknown:
        words = f"There is no NodeGroup {', '.join(unknown)}: create it, or correct spec.groups"
        conditions = with_condition(
            conditions, UNKNOWN_GROUPS, "True", "NotFound", words, generation=generation, now=now
        )
    else:
        conditions = without(conditions, UNKNOWN_GROUPS)
    patch: Status = {"state": state.value, "observedGeneration": generation, "conditions": listed(conditions)}
    return patch if differs(node.status.to_api(), patch) else None


def offline_since(node: AnkaNode) -> datetime | None:
    """When the node was found to be Offline; None when it is not. In the API, so that it outlives this process."""
    heartbeat = find(node.status.conditions, ALIVE)
    if node.status.state is not NodeState.OFFLINE or heartbeat is None or heartbeat.status == "True":
        return None
    return heartbeat.last_transition_time
