"""Nodes as answers: encoded once, until the node, its groups or what runs on it changes."""

from __future__ import annotations

import orjson

from anka_crds.api import AnkaInstance, AnkaNode, NodeGroup
from anka_crds.kube.store import EventType
from anka_shim.cloud.caches import Stores
from anka_shim.translate.node import load, node_answer


class NodeViews:
    """Answers about nodes, from the caches only."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._encoded: dict[str, bytes] = {}
        stores.nodes.subscribe(self._on_node)
        stores.groups.subscribe(self._on_group)
        stores.instances.subscribe(self._on_instance)

    def all(self) -> bytes:
        return b"[" + b",".join(self._of(node) for node in self._stores.nodes) + b"]"

    def one(self, id_: str) -> bytes | None:
        """An array of one, as clients expect (legacy-clients hazard 4); None for an unknown id."""
        node = self._stores.node(id_)
        return None if node is None else b"[" + self._of(node) + b"]"

    def _of(self, node: AnkaNode) -> bytes:
        name = node.metadata.name
        encoded = self._encoded.get(name)
        if encoded is None:
            groups = [group for group in map(self._stores.group, node.spec.groups) if group is not None]
            answer = node_answer(node, groups, load(self._stores.instances_on(name)))
            encoded = self._encoded[name] = orjson.dumps(answer)
        return encoded

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        for node in (old, new):
            if node is not None:
                self._encoded.pop(node.metadata.name, None)

    def _on_group(self, _: EventType, __: NodeGroup | None, ___: NodeGroup | None) -> None:
        self._encoded.clear()

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        for instance in (old, new):
            if instance is not None and instance.status.node_name:
                self._encoded.pop(instance.status.node_name, None)
