from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

import pytest

from anka_kube.resource import key_of
from anka_kube.store import EventType, Store, is_newer
from anka_kube.unstructured import Meta, Unstructured, raw_resource

THINGS = raw_resource("", "v1", "things", "Thing", namespaced=True)
Told = list[tuple[EventType, str | None, str | None]]


def thing(name: str, version: int | str, uid: str = "", namespace: str = "ns", node: str = "") -> Unstructured:
    meta = Meta(name, namespace, uid or f"uid-{name}", str(version))
    return Unstructured(meta, {"node": node})


def by_node(obj: Unstructured) -> Iterable[str]:
    return (obj.raw["node"],) if obj.raw["node"] else ()


@pytest.fixture
def store() -> Store[Unstructured]:
    return Store(THINGS, {"node": by_node})


@pytest.fixture
def told(store: Store[Unstructured]) -> Told:
    events: Told = []

    def tell(type_: EventType, old: Unstructured | None, new: Unstructured | None) -> None:
        events.append((type_, mark(old), mark(new)))

    store.subscribe(tell)
    return events


def mark(obj: Unstructured | None) -> str | None:
    return None if obj is None else f"{obj.metadata.name}@{obj.metadata.resource_version}"


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ("2", "1", True),
        ("10", "9", True),
        ("1", "1", False),
        ("1", "2", False),
        ("", "1", None),
        ("1", None, None),
        ("a", "1", None),
        ("-1", "1", None),
    ],
)
def test_versions_compare_as_numbers_or_not_at_all(left: str | None, right: str | None, result: bool | None) -> None:
    assert is_newer(left, right) is result


class TestLookups:
    def test_by_name_uid_index_and_namespace(self, store: Store[Unstructured]) -> None:
        a, b, c = thing("a", 1, node="m1"), thing("b", 2, node="m1"), thing("c", 3, namespace="other")
        store.replace([a, b, c], "3", store.begin_list())
        assert store.get("a", "ns") is a
        assert store.get("a") is None
        assert store.by_uid("uid-b") is b
        assert list(store.by_index("node", "m1")) == [a, b]
        assert list(store.by_index("node", "m2")) == []
        assert list(store.list("other")) == [c]
        assert len(store) == 3
        assert set(map(key_of, store)) == {("ns", "a"), ("ns", "b"), ("other", "c")}

    def test_indexes_follow_changes_and_deletions(self, store: Store[Unstructured]) -> None:
        store.observe(thing("a", 1, node="m1"))
        store.observe(thing("a", 2, node="m2"))
        assert not store.by_index("node", "m1")
        assert len(store.by_index("node", "m2")) == 1
        store.observe_deleted(("ns", "a"), "uid-a", "3")
        assert not store.by_index("node", "m2")
        assert store.by_uid("uid-a") is None

    def test_an_index_that_raises_leaves_the_object_out_of_it_only(self) -> None:
        store = Store(THINGS, {"odd": lambda obj: [obj.raw["absent"]]})
        store.observe(thing("a", 1))
        assert store.get("a", "ns") is not None
        store.observe_deleted(("ns", "a"), "uid-a", "2")
        assert len(store) == 0


class TestWatchEvents:
    def test_life_of_an_object(self, store: Store[Unstructured], told: Told) -> None:
        store.observe(thing("a", 1))
        store.observe(thing("a", 2))
        store.observe(thing("a", 2))
        store.observe_deleted(("ns", "a"), "uid-a", "3")
        store.observe_deleted(("ns", "a"), "uid-a", "3")
        assert told == [("ADDED", None, "a@1"), ("MODIFIED", "a@1", "a@2"), ("DELETED", "a@2", None)]

    def test_recreated_under_the_same_name_is_a_deletion_and_an_addition(
        self, store: Store[Unstructured], told: Told
    ) -> None:
        store.observe(thing("a", 1, uid="old"))
        store.observe(thing("a", 5, uid="new"))
        store.observe_deleted(("ns", "a"), "old", "4")
        assert told == [("ADDED", None, "a@1"), ("DELETED", "a@1", None), ("ADDED", None, "a@5")]
        assert store.by_uid("old") is None
        assert store.by_uid("new") is not None

    def test_incomparable_versions_follow_the_server(self, store: Store[Unstructured], told: Told) -> None:
        store.observe(thing("a", "x9"))
        store.observe(thing("a", "x1"))
        assert told[-1] == ("MODIFIED", "a@x9", "a@x1")


class TestLists:
    def test_difference_is_told_deletions_first(self, store: Store[Unstructured], told: Told) -> None:
        store.replace([thing("a", 1), thing("b", 2), thing("c", 3, uid="old")], "3", store.begin_list())
        told.clear()
        store.replace([thing("d", 7), thing("b", 2), thing("c", 6, uid="new")], "8", store.begin_list())
        assert told == [
            ("DELETED", "a@1", None),
            ("ADDED", None, "d@7"),
            ("DELETED", "c@3", None),
            ("ADDED", None, "c@6"),
        ]

    def test_what_could_not_be_parsed_is_not_taken_for_deleted(self, store: Store[Unstructured], told: Told) -> None:
        store.replace([thing("a", 1), thing("b", 1, uid="old")], "1", store.begin_list())
        told.clear()
        store.replace([], "5", store.begin_list(), keep={"uid-a", "new"})
        assert told == [("DELETED", "b@1", None)]

    def test_versions_that_went_back_are_believed(self, store: Store[Unstructured], told: Told) -> None:
        """etcd restored from a backup: everything known before is void, whatever its number."""
        store.replace([thing("a", 900), thing("b", 901)], "950", store.begin_list())
        store.apply_written(thing("c", 951))
        told.clear()
        store.replace([thing("a", 100)], "120", store.begin_list())
        store.observe(thing("a", 121))
        assert told[-2:] == [("MODIFIED", "a@900", "a@100"), ("MODIFIED", "a@100", "a@121")]
        assert len(store) == 1


class TestOwnWrites:
    def test_are_read_at_once_and_the_echo_is_silent(self, store: Store[Unstructured], told: Told) -> None:
        assert store.apply_written(thing("a", 5))
        assert store.get("a", "ns") is not None
        store.observe(thing("a", 5))
        assert told == [("ADDED", None, "a@5")]

    def test_late_watch_events_do_not_undo_them(self, store: Store[Unstructured], told: Told) -> None:
        store.observe(thing("a", 1))
        assert store.apply_written(thing("a", 5))
        store.observe(thing("a", 3))
        assert mark(store.get("a", "ns")) == "a@5"
        store.observe(thing("a", 6))
        assert [event[2] for event in told] == ["a@1", "a@5", "a@6"]

    def test_an_answer_slower_than_the_watch_is_ignored(self, store: Store[Unstructured], told: Told) -> None:
        store.observe(thing("a", 7))
        assert not store.apply_written(thing("a", 5))
        assert mark(store.get("a", "ns")) == "a@7"

    def test_an_answer_slower_than_the_deletion_does_not_bring_the_object_back(
        self, store: Store[Unstructured], told: Told
    ) -> None:
        store.observe(thing("a", 4))
        store.observe(thing("a", 5))
        store.observe_deleted(("ns", "a"), "uid-a", "6")
        assert not store.apply_written(thing("a", 5))
        assert len(store) == 0

    def test_survive_a_list_that_began_before_them(self, store: Store[Unstructured], told: Told) -> None:
        store.observe(thing("b", 1))
        begun = store.begin_list()
        store.apply_written(thing("a", 9))
        store.apply_written(thing("b", 10))
        store.replace([thing("b", 1)], "8", begun)
        assert sorted(filter(None, map(mark, store))) == ["a@9", "b@10"]
        assert "DELETED" not in [event[0] for event in told]

    def test_give_way_to_a_list_that_began_after_them(self, store: Store[Unstructured]) -> None:
        store.apply_written(thing("a", 9))
        store.replace([], "12", store.begin_list())
        assert len(store) == 0

    def test_give_way_to_a_newer_list_even_one_that_began_before(self, store: Store[Unstructured]) -> None:
        begun = store.begin_list()
        store.apply_written(thing("a", 9))
        store.replace([], "12", begun)
        assert len(store) == 0

    def test_a_recreation_of_ours_is_a_deletion_and_an_addition(self, store: Store[Unstructured], told: Told) -> None:
        store.observe(thing("a", 1, uid="old"))
        store.apply_written(thing("a", 9, uid="new"))
        store.observe(thing("a", 2, uid="old"))
        store.observe_deleted(("ns", "a"), "old", "3")
        assert told == [("ADDED", None, "a@1"), ("DELETED", "a@1", None), ("ADDED", None, "a@9")]


class TestOwnDeletes:
    def test_late_events_do_not_bring_the_object_back(self, store: Store[Unstructured], told: Told) -> None:
        a = thing("a", 1)
        store.observe(a)
        assert store.apply_deleted(a)
        store.observe(thing("a", 2))
        assert not store.apply_written(thing("a", 2))
        store.observe_deleted(("ns", "a"), "uid-a", "3")
        assert told == [("ADDED", None, "a@1"), ("DELETED", "a@1", None)]

    def test_a_list_from_before_does_not_bring_it_back(self, store: Store[Unstructured]) -> None:
        a = thing("a", 1)
        store.observe(a)
        begun = store.begin_list()
        store.apply_deleted(a)
        store.replace([a], "2", begun)
        assert len(store) == 0

    def test_a_list_from_after_decides(self, store: Store[Unstructured]) -> None:
        a = thing("a", 1)
        store.observe(a)
        store.apply_deleted(a)
        store.replace([a], "2", store.begin_list())
        assert len(store) == 1

    def test_only_that_very_object_goes(self, store: Store[Unstructured], told: Told) -> None:
        store.observe(thing("a", 5, uid="new"))
        assert not store.apply_deleted(thing("a", 1, uid="old"))
        assert len(store) == 1


class TestCallbacks:
    def test_one_that_raises_is_logged_and_the_others_still_run(
        self, store: Store[Unstructured], caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("bug")

        store.subscribe(broken)
        seen: list[EventType] = []
        store.subscribe(lambda type_, old, new: seen.append(type_))
        with caplog.at_level(logging.ERROR):
            store.observe(thing("a", 1))
        assert seen == ["ADDED"]
        assert "callback failed for ADDED of things" in caplog.text

    def test_unsubscribed_is_not_called(self, store: Store[Unstructured]) -> None:
        seen: list[EventType] = []
        stop = store.subscribe(lambda type_, old, new: seen.append(type_))
        store.observe(thing("a", 1))
        stop()
        store.observe(thing("a", 2))
        assert seen == ["ADDED"]


class TestWaiting:
    async def test_for_what_is_already_true(self, store: Store[Unstructured]) -> None:
        store.observe(thing("a", 1))
        assert await store.wait_for(lambda s: s.get("a", "ns"), 1) is store.get("a", "ns")

    async def test_wakes_by_the_change_itself(self, store: Store[Unstructured]) -> None:
        waiting = asyncio.create_task(store.wait_for(lambda s: len(s) == 2, 60))
        for name in "ab":
            await asyncio.sleep(0)
            assert not waiting.done()
            store.observe(thing(name, 1))
        assert await waiting is True

    async def test_with_a_key_only_that_object_is_looked_at(self, store: Store[Unstructured]) -> None:
        looked = 0

        def gone(s: Store[Unstructured]) -> bool:
            nonlocal looked
            looked += 1
            return s.get("a", "ns") is None

        store.observe(thing("a", 1))
        waiting = asyncio.create_task(store.wait_for(gone, 5, key=("ns", "a")))
        await asyncio.sleep(0)
        for version in range(2, 50):
            store.observe(thing("b", version))
        assert looked == 1
        store.observe_deleted(("ns", "a"), "uid-a", "60")
        assert await waiting
        assert looked == 2

    async def test_times_out_and_leaves_nothing_behind(self, store: Store[Unstructured]) -> None:
        calls = 0

        def never(_: Store[Unstructured]) -> bool:
            nonlocal calls
            calls += 1
            return False

        with pytest.raises(TimeoutError):
            await store.wait_for(never, 0.01)
        store.observe(thing("a", 1))
        assert calls == 1

    async def test_an_error_in_the_predicate_reaches_the_waiter_alone(self, store: Store[Unstructured]) -> None:
        waiting = asyncio.create_task(store.wait_for(lambda s: len(s) and 1 // 0, 60))
        await asyncio.sleep(0)
        store.observe(thing("a", 1))
        with pytest.raises(ZeroDivisionError):
            await waiting


async def test_how_far_the_watch_is_does_not_count_our_own_writes(store: Store[Unstructured]) -> None:
    assert store.delivered_version == ""
    assert not store.has_delivered("1")
    store.replace([thing("a", 3)], "5", store.begin_list())
    store.apply_written(thing("a", 9))
    assert (store.delivered_version, store.has_delivered("5"), store.has_delivered("6")) == ("5", True, False)
    store.observe(thing("a", 9))
    assert store.has_delivered("9")
    store.advance("12")
    assert store.has_delivered("12")
    assert not store.has_delivered("x")


@pytest.mark.parametrize("how", ["list", "event", "deletion", "bookmark"])
async def test_waiting_for_the_watch(store: Store[Unstructured], how: str) -> None:
    store.replace([thing("b", 1)], "5", store.begin_list())
    waiting = asyncio.create_task(store.wait_for_delivery(lambda: store.has_delivered("8"), 20))
    await asyncio.sleep(0)
    store.advance("7")
    await asyncio.sleep(0)
    assert not waiting.done()
    if how == "list":
        store.replace([], "8", store.begin_list())
    elif how == "event":
        store.observe(thing("a", 8))
    elif how == "deletion":
        store.observe_deleted(("ns", "b"), "uid-b", "8")
    else:
        store.advance("8")
    assert await asyncio.wait_for(waiting, 60)
    assert await store.wait_for_delivery(lambda: store.has_delivered("8"), 0)


async def test_waiting_for_the_watch_ends(store: Store[Unstructured]) -> None:
    assert not await store.wait_for_delivery(lambda: False, 0.01)
    assert not store._listeners


async def test_a_deletion_of_ours_is_awaited_until_the_watch_tells_it(store: Store[Unstructured]) -> None:
    store.replace([thing("a", 1)], "5", store.begin_list())
    store.apply_deleted(thing("a", 1))
    assert store.has_pending_deletion("uid-a")
    store.observe_deleted(("ns", "a"), "uid-a", "6")
    assert not store.has_pending_deletion("uid-a")


class TestObjectsOfAnother:
    """They stay out, whichever way they come; nobody is told of them."""

    @pytest.fixture
    def store(self) -> Store[Unstructured]:
        return Store(replace(THINGS, is_ours=lambda obj: not obj.metadata.name.startswith("x")), {"node": by_node})

    def test_of_a_list_an_event_or_an_answer(self, store: Store[Unstructured], told: Told) -> None:
        store.replace([thing("a", 1), thing("x1", 2)], "2", store.begin_list())
        store.observe(thing("x2", 3))
        assert not store.apply_written(thing("x3", 4))
        assert [mark(one) for one in store] == ["a@1"]
        assert told == [("ADDED", None, "a@1")]
        assert store.delivered_version == "3"

    def test_they_are_known_by_name_until_they_are_gone(self, store: Store[Unstructured]) -> None:
        store.replace([thing("x1", 1), thing("x2", 2)], "2", store.begin_list())
        store.observe(thing("x3", 3))
        assert all(store.passes_over(("ns", name)) for name in ("x1", "x2", "x3"))
        assert store.passes_over(("ns", "x1"), "uid-x1")
        assert not store.passes_over(("ns", "x1"), "another")
        assert not store.passes_over(("ns", "a"))
        store.observe_deleted(("ns", "x1"), "another", "4")
        assert store.passes_over(("ns", "x1"))
        store.observe_deleted(("ns", "x1"), "uid-x1", "5")
        assert not store.passes_over(("ns", "x1"))
        store.replace([thing("x3", 3)], "6", store.begin_list())
        assert not store.passes_over(("ns", "x2"))

    @pytest.mark.parametrize("listed", [True, False])
    def test_one_under_the_name_of_ours_ends_ours(self, listed: bool) -> None:
        ours = {"uid-a"}
        store = Store(replace(THINGS, is_ours=lambda obj: obj.metadata.uid in ours))
        events: list[str] = []
        store.subscribe(lambda type_, old, new: events.append(type_))
        store.observe(thing("a", 1))
        later = thing("a", 3, uid="theirs")
        if listed:
            store.replace([later], "3", store.begin_list())
        else:
            store.observe(later)
        assert events == ["ADDED", "DELETED"]
        store.observe_deleted(("ns", "a"), "uid-a", "2")
        assert len(store) == 0
        assert store.passes_over(("ns", "a"), "theirs")
