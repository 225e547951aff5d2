"""State and conditions of an AnkaNode, from its configuration, what its agent reports, and its heartbeat."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState, Phase
from anka_crds.core.conditions import find, summarised, with_condition, without
from anka_crds.core.lifecycle import Health, holds_slot
from anka_operator.reconcile import rollout
from anka_operator.reconcile.patch import Status, differs, listed, settled
from anka_operator.scheduler.fleet import node_of
from anka_operator.scheduler.size import TemplateSizes, size_of

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


STUCK_SECONDS = 600.0
"""A VM that neither runs nor was heard of for so long does not come any more: an agent tells of a pull every 5 s, and
gives up on a start much earlier."""


def clogged(
    node: AnkaNode, instances: Iterable[AnkaInstance], now: datetime, sizes: TemplateSizes | None = None
) -> bool:
    """Unhealthy of the seed document: "capacity is full AND all of the vms are NOT in 'running' state".

    `instances`: those of the node. A burst fills a node with VMs that do not run yet, which is no illness: each has
    STUCK_SECONDS to show progress. `sizes`: of templates, for what an instance takes in mode resource.
    """
    taking = [one for one in instances if holds_slot(one.status.phase, _vm_status(one))]
    return bool(taking) and all(_stuck(one, now) for one in taking) and _full(node, taking, sizes or TemplateSizes())


def _full(node: AnkaNode, taking: Sequence[AnkaInstance], sizes: TemplateSizes) -> bool:
    """As the scheduler counts. In mode resource there is always room for something small: full is a node that has none
    for one more like the smallest that is there."""
    view = node_of(node)
    if view.slots is not None and len(taking) >= view.slots > 0:
        return True
    room = view.room
    # What the Mac has not reported yet can't be full.
    if room is None or not room.vcpus or not room.memory_mib:
        return False
    taken = [size_of(one, sizes) for one in taking]
    vcpus, memory = [size.vcpus for size in taken], [size.memory_mib for size in taken]
    return sum(vcpus) + min(vcpus) > room.vcpus or sum(memory) + min(memory) > room.memory_mib


def _stuck(instance: AnkaInstance, now: datetime) -> bool:
    # A push to the registry takes what it takes, with its VM stopped or suspended.
    if _vm_status(instance) == "running" or instance.status.phase is Phase.PUSHING:
        return False
    status, deleted = instance.status, instance.metadata.deletion_timestamp
    heard = [moment for moment in (status.scheduled_at, status.updated_at, deleted) if moment is not None]
    return bool(heard) and (now - max(heard)).total_seconds() >= STUCK_SECONDS


def _vm_status(instance: AnkaInstance) -> str | None:
    return instance.status.vm.status if instance.status.vm is not None else None


def state_of(node: AnkaNode, alive: bool | None, *, clogged: bool = False) -> NodeState | None:
    """`state` of the seed document. `alive` None: nobody can tell yet, so it stays as it is. So it does until the agent
    of a new node has reported what the scheduler places by: it beats before that, and for longer if a report fails.

    What keeps the Mac from working comes before what people wanted of it (Drain Mode).
    """
    if alive is None:
        return node.status.state
    if not alive:
        return NodeState.OFFLINE
    if not reported(node):
        return node.status.state
    if node.status.updating:
        return NodeState.UPDATING
    anka = node.status.anka_version
    if anka is not None and anka.license_status and anka.license_status.lower() != "valid":
        return NodeState.INACTIVE
    if clogged:
        return NodeState.UNHEALTHY
    return NodeState.DRAIN if node.spec.drain_mode or node.status.leaving else NodeState.ACTIVE


def reported(node: AnkaNode) -> bool:
    """Whether its agent has ever written what the Mac is, which it does in one write. The architecture alone can't
    tell: an agent on anything but a Mac does not know it before there is a template."""
    seen = node.status
    return bool(seen.cpu_count is not None or seen.host_arch or seen.anka_version or seen.templates)


def judged(
    node: AnkaNode,
    alive: bool | None,
    groups: Collection[str],
    now: datetime,
    *,
    instances: Iterable[AnkaInstance] = (),
    sizes: TemplateSizes | None = None,
) -> Status | None:
    """The patch that makes the status true; None when it is, or when nothing is known.

    `groups`: all there are. `instances`: those of the node. `sizes`: of templates.
    """
    state = state_of(node, alive, clogged=clogged(node, instances, now, sizes))
    if state is None:
        return None
    health, reason, message = _MEANING[state]
    if state is NodeState.INACTIVE and node.status.anka_version is not None:
        message = f"The Anka license is {node.status.anka_version.license_status}: run `anka license show` on the Mac"
    generation = node.metadata.generation
    conditions = summarised(
        settled(node.status.conditions), health, reason, message, generation=generation, now=now,
        but=_outstanding(node) if health is Health.READY else None,
    )  # fmt: skip
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


def _outstanding(node: AnkaNode) -> tuple[Health, str, str] | None:
    """What the spec asks for that a Mac which works is not: whoever waits for that (kstatus) must be told."""
    if not rollout.wants(node):
        return None
    version = node.spec.agent_version
    if rollout.failed(node):
        words = f"The agent could not be updated to {version}: status.agentUpdate says why"
        return Health.FAILED, "AgentUpdateFailed", words
    return Health.PROGRESSING, "AgentUpdate", f"The agent is to be updated to {version}"


def offline_since(node: AnkaNode) -> datetime | None:
    """When the node was found to be Offline; None when it is not. In the API, so that it outlives this process."""
    heartbeat = find(node.status.conditions, ALIVE)
    if node.status.state is not NodeState.OFFLINE or heartbeat is None or heartbeat.status == "True":
        return None
    return heartbeat.last_transition_time
