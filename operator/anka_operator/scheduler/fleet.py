"""The nodes as the scheduler sees them, and how full each is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState


@dataclass(frozen=True, slots=True)
class Node:
    """What of an AnkaNode matters to placing."""

    name: str
    state: NodeState | None = None
    """None until the node-life controller judged it for the first time."""
    draining: bool = False
    leaving: bool = False
    groups: frozenset[str] = frozenset()
    arch: str | None = None
    slots: int = 0
    """Most VMs at a time (spec.maxVmCount)."""
    holds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Template id -> tags on its disk."""


def node_of(node: AnkaNode) -> Node:
    holds: dict[str, set[str]] = {}
    for held in node.status.templates:
        tags = holds.setdefault(held.uuid, set())
        if held.tag is not None:
            tags.add(held.tag)
    return Node(
        name=node.metadata.name,
        state=node.status.state,
        draining=node.spec.drain_mode,
        leaving=node.metadata.deletion_timestamp is not None,
        groups=frozenset(node.spec.groups),
        arch=node.status.host_arch,
        slots=node.spec.max_vm_count,
        holds={uuid: frozenset(tags) for uuid, tags in holds.items()},
    )


class Ledger:
    """Who takes room where: instances by node. The same instance is never counted twice."""

    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}
        self._used: dict[str, int] = {}

    def put(self, uid: str, node: str | None) -> None:
        """This instance takes room on `node` and nowhere else; None: it takes none."""
        before = self._nodes.pop(uid, None)
        if before is not None:
            left = self._used[before] - 1
            if left:
                self._used[before] = left
            else:
                del self._used[before]
        if node is not None:
            self._nodes[uid] = node
            self._used[node] = self._used.get(node, 0) + 1

    def used(self, node: str) -> int:
        return self._used.get(node, 0)

    def node(self, uid: str) -> str | None:
        return self._nodes.get(uid)

    def items(self) -> Iterable[tuple[str, str]]:
        return self._nodes.items()

    def __len__(self) -> int:
        return len(self._nodes)
