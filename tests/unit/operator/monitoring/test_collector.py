"""What Prometheus is shown of the cloud, and by whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anka_operator.cluster.stores import ClusterStores
from anka_operator.metrics import OTHER
from anka_operator.monitoring.collector import FleetCollector
from anka_operator.registry_view.view import RegistryView
from anka_operator.scheduling.state import SchedulerState
from support.manual_clock import ManualClock
from support.objects import group, instance, node, template

Samples = dict[tuple[str, ...], float]


def samples(overview: FleetCollector, name: str) -> Samples:
    families = [family for family in overview.collect() if family.name == f"anka_operator_{name}"]
    assert len(families) == 1
    return {tuple(sample.labels.values()): sample.value for sample in families[0].samples}


class Sight:
    def __init__(self) -> None:
        self.stores = ClusterStores()
        self.clock = ManualClock()
        view = RegistryView(self.stores.templates, None)
        self.state = SchedulerState(self.stores, view, lambda: None, self.clock.monotonic)
        self.overview = FleetCollector()
        self.hide = self.overview.start(self.stores, self.state, self.clock)

    def see(self, name: str) -> Samples:
        return samples(self.overview, name)


@pytest.fixture
def sight() -> Sight:
    return Sight()


def test_who_stands_by_shows_names_and_nothing_else(sight: Sight) -> None:
    shown = [family.name for family in sight.overview.collect()]
    sight.hide()
    assert [family.name for family in sight.overview.collect()] == shown
    assert not [sample for family in sight.overview.collect() for sample in family.samples]


def test_an_old_end_does_not_hide_a_new_beginning(sight: Sight) -> None:
    sight.overview.start(sight.stores, sight.state, sight.clock)
    sight.hide()
    assert sight.see("oldest_pending_seconds") == {(): 0}


def test_instances(sight: Sight) -> None:
    sight.stores.templates.observe(template())
    sight.stores.groups.observe(group("ios"))
    started = {"phase": "Started", "nodeName": "mac-1"}
    for one in (
        instance("a"), instance("b", template="macos-15"), instance("c", template="typo", group="ios"),
        instance("d", group="no-such-group"), instance("e", status=started, group="ios"),
    ):  # fmt: skip
        sight.stores.instances.observe(one)
    assert sight.see("instances") == {
        ("Scheduling", "", "macos-15", "default"): 2,
        ("Scheduling", "ios", OTHER, "default"): 1,
        ("Scheduling", OTHER, "macos-15", "default"): 1,
        ("Started", "ios", "macos-15", "default"): 1,
    }


def test_the_longest_wait(sight: Sight) -> None:
    now = sight.clock.now()
    for name, age, status in (("old", 90, {"nodeName": "mac-1"}), ("waits", 60, {}), ("new", 5, {})):
        made = {"creationTimestamp": (now - timedelta(seconds=age)).isoformat()}
        sight.stores.instances.observe(instance(name, meta=made, status=status))
    assert sight.see("oldest_pending_seconds") == {(): 60}


def test_macs(sight: Sight) -> None:
    has_reported = (sight.clock.now() - timedelta(seconds=30)).isoformat()
    usage = {"cpuPercent": 25, "ramPercent": 50, "freeDiskBytes": 10}
    said = {"updatedAt": has_reported, "usage": usage, "diskSizeBytes": 100}
    sight.stores.nodes.observe(node("a", slots=3, status=said))
    sight.stores.nodes.observe(node("b", state="Offline"))
    sight.stores.nodes.observe(node("new", state=None))
    sight.stores.instances.observe(instance(status={"nodeName": "a", "phase": "Started"}))
    assert sight.see("node_state") == {("a", "Active"): 1, ("b", "Offline"): 1}
    assert sight.see("node_usable") == {("a",): 1, ("b",): 0, ("new",): 0}
    assert sight.see("node_report_age_seconds") == {("a",): 30}
    assert sight.see("node_cpu_ratio") == {("a",): 0.25}
    assert sight.see("node_memory_ratio") == {("a",): 0.5}
    assert sight.see("node_disk_bytes") == {("a",): 100}
    assert sight.see("node_disk_free_bytes") == {("a",): 10}
    assert sight.see("node_capacity") == {("a", "vms"): 3, ("b", "vms"): 2, ("new", "vms"): 2}
    assert sight.see("node_used") == {("a", "vms"): 1, ("b", "vms"): 0, ("new", "vms"): 0}
    assert (sight.see("capacity"), sight.see("used")) == ({("vms",): 3}, {("vms",): 1})


def test_groups(sight: Sight) -> None:
    sight.stores.groups.observe(group("ios"))
    sight.stores.nodes.observe(node(slots=2, groups=["ios"]))
    assert sight.see("group_capacity") == {("ios", "vms"): 2}
    assert sight.see("group_used") == {("ios", "vms"): 0}
    assert (sight.see("group_open_macs"), sight.see("open_macs")) == ({("ios",): 1}, {(): 1})
    for name in ("one", "two"):
        sight.stores.instances.observe(instance(name, status={"nodeName": "mac-1", "phase": "Started"}))
    assert (sight.see("group_open_macs"), sight.see("open_macs")) == ({("ios",): 0}, {(): 0})
