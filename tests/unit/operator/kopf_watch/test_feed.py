"""A store that is fed by kopf's lists and events."""

from __future__ import annotations

import math
from typing import Any

import kopf
import pytest

from anka_crds.api import NodeGroup
from anka_crds.resources import GROUPS
from anka_kube.store import Store
from anka_operator.kopf_watch.feed import KopfFeed
from support.manual_clock import ManualClock


def raw(name: str, version: int, uid: str = "", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}, "spec": spec}


def listed(version: int, *items: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(items)}


class Fed:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.feed: KopfFeed[NodeGroup] = KopfFeed(Store(GROUPS), self.clock)

    def list(self, version: int, *items: dict[str, Any]) -> None:
        self.feed._apply_list(listed(version, *items), self.feed.store.begin_list())

    @property
    def names(self) -> set[str]:
        return {group.metadata.name for group in self.feed.store}


@pytest.fixture
def fed() -> Fed:
    return Fed()


def test_events_change_the_store(fed: Fed) -> None:
    assert not fed.feed.synced.is_set()
    fed.list(10, raw("a", 1))
    assert fed.feed.synced.is_set()
    fed.feed.apply_event("ADDED", raw("b", 11))
    fed.feed.apply_event("MODIFIED", raw("b", 12, fallbackGroup="a"))
    group = fed.feed.store.get("b")
    assert group is not None
    assert group.spec.fallback_group == "a"
    fed.feed.apply_event("DELETED", raw("a", 13))
    assert fed.names == {"b"}


def test_an_object_that_is_missing_from_the_next_list_is_gone(fed: Fed) -> None:
    """kopf calls no handler for it."""
    fed.list(10, raw("a", 1), raw("b", 2))
    fed.list(20, raw("b", 2))
    assert fed.names == {"b"}
    fed.list(30)
    assert fed.names == set()


def test_an_old_event_does_not_bring_it_back(fed: Fed) -> None:
    """kopf handles the events of each object in a task of its own, so one can come after a later list."""
    fed.list(10, raw("a", 1))
    fed.list(20)
    fed.feed.apply_event("MODIFIED", raw("a", 15))
    assert fed.names == set()


def test_listed_objects_come_a_second_time_as_events(fed: Fed) -> None:
    fed.list(10, raw("a", 1))
    fed.feed.apply_event("MODIFIED", raw("a", 12, fallbackGroup="x"))
    fed.feed.apply_event(None, raw("a", 1))
    group = fed.feed.store.get("a")
    assert group is not None
    assert group.metadata.resource_version == "12"


def test_what_this_version_does_not_understand_is_skipped(fed: Fed, caplog: pytest.LogCaptureFixture) -> None:
    fed.list(10, raw("a", 1))
    fed.list(20, raw("a", 11, fallbackGroup=7), raw("b", 12))
    assert fed.names == {"a", "b"}  # the last version that was understood stays
    fed.feed.apply_event("ADDED", raw("c", 21, fallbackGroup=[]))
    assert fed.names == {"a", "b"}
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "skipped nodegroups.anka.veertu.com a",
        "skipped nodegroups.anka.veertu.com c",
    ]


def test_its_age(fed: Fed) -> None:
    assert fed.feed.last_event_age == math.inf
    fed.feed.apply_event("ADDED", raw("a", 1))
    fed.clock.advance(5)
    assert fed.feed.last_event_age == 5


def test_it_registers_for_its_kind() -> None:
    registry = kopf.OperatorRegistry()
    KopfFeed(Store(GROUPS), ManualClock()).register(registry)
    (handler,) = registry._watching.get_all_handlers()
    assert handler.selector is not None
    assert handler.selector.any_name == "nodegroups"
