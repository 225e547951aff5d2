"""Metrics that are computed from the stores when Prometheus scrapes, so that none of them can be stale."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from anka_crds.api import AnkaInstance
from anka_crds.api.conditions import ConditionType
from anka_crds.rules.condition_list import find
from anka_operator.cluster.stores import ClusterStores
from anka_operator.metrics import OTHER, TemplateLabels, template_reference
from anka_operator.monitoring.capacity import Capacity, compute_capacity, is_usable, iterate_usages
from anka_operator.scheduling.state import SchedulerState
from anka_runtime.clock import Clock
from anka_scheduler.shape import is_pending


@dataclass(frozen=True)
class _Source:
    stores: ClusterStores
    state: SchedulerState
    clock: Clock
    labels: TemplateLabels


class FleetCollector(Collector):
    """The metric families are always present; they have samples from `start` until the function that it returns is
    called."""

    def __init__(self) -> None:
        self._source: _Source | None = None

    def start(self, stores: ClusterStores, state: SchedulerState, clock: Clock) -> Callable[[], None]:
        source = self._source = _Source(stores, state, clock, TemplateLabels(stores.templates))

        def stop() -> None:
            if self._source is source:
                self._source = None

        return stop

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
        "anka_operator_instances", "Instances.", labels=["phase", "group", "template", "namespace"]
    )
    if source is None:
        return family
    counts = Counter(
        (one.status.phase.value, one.spec.group, template_reference(one), one.metadata.namespace or "")
        for one in instances
    )
    named = Counter[tuple[str, str, str, str]]()
    for (phase, group, template, namespace), count in counts.items():
        named[phase, _group(source, group), source.labels.of_template(template), namespace] += count
    for labels, count in named.items():
        family.add_metric(labels, count)
    return family


def _group(source: _Source, group: str | None) -> str:
    if group is None:
        return ""
    return source.state.groups.resolve(group) or OTHER


def _oldest(instances: list[AnkaInstance], now: datetime | None) -> Metric:
    family = GaugeMetricFamily(
        "anka_operator_oldest_pending_seconds", "Age of the instance that has waited longest for a node; 0: none waits."
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
    """Capacity and usage of each Mac, of each group and of all Macs; and how many Macs have room for one more VM."""
    if source is None:
        found = Capacity({}, {}, {}, 0, {})
    else:
        groups = [group.metadata.name for group in source.stores.groups]
        found = compute_capacity(source.state.nodes, groups, source.state.ledger)
    for kind, words, by_name in (
        ("node", "a Mac", found.nodes),
        ("group", "the Macs of a group that accept new VMs", found.groups),
    ):
        total = GaugeMetricFamily(f"anka_operator_{kind}_capacity", f"Capacity of {words}.", labels=[kind, "resource"])
        used = GaugeMetricFamily(f"anka_operator_{kind}_used", "How much of it is in use.", labels=[kind, "resource"])
        for name, resource, usage in iterate_usages(by_name):
            total.add_metric([name, resource], usage.total)
            used.add_metric([name, resource], usage.used)
        yield total
        yield used
    total = GaugeMetricFamily(
        "anka_operator_capacity", "Capacity of all Macs that accept new VMs.", labels=["resource"]
    )
    used = GaugeMetricFamily("anka_operator_used", "How much of it is in use.", labels=["resource"])
    for resource, usage in found.total.items():
        total.add_metric([resource], usage.total)
        used.add_metric([resource], usage.used)
    yield total
    yield used
    yield from _open_macs(source, found)


def _open_macs(source: _Source | None, found: Capacity) -> Iterator[Metric]:
    usual = "accept new VMs and have room for one more of the default size"
    macs = GaugeMetricFamily("anka_operator_open_macs", f"Macs that {usual}.")
    of_group = GaugeMetricFamily("anka_operator_group_open_macs", f"Macs of a group that {usual}.", labels=["group"])
    if source is not None:
        macs.add_metric([], found.open_macs)
    for group, number in found.group_open_macs.items():
        of_group.add_metric([group], number)
    yield from (macs, of_group)


def _macs(source: _Source | None, now: datetime | None) -> Iterator[Metric]:
    """What each Mac reports. The figures are as old as its last report: up to a few minutes."""
    state = GaugeMetricFamily("anka_operator_node_state", "1 for the state of each Mac.", labels=["node", "state"])
    takes = GaugeMetricFamily("anka_operator_node_usable", "Whether a Mac accepts new VMs.", labels=["node"])
    age = GaugeMetricFamily("anka_operator_node_report_age_seconds", "Time since its agent reported.", labels=["node"])
    cpu = GaugeMetricFamily("anka_operator_node_cpu_ratio", "Load of a Mac's CPUs, 0 to 1.", labels=["node"])
    memory = GaugeMetricFamily("anka_operator_node_memory_ratio", "Load of a Mac's RAM, 0 to 1.", labels=["node"])
    disk = GaugeMetricFamily("anka_operator_node_disk_bytes", "Size of a Mac's disk.", labels=["node"])
    free = GaugeMetricFamily("anka_operator_node_disk_free_bytes", "Free space on a Mac's disk.", labels=["node"])
    clock = GaugeMetricFamily(
        "anka_operator_node_clock_ahead_seconds", "How far a Mac's clock is ahead of the API's.", labels=["node"]
    )
    conflict = GaugeMetricFamily(
        "anka_operator_node_identity_conflict",
        "1 if a second machine has a Mac's identity, or another node is on the same machine.",
        labels=["node", "reason"],
    )
    if source is not None and now is not None:
        for node in source.stores.nodes:
            name, status = [node.metadata.name], node.status
            if status.state is not None:
                state.add_metric([*name, status.state.value], 1)
            if status.updated_at is not None:
                age.add_metric(name, max(0.0, (now - status.updated_at).total_seconds()))
            if status.clock_ahead_seconds is not None:
                clock.add_metric(name, status.clock_ahead_seconds)
            if (told := find(status.conditions, ConditionType.IDENTITY_CONFLICT)) is not None:
                conflict.add_metric([*name, told.reason], 1)
            if status.usage is not None:
                cpu.add_metric(name, status.usage.cpu_percent / 100)
                memory.add_metric(name, status.usage.ram_percent / 100)
                free.add_metric(name, status.usage.free_disk_bytes)
            if status.disk_size_bytes:
                disk.add_metric(name, status.disk_size_bytes)
        for view in source.state.nodes:
            takes.add_metric([view.name], float(is_usable(view)))
    yield from (state, takes, age, cpu, memory, disk, free, clock, conflict)


FLEET = FleetCollector()
REGISTRY.register(FLEET)
