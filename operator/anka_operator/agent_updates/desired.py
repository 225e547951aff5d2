"""Which Macs may update their agent now: AnkaNode.status.updateApproved.

A few at a time. A Mac that does not come back keeps its approval: a bad version cannot break one Mac after another.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """`approved`: the version by node, of the Macs that may update now."""

    approved: dict[str, str] = field(default_factory=dict)
    waiting: int = 0
    failed: int = 0
    stopped: tuple[str, ...] = ()
    """Versions that failed on too many Macs: no further Mac gets them."""


def parse_limit(limit: str, nodes: int) -> int:
    """How many Macs at a time, at least 1. `limit`: a number, or a percentage of all Macs."""
    if limit.endswith("%"):
        return max(1, nodes * int(limit[:-1]) // 100)
    return max(1, int(limit))


def needs_update(node: AnkaNode) -> bool:
    """Whether its spec asks for a version other than the one that runs. False for a Mac that has not reported yet."""
    version = node.spec.agent_version
    return version is not None and node.status.agent_version not in (None, version)


def has_failed_update(node: AnkaNode) -> bool:
    """Whether the update to the version and checksum of its spec failed."""
    report = node.status.agent_update
    return (
        report is not None and report.failed
        and (report.version, report.checksum) == (node.spec.agent_version, node.spec.agent_checksum)
    )  # fmt: skip


def plan_rollout(nodes: Iterable[AnkaNode], *, limit: str, failures: int) -> RolloutPlan:
    """`failures`: the number of Macs failing to update to a version that ends its rollout."""
    present = [node for node in nodes if node.metadata.deletion_timestamp is None]
    outdated = sorted((node for node in present if needs_update(node)), key=lambda node: node.metadata.name)
    failed = [node for node in outdated if has_failed_update(node)]
    counts = Counter(str(node.spec.agent_version) for node in failed)
    stopped = tuple(sorted(version for version, count in counts.items() if count >= failures))
    updating = [node for node in outdated if not has_failed_update(node) and _is_approved(node)]
    free = parse_limit(limit, len(present)) - len(updating)
    ready = [
        node
        for node in outdated
        if not has_failed_update(node)
        and not _is_approved(node)
        and node.spec.agent_version not in stopped
        and node.status.state not in (None, NodeState.OFFLINE)
    ]
    approved = [*updating, *ready[: max(0, free)]]
    return RolloutPlan(
        approved={node.metadata.name: str(node.spec.agent_version) for node in approved},
        waiting=len(outdated) - len(failed) - len(approved),
        failed=len(failed),
        stopped=stopped,
    )


def _is_approved(node: AnkaNode) -> bool:
    return node.status.update_approved == node.spec.agent_version
