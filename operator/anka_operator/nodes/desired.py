"""State and conditions of an AnkaNode, from its configuration, its agent's report and its heartbeat."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from anka_crds.api.conditions import ConditionType, NodeReason
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState, Phase
from anka_crds.rules.condition_list import find, with_condition
from anka_crds.rules.lifecycle import Health, holds_slot
from anka_crds.rules.references import NameCatalog
from anka_operator.agent_updates.desired import has_failed_update, needs_update
from anka_operator.nodes.warnings import NO_CONFLICT, IdentityFacts, describe_skewed_clock, with_warnings
from anka_operator.status_patch import StatusPatch, is_change, to_list, with_own_health
from anka_scheduler.node import find_fault, to_schedulable
from anka_scheduler.size import TemplateSizes, resolve_size

_MEANING: dict[NodeState, tuple[Health, NodeReason, str]] = {
    NodeState.ACTIVE: (Health.READY, NodeReason.ACTIVE, "Takes instances"),
    NodeState.DRAIN: (Health.READY, NodeReason.DRAINING, "Running instances finish, nothing new starts here"),
    NodeState.OFFLINE: (
        Health.FAILED,
        NodeReason.NO_HEARTBEAT,
        "The agent sends no heartbeat: is the Mac on, the agent running?",
    ),
    NodeState.INACTIVE: (
        Health.FAILED,
        NodeReason.INVALID_LICENSE,
        "The Anka license is not valid: run `anka license show`",
    ),
    NodeState.UPDATING: (Health.PROGRESSING, NodeReason.UPDATING, "The agent is being updated"),
    NodeState.UNHEALTHY: (Health.FAILED, NodeReason.UNHEALTHY, "All places are taken, but none of the VMs is running"),
}


STUCK_SECONDS = 600.0
"""A VM that is not running and has not changed for this long will not run any more: an agent reports a pull each
minute or more often, and gives up on a start much earlier."""


def is_clogged(
    node: AnkaNode, instances: Iterable[AnkaInstance], now: datetime, sizes: TemplateSizes | None = None
) -> bool:
    """The state Unhealthy (docs/reference/legacy-api.md#node-state): full, and none of the VMs runs.

    `instances`: those of the node. A burst fills a node with VMs that do not run yet, so each of them has STUCK_SECONDS
    to show progress. `sizes`: template sizes, for what an instance takes in mode resource.
    """
    holding = [instance for instance in instances if holds_slot(instance.status.phase, _vm_status(instance))]
    return (
        bool(holding)
        and all(_is_stuck(instance, now) for instance in holding)
        and _is_full(node, holding, sizes or TemplateSizes())
    )


def _is_full(node: AnkaNode, holding: Sequence[AnkaInstance], sizes: TemplateSizes) -> bool:
    """As the scheduler counts. In mode resource a node that has no room for one more VM like its smallest is full."""
    schedulable = to_schedulable(node)
    if schedulable.vm_slots is not None and len(holding) >= schedulable.vm_slots > 0:
        return True
    allocatable = schedulable.allocatable
    # Hardware that the Mac has not reported yet cannot be full.
    if allocatable is None or not allocatable.vcpus or not allocatable.memory_mib:
        return False
    taken = [resolve_size(instance, sizes) for instance in holding]
    vcpus, memory = [size.vcpus for size in taken], [size.memory_mib for size in taken]
    return sum(vcpus) + min(vcpus) > allocatable.vcpus or sum(memory) + min(memory) > allocatable.memory_mib


def _is_stuck(instance: AnkaInstance, now: datetime) -> bool:
    # A push to the registry is slow, and its VM is stopped or suspended meanwhile.
    if _vm_status(instance) == "running" or instance.status.phase is Phase.PUSHING:
        return False
    status, deleted = instance.status, instance.metadata.deletion_timestamp
    changes = [moment for moment in (status.scheduled_at, status.updated_at, deleted) if moment is not None]
    return bool(changes) and (now - max(changes)).total_seconds() >= STUCK_SECONDS


def _vm_status(instance: AnkaInstance) -> str | None:
    return instance.status.vm.status if instance.status.vm is not None else None


def compute_state(
    node: AnkaNode, alive: bool | None, *, clogged: bool = False, silent: bool = False
) -> NodeState | None:
    """The state by the rules of docs/reference/legacy-api.md#node-state.

    It stays as it is while `alive` is None, which means unknown, and until the agent of a new node has reported what
    the scheduler needs: heartbeats begin before the first report. `silent`: an agent that lives does not report. What
    keeps the Mac from working takes precedence over what was asked of it (Drain Mode).
    """
    # Its tokens have ended (accounts), and what keeps the object may never let it go.
    if node.metadata.deletion_timestamp is not None:
        return NodeState.OFFLINE
    if alive is None:
        return node.status.state
    if not alive:
        return NodeState.OFFLINE
    if silent:
        return NodeState.UNHEALTHY
    if not has_reported(node):
        return node.status.state
    if node.status.updating:
        return NodeState.UPDATING
    if (fault := find_fault(node)) is not None:
        return fault
    if clogged:
        return NodeState.UNHEALTHY
    return NodeState.DRAIN if node.spec.drain_mode or node.status.leaving else NodeState.ACTIVE


def has_reported(node: AnkaNode) -> bool:
    """Whether its agent has ever written what the Mac is, which it does in one write. The architecture alone is no sign
    of it: an agent that is not on a Mac knows it only once there is a template."""
    status = node.status
    return bool(status.cpu_count is not None or status.host_arch or status.anka_version or status.templates)


def compute_status(
    node: AnkaNode,
    alive: bool | None,
    groups: NameCatalog,
    now: datetime,
    *,
    instances: Iterable[AnkaInstance] = (),
    sizes: TemplateSizes | None = None,
    silent: bool = False,
    identity: IdentityFacts = NO_CONFLICT,
) -> StatusPatch | None:
    """The patch that corrects the status; None if it is correct, or if the state is unknown.

    `groups`: all NodeGroups. `instances`: those of the node. `sizes`: template sizes. `silent`: its agent
    lives and does not report. `identity`: who else is this node, or this machine.
    """
    state = compute_state(node, alive, clogged=is_clogged(node, instances, now, sizes), silent=silent)
    if state is None:
        return None
    health, reason, message = _MEANING[state]
    if state is NodeState.UNHEALTHY and silent:
        reason = NodeReason.NOT_REPORTING
        message = "The agent sends heartbeats, but does not report what the Mac is: see its log, or `anka-agent doctor`"
    elif state is NodeState.UNHEALTHY and node.status.problem:
        message = node.status.problem
    elif state is NodeState.ACTIVE and (words := describe_skewed_clock(node)) is not None:
        health, reason, message = Health.FAILED, NodeReason.CLOCK_SKEWED, words
    if state is NodeState.INACTIVE and node.status.anka_version is not None:
        message = f"The Anka license is {node.status.anka_version.license_status}: run `anka license show` on the Mac"
    if node.metadata.deletion_timestamp is not None:
        reason, message = NodeReason.DELETED, "The AnkaNode is being deleted: the Mac has no rights any more"
    generation = node.metadata.generation
    unmet = _find_unfinished_update(node) if health is Health.READY else None
    conditions = with_own_health(node, health, reason, message, now, unmet=unmet)
    mark = partial(with_condition, generation=generation, now=now)
    if state is NodeState.OFFLINE:
        conditions = mark(conditions, ConditionType.ALIVE, "False", reason, message)
    elif alive:
        message = "The agent sends heartbeats"
        conditions = mark(conditions, ConditionType.ALIVE, "True", NodeReason.HEARTBEAT, message)
    conditions = with_warnings(conditions, node, groups, identity, now)
    patch: StatusPatch = {"state": state.value, "observedGeneration": generation, "conditions": to_list(conditions)}
    return patch if is_change(node.status.to_api(), patch) else None


def _find_unfinished_update(node: AnkaNode) -> tuple[Health, NodeReason, str] | None:
    """What the spec of a usable Mac asks for but is not done yet: kstatus must see it."""
    if not needs_update(node):
        return None
    version = node.spec.agent_version
    if has_failed_update(node):
        message = f"The agent could not be updated to {version}: status.agentUpdate says why"
        return Health.FAILED, NodeReason.AGENT_UPDATE_FAILED, message
    return Health.PROGRESSING, NodeReason.AGENT_UPDATE, f"The agent is to be updated to {version}"


def offline_since(node: AnkaNode) -> datetime | None:
    """When the node became Offline; None if it is not. Kept in the API, so that it outlives this process."""
    heartbeat = find(node.status.conditions, ConditionType.ALIVE)
    if node.status.state is not NodeState.OFFLINE or heartbeat is None or heartbeat.status == "True":
        return None
    return heartbeat.last_transition_time
