"""Nodes as answers: encoded once, until the node, its heartbeat, its groups or what runs on it changes."""

from anka_crds.api import AnkaInstance, AnkaNode, NodeGroup
from anka_kube.store import EventType
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.catalog import group_id, target_node
from anka_shim.http.answer import to_json
from anka_shim.node.answer import NodeHeartbeat, load, node_answer
from anka_shim.node.heartbeats import NodeHeartbeats
from anka_shim.store.caches import Stores


class NodeViews:
    """Answers about nodes that the sender of the request may see, from the caches only."""

    def __init__(self, stores: Stores, heartbeats: NodeHeartbeats, rights: ResourceRights | None = None) -> None:
        self._stores = stores
        self._rights = rights or ResourceRights(stores)
        self._heartbeats = heartbeats
        self._encoded: dict[str, tuple[NodeHeartbeat | None, bytes]] = {}
        stores.nodes.subscribe(self._on_node)
        stores.groups.subscribe(self._on_group)
        stores.instances.subscribe(self._on_instance)

    def all(self) -> bytes:
        return b"[" + b",".join(self._encode(node) for node in self._rights.nodes()) + b"]"

    def one(self, id_: str) -> bytes | None:
        """An array of one, as clients expect (docs/reference/legacy-api.md#node); None for an unknown id."""
        catalog = self._rights.catalog()
        node = catalog.node(target_node(id_, catalog))
        return None if node is None else b"[" + self._encode(node) + b"]"

    def _encode(self, node: AnkaNode) -> bytes:
        name = node.metadata.name
        heartbeat = self._heartbeats.get(name)
        known = self._encoded.get(name)
        if known is not None and known[0] == heartbeat:
            return known[1]
        ids = [group_id(word, self._stores) for word in node.spec.groups]
        groups = {id_: self._stores.group(id_) for id_ in ids}
        taken = load(self._stores.instances_on(name))
        encoded = to_json(node_answer(node, groups, taken, self._stores, heartbeat=heartbeat))
        self._encoded[name] = heartbeat, encoded
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
