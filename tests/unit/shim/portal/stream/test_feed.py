"""Browsers that look in at any time, against the store that their rows are made from."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from anka_crds.api import NodeGroup
from anka_crds.resources import GROUPS
from anka_kube.store import Store
from anka_shim.portal.stream import feed as feeds
from anka_shim.portal.stream.feed import Feed

NAMES = "abcd"


class Cloud:
    """Groups, and the feed of their rows. The watch is as far as the last event."""

    def __init__(self) -> None:
        self.store: Store[NodeGroup] = Store(GROUPS)
        self.version = 100
        self.store.replace([], str(self.version), self.store.begin_list())
        self.woken = 0
        self.feed = Feed("groups", project=self.project, list_ids=self.ids, sources=(self.store,), on_change=self.wake)
        self.feed.follow(self.store, lambda old, new: {obj.metadata.name for obj in (old, new) if obj is not None})
        self.feed.flush()

    def wake(self) -> None:
        self.woken += 1

    def project(self, id_: str) -> dict[str, Any] | None:
        group = self.store.get(id_)
        return None if group is None else {"id": id_, "description": group.spec.description}

    def ids(self) -> list[str]:
        return [group.metadata.name for group in self.store]

    def rows(self) -> dict[str, bytes | None]:
        return {id_: self.feed._encode(id_) for id_ in self.ids()}

    def put(self, name: str, description: str, *, is_own: bool = False) -> None:
        self.version += 1
        metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(self.version)}
        group = NodeGroup.model_validate({"metadata": metadata, "spec": {"description": description}})
        if is_own:
            self.store.apply_written(group)
        else:
            self.store.observe(group)

    def delete(self, name: str) -> None:
        self.version += 1
        self.store.observe_deleted(("", name), f"uid-{name}", str(self.version))


class Browser:
    """What one has on its screen."""

    def __init__(self, cloud: Cloud) -> None:
        self._feed = cloud.feed
        self.rows: dict[str, bytes] = {}
        self.version: str | None = None
        self.is_live = False

    def come(self) -> None:
        missed = self._feed.since(self.version) if self.version is not None else None
        if missed is None:
            self.rows = {}
        self.take(self._feed.ids() if missed is None else missed, self._feed.version)
        self.is_live = True

    def take(self, ids: Any, version: str) -> None:
        for id_ in ids:
            row = self._feed.row(id_)
            if row is None:
                self.rows.pop(id_, None)
            else:
                self.rows[id_] = row
        self.version = version


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(NAMES), st.sampled_from("xy"), st.booleans()),
        st.tuples(st.just("delete"), st.sampled_from(NAMES)),
        st.tuples(st.just("flush")),
        st.tuples(st.just("come"), st.integers(0, 1)),
        st.tuples(st.just("leave"), st.integers(0, 1)),
        st.tuples(st.just("forget")),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=300)
@given(steps)
def test_every_browser_has_what_there_is(steps: list[tuple[Any, ...]]) -> None:
    cloud = Cloud()
    browsers = [Browser(cloud), Browser(cloud)]

    def flush() -> None:
        change = cloud.feed.flush()
        for browser in browsers:
            if change is not None and browser.is_live:
                browser.take(change.ids, change.version)

    for step in steps:
        match step:
            case ("put", name, text, is_own):
                cloud.put(name, text, is_own=is_own)
            case ("delete", name):
                cloud.delete(name)
            case ("flush",):
                flush()
            case ("come", number):
                if not browsers[number].is_live:
                    browsers[number].come()
            case ("leave", number):
                browsers[number].is_live = False
            case ("forget",):
                if not any(browser.is_live for browser in browsers):
                    cloud.feed.forget()
    for browser in browsers:
        if not browser.is_live:
            browser.come()
    flush()
    for browser in browsers:
        assert browser.rows == cloud.rows()


def test_a_version_of_another_replica_that_is_ahead() -> None:
    cloud = Cloud()
    cloud.put("a", "x")
    cloud.feed.flush()
    assert cloud.feed.since("101@b") == frozenset("a")
    assert cloud.feed.since("102@b") is None
    assert cloud.feed.since("99@b") is None
    assert cloud.feed.since("0@") == frozenset("a")
    assert cloud.feed.since("101-101@b") is None


def test_one_flush_encodes_no_more_than_so_many() -> None:
    cloud = Cloud()
    count = feeds.MOST_AT_ONCE + 10
    for number in range(count):
        cloud.put(f"g{number}", "x")
    cloud.woken = 0
    first, second = cloud.feed.flush(), cloud.feed.flush()
    assert first is not None
    assert second is not None
    assert (len(first.ids), len(second.ids)) == (feeds.MOST_AT_ONCE, 10)
    assert cloud.woken == 1
    assert cloud.feed.flush() is None


def test_rows_that_look_as_before_are_not_told() -> None:
    cloud = Cloud()
    cloud.put("a", "x")
    cloud.feed.flush()
    cloud.feed.row("a")
    cloud.put("a", "x")
    assert cloud.feed.flush() is None
    cloud.put("a", "y")
    change = cloud.feed.flush()
    assert change is not None
    assert change.ids == {"a"}


def test_it_is_ready_when_its_sources_have_been_read() -> None:
    store: Store[NodeGroup] = Store(GROUPS)
    feed = Feed("groups", project=lambda _: None, list_ids=lambda: (), sources=(store,))
    feed.flush()
    assert not feed.is_ready
    store.replace([], "7", store.begin_list())
    feed.flush()
    assert feed.is_ready
    # Of the newest object, not of the list: of that, another replica may not know yet.
    assert feed.version == "0@"


def test_ids_are_listed_once() -> None:
    cloud = Cloud()
    for name in itertools.islice(NAMES, 3):
        cloud.put(name, "x")
    assert sorted(cloud.feed.ids()) == ["a", "b", "c"]
