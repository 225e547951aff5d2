"""Which Macs may update their agent now: AnkaNode.status.updateApproved.

A few at a time; one that does not come back keeps its place, so that a bad version can't take one Mac after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState


@dataclass(frozen=True, slots=True)
class Rollout:
    """`approved`: the version by node, of those that may update now. The others wait, for their turn or for ever."""

    approved: dict[str, str] = field(default_factory=dict)
    waiting: int = 0
    failed: int = 0
    stopped: tuple[str, ...] = ()
    """Versions that failed on too many Macs: nobody else gets them."""


def at_most(limit: str, nodes: int) -> int:
    """How many at a time, at least 1. `limit`: a number, or a percentage of all Macs."""
    if limit.endswith("%"):
        return max(1, nodes * int(limit[:-1]) // 100)
    return max(1, int(limit))


def wants(node: AnkaNode) -> bool:
    """Another version than the one that runs. A Mac that has not reported yet is none to update."""
    version = node.spec.agent_version
    return version is not None and node.status.agent_version not in (None, version)


def failed(node: AnkaNode) -> bool:
    told = node.status.agent_update
    return (
        told is not None and told.failed
        and (told.version, told.checksum) == (node.spec.agent_version, node.spec.agent_checksum)
    )  # fmt: skip


def plan(nodes: Iterable[AnkaNode], *, limit: str, failures: int) -> Rollout:
    """`failures`: so many Macs that failed with a version end its rollout."""
    all_ = sorted((node for node in nodes if node.metadata.deletion_timestamp is None), key=lambda n: n.metadata.name)
    wanting = [node for node in all_ if wants(node)]
    bad = [node for node in wanting if failed(node)]
    counts = Counter(str(node.spec.agent_version) for node in bad)
    stopped = tuple(sorted(version for version, count in counts.items() if count >= failures))
    under_way = [node for node in wanting if not failed(node) and _approved(node)]
    free = at_most(limit, len(all_)) - len(under_way)
    ready = [
        node
        for node in wanting
        if not failed(node)
        and not _approved(node)
        and node.spec.agent_version not in stopped
        and node.status.state not in (None, NodeState.OFFLINE)
    ]
    chosen = [*under_way, *ready[: max(0, free)]]
    return Rollout(
        approved={node.metadata.name: str(node.spec.agent_version) for node in chosen},
        waiting=len(wanting) - len(bad) - len(chosen),
        failed=len(bad),
        stopped=stopped,
    )


def _approved(node: AnkaNode) -> bool:
    return node.status.update_approved == node.spec.agent_version
