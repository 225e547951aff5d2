"""The scheduler's state, kept current by every change in the caches: queue, ledger, nodes, catalog."""

from __future__ import annotations

from collections.abc import Callable, Collection

from anka_crds.api import AnkaInstance, AnkaNode
from anka_crds.kube.store import EventType
from anka_operator.cluster import Stores
from anka_operator.scheduler.candidates import Candidates, World
from anka_operator.scheduler.catalog import Catalog
from anka_operator.scheduler.fleet import Node, node_of
from anka_operator.scheduler.ledger import Claim, Ledger, claim_of
from anka_operator.scheduler.patience import Patience
from anka_operator.scheduler.queue import Queue
from anka_operator.scheduler.reasons import Unscheduled
from anka_operator.scheduler.score import Placement
from anka_operator.scheduler.shape import Shape, is_pending
from anka_operator.scheduler.size import TemplateSizes

MOST_SHAPES = 256
"""For so many shapes it is remembered which nodes are possible."""


class Board:
    """`assumed` are instances with a bind under way: not in the queue, and in the ledger, until the cache has them."""

    def __init__(
        self,
        stores: Stores,
        changed: Callable[[], None],
        monotonic: Callable[[], float],
        placement: Placement = Placement.SPREAD,
    ) -> None:
        self.queue = Queue()
        self.ledger = Ledger()
        self.patience = Patience()
        self.assumed: dict[str, str] = {}
        self.since: dict[str, float] = {}
        """When each waiting instance was first seen to wait, on the monotonic clock."""
        self._stores = stores
        self._changed = changed
        self._monotonic = monotonic
        self._placement = placement
        self._sizes = TemplateSizes()
        self._nodes: dict[str, Node] = {}
        self._catalog: Catalog | None = None
        self._candidates: dict[Shape, Candidates | Unscheduled] = {}
        self._unsubscribe = [
            stores.instances.subscribe(self._instance),
            stores.nodes.subscribe(self._node),
            stores.templates.subscribe(self._template),
            stores.groups.subscribe(self._group),
        ]
        for node in stores.nodes:
            self._see(node_of(node))
        for instance in stores.instances:
            self._take(instance)

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    @property
    def nodes(self) -> Collection[Node]:
        return self._nodes.values()

    def world(self) -> World:
        if self._catalog is None:
            self._catalog = Catalog(self._stores.templates)
        fallbacks = {group.metadata.name: group.spec.fallback_group for group in self._stores.groups}
        if len(self._candidates) > MOST_SHAPES:
            self._candidates.clear()
        return World(self._nodes, self._catalog, fallbacks, self._sizes, self._placement, self._candidates)

    def assume(self, uid: str, claim: Claim) -> None:
        """A bind is under way: the room is taken, the instance does not wait any more."""
        self.assumed[uid] = claim.node
        self.ledger.put(uid, claim)
        self.queue.drop(uid)

    def settle(self, uid: str) -> None:
        """The bind is over, well or not: what the cache says counts again."""
        self.assumed.pop(uid, None)
        instance = self._stores.instances.by_uid(uid)
        if instance is None:
            self._forget(uid)
        else:
            self._take(instance)

    def _take(self, instance: AnkaInstance) -> None:
        uid = instance.metadata.uid
        if uid in self.assumed and instance.status.node_name is None:
            return
        self.ledger.put(uid, claim_of(instance, self._sizes))
        if is_pending(instance):
            self.queue.put(instance)
            self.since.setdefault(uid, self._monotonic())
        else:
            self.queue.drop(uid)
            if uid not in self.assumed:
                self.since.pop(uid, None)

    def _forget(self, uid: str) -> None:
        self.assumed.pop(uid, None)
        self.since.pop(uid, None)
        self.ledger.put(uid, None)
        self.queue.drop(uid)

    def _instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None:
            self._take(new)
        elif old is not None:
            self._forget(old.metadata.uid)
        self._changed()

    def _node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is not None:
            view = node_of(new)
            if self._nodes.get(view.name) == view:
                return
            self._see(view)
        elif old is not None:
            self._nodes.pop(old.metadata.name, None)
            self._candidates.clear()
        self._changed()

    def _see(self, node: Node) -> None:
        self._nodes[node.name] = node
        self._candidates.clear()
        self._sizes.learn(node.sizes)

    def _group(self, *_: object) -> None:
        self._candidates.clear()
        self._changed()

    def _template(self, *_: object) -> None:
        self._catalog = None
        self._candidates.clear()
        self._changed()
