"""Follows the caches of a process from its start, whether it leads or not: every record is found once."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, TemplateDistribution
from anka_crds.rules.management import is_ours
from anka_crds.rules.naming import is_uuid
from anka_kube.store import EventType, Store
from anka_operator.cluster.stores import ClusterStores
from anka_operator.event_log.derive import (
    distribution_records,
    instance_records,
    node_records,
    template_records,
)
from anka_operator.event_log.record import EventRecord, RecordState, select_new
from anka_runtime.clock import Clock


class RecordTracker:
    """Calls `on_record`, until `close`. To be made before the first list."""

    def __init__(self, stores: ClusterStores, clock: Clock, on_record: Callable[[EventRecord], None]) -> None:
        self._stores = stores
        self._clock = clock
        self._on_record = on_record
        self._written: dict[str, RecordState] = {}
        self._ends = (
            stores.instances.subscribe(self._on_instance),
            stores.distributions.subscribe(self._on_distribution),
            stores.templates.subscribe(self._on_template),
            stores.nodes.subscribe(self._on_node),
        )

    def close(self) -> None:
        for end in self._ends:
            end()

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        instance = new or old
        if instance is not None and is_ours(instance):
            records = instance_records(instance, self._to_uuid, self._clock.now(), gone=new is None)
            self._note(self._stores.instances, instance.metadata.uid, records, gone=new is None)

    def _on_distribution(
        self, _: EventType, old: TemplateDistribution | None, new: TemplateDistribution | None
    ) -> None:
        distribution = new or old
        if distribution is not None:
            records = distribution_records(distribution, self._to_uuid, self._clock.now())
            self._note(self._stores.distributions, distribution.metadata.uid, records, gone=new is None)

    def _on_template(self, _: EventType, old: AnkaTemplate | None, new: AnkaTemplate | None) -> None:
        template = new or old
        if template is not None:
            records = template_records(template, self._clock.now())
            self._note(self._stores.templates, template.metadata.uid, records, gone=new is None)

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        node = new or old
        if node is not None:
            records = node_records(old, node, self._clock.now(), gone=new is None)
            self._note(self._stores.nodes, node.metadata.uid, records, gone=new is None)

    def _note(self, store: Store[Any], uid: str, records: Iterable[EventRecord], *, gone: bool) -> None:
        new, written = select_new(self._written.get(uid, RecordState()), records)
        if gone:
            self._written.pop(uid, None)
        else:
            self._written[uid] = written
        # Of the first list nobody knows when it could first be seen but the objects themselves.
        is_live = bool(store.delivered_version)
        now = self._clock.now().timestamp()
        for record in new:
            self._on_record(replace(record, noticed=now) if is_live else record)

    def _to_uuid(self, word: str) -> str:
        if is_uuid(word) or self._stores.templates.get(word) is not None:
            return word
        named = [
            one.metadata.name for one in self._stores.templates if word in (one.status.name, one.spec.display_name)
        ]
        return named[0] if len(named) == 1 else word
