"""A process that watches finds every record once, from the first list on."""

from __future__ import annotations

from datetime import timedelta

from anka_crds.api import AnkaInstance
from anka_kube.store import Store
from anka_operator.cluster.stores import ClusterStores
from anka_operator.event_log.record import EventRecord
from anka_operator.event_log.tracker import RecordTracker
from support.manual_clock import ManualClock
from support.objects import START, TEMPLATE, distribution, instance, node, template


def names(records: list[EventRecord]) -> list[str]:
    return [record.name for record in records]


def put(store: Store[AnkaInstance], version: int, **more: object) -> None:
    store.observe(instance(meta={"resourceVersion": str(version)}, **more))  # type: ignore[arg-type]


def test_a_life_is_found_once_and_known_since_it_was_seen() -> None:
    stores, clock, found = ClusterStores(), ManualClock(), list[EventRecord]()
    tracker = RecordTracker(stores, clock, found.append)
    stores.instances.replace([], "1", stores.instances.begin_list())
    started = {"phase": "Started", "startedAt": (START + timedelta(seconds=3)).isoformat()}
    put(stores.instances, 2)
    put(stores.instances, 3, status=started)
    put(stores.instances, 4, status=started, externalId="changed")
    stores.instances.observe_deleted(("default", "one"), "uid-one", "5")
    assert names(found) == ["StartVM", "VMStarted", "TerminateVM", "VMTerminated"]
    assert {record.noticed for record in found} == {clock.now().timestamp()}
    tracker.close()
    put(stores.instances, 6)
    assert len(found) == 4


def test_what_the_first_list_has_was_noticed_when_it_happened() -> None:
    stores, found = ClusterStores(), list[EventRecord]()
    RecordTracker(stores, ManualClock(), found.append)
    stores.instances.replace([instance()], "1", stores.instances.begin_list())
    assert [(record.name, record.noticed) for record in found] == [("StartVM", START.timestamp())]


def test_instances_of_other_controllers_are_none_of_ours() -> None:
    stores, found = ClusterStores(), list[EventRecord]()
    RecordTracker(stores, ManualClock(), found.append)
    stores.instances.observe(instance(managedBy="example.com/other"))
    assert found == []


def test_a_template_by_its_name_is_shown_by_its_id() -> None:
    stores, found = ClusterStores(), list[EventRecord]()
    RecordTracker(stores, ManualClock(), found.append)
    stores.templates.observe(template(name="macos-15"))
    stores.instances.observe(instance(template="macos-15"))
    stores.instances.observe(instance("two", template="none-of-ours"))
    assert [record.fields["template_id"] for record in found] == [TEMPLATE, "none-of-ours"]


def test_nodes_and_distributions_are_followed() -> None:
    stores, found = ClusterStores(), list[EventRecord]()
    RecordTracker(stores, ManualClock(), found.append)
    stores.nodes.observe(node())
    stores.nodes.observe(node(meta={"resourceVersion": "2", "generation": 2}, drainMode=True))
    stores.nodes.observe_deleted(("", "mac-1"), "uid-mac-1", "3")
    stores.distributions.observe(distribution())
    stores.templates.observe(template(meta={"annotations": {"anka.veertu.com/registry-deletion": "t"}}))
    assert names(found) == [
        "ConfigNode",
        "DeleteNode",
        "NodeUnregistered",
        "DistributeTemplateToNodes",
        "DeleteRegistryVm",
    ]
