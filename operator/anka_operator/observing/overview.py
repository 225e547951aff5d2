"""The cloud as it is when Prometheus asks: computed then, from the caches, so that nothing of it can be stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from anka_crds.api import AnkaInstance
from anka_crds.process.clock import Clock
from anka_operator.cluster import Stores
from anka_operator.controllers.board import Board
from anka_operator.observing.capacity import Capacity, capacity, series, usable
from anka_operator.observing.names import OTHER, TemplateNames, asked
from anka_operator.scheduler.shape import is_pending


@dataclass(frozen=True)
class _Source:
    stores: Stores
    board: Board
    clock: Clock
    names: TemplateNames


class Overview(Collector):
    """Shows its families always, and samples of them only between `show` and what that returned."""

    def __init__(self) -> None:
        self._source: _Source | None = None

    def show(self, stores: Stores, board: Board, clock: Clock) -> Callable[[], None]:
        """From now on; call what it returns to end that."""
        source = self._source = _Source(stores, board, clock, TemplateNames(stores.templates))

        def hide() -> None:
            if self._source is source:
                self._source = None

        return hide

    def collect(self) -> Iterator[Metric]:
        source = self._source
        now = source.clock.now() if source is not None else None
        instances = list(source.stores.instances) if source is not None else []
        yield _instances(source, instances)
        yield _oldest(instances, now)
        yield from _capacities(source)
        yield from _macs(source, now)


def _instances(source: _Source | None, instances: list[AnkaInstance]) -> Metric:
    family = GaugeMetricFamily(
        "anka_operator_instances", "Instances that there are.", labels=["phase", "group", "template", "namespace"]
    )
    if source is None:
        return family
    counts = Counter(
        (one.status.phase.value, one.spec.group, asked(one), one.metadata.namespace or "") for one in instances
    )
    named = Counter[tuple[str, str, str, str]]()
    for (phase, group, template, namespace), count in counts.items():
        named[phase, _group(source, group), source.names.name(template), namespace] += count
    for labels, count in named.items():
        family.add_metric(labels, count)
    return family


def _group(source: _Source, group: str | None) -> str:
    if group is None:
        return ""
    return group if source.stores.groups.get(group) is not None else OTHER


def _oldest(instances: list[AnkaInstance], now: datetime | None) -> Metric:
    family = GaugeMetricFamily(
        "anka_operator_oldest_pending_seconds",
        "How long the oldest of those has waited that wait for a node; 0: none does.",
    )
    if now is None:
        return family
    since = [
        began
        for one in instances
        if is_pending(one) and (began := one.status.rescheduled_at or one.metadata.creation_timestamp) is not None
    ]
    family.add_metric([], max(0.0, (now - min(since)).total_seconds()) if since else 0.0)
    return family


def _capacities(source: _Source | None) -> Iterator[Metric]:
    """Three pairs of gauges: of each Mac, of each group, of all. And how many Macs have a place."""
    if source is None:
        found = Capacity({}, {}, {}, 0, {})
    else:
        groups = [group.metadata.name for group in source.stores.groups]
        found = capacity(source.board.nodes, groups, source.board.ledger)
    for kind, words, by_name in (
        ("node", "a Mac", found.nodes),
        ("group", "the Macs of a group that take new VMs", found.groups),
    ):
        total = GaugeMetricFamily(
            f"anka_operator_{kind}_capacity", f"What {words} can hold.", labels=[kind, "resource"]
        )
        used = GaugeMetricFamily(f"anka_operator_{kind}_used", "What of that is taken.", labels=[kind, "resource"])
        for name, resource, room in series(by_name):
            total.add_metric([name, resource], room.total)
            used.add_metric([name, resource], room.used)
        yield total
        yield used
    total = GaugeMetricFamily("anka_operator_capacity", "Room of all Macs that take new VMs.", labels=["resource"])
    used = GaugeMetricFamily("anka_operator_used", "What of that is taken.", labels=["resource"])
    for resource, room in found.whole.items():
        total.add_metric([resource], room.total)
        used.add_metric([resource], room.used)
    yield total
    yield used
    yield from _places(source, found)


def _places(source: _Source | None, found: Capacity) -> Iterator[Metric]:
    usual = "take new VMs and have room for one more of the usual size"
    macs = GaugeMetricFamily("anka_operator_open_macs", f"Macs that {usual}.")
    of_group = GaugeMetricFamily("anka_operator_group_open_macs", f"Macs of a group that {usual}.", labels=["group"])
    if source is not None:
        macs.add_metric([], found.open_macs)
    for group, number in found.group_open_macs.items():
        of_group.add_metric([group], number)
    yield from (macs, of_group)


def _macs(source: _Source | None, now: datetime | None) -> Iterator[Metric]:
    """What each Mac says of itself; the figures are as old as its last report, up to some minutes."""
    state = GaugeMetricFamily("anka_operator_node_state", "1 for the state of each Mac.", labels=["node", "state"])
    takes = GaugeMetricFamily("anka_operator_node_usable", "Whether a Mac takes new VMs.", labels=["node"])
    age = GaugeMetricFamily("anka_operator_node_report_age_seconds", "Since its agent reported.", labels=["node"])
    cpu = GaugeMetricFamily("anka_operator_node_cpu_ratio", "Load of a Mac's CPUs, 0 to 1.", labels=["node"])
    memory = GaugeMetricFamily("anka_operator_node_memory_ratio", "Load of a Mac's RAM, 0 to 1.", labels=["node"])
    disk = GaugeMetricFamily("anka_operator_node_disk_bytes", "Size of a Mac's disk.", labels=["node"])
    free = GaugeMetricFamily("anka_operator_node_disk_free_bytes", "Free on it.", labels=["node"])
    if source is not None and now is not None:
        for node in source.stores.nodes:
            name, status = [node.metadata.name], node.status
            if status.state is not None:
                state.add_metric([*name, status.state.value], 1)
            if status.updated_at is not None:
                age.add_metric(name, max(0.0, (now - status.updated_at).total_seconds()))
            if status.usage is not None:
                cpu.add_metric(name, status.usage.cpu_percent / 100)
                memory.add_metric(name, status.usage.ram_percent / 100)
                free.add_metric(name, status.usage.free_disk_bytes)
            if status.disk_size_bytes:
                disk.add_metric(name, status.disk_size_bytes)
        for view in source.board.nodes:
            takes.add_metric([view.name], float(usable(view)))
    yield from (state, takes, age, cpu, memory, disk, free)


OVERVIEW = Overview()
REGISTRY.register(OVERVIEW)
