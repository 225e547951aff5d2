"""The order of iterator."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_scheduler.queue import QueueIterator, SchedulingQueue
from anka_scheduler.shape import to_shape
from support.objects import instance


def order(queue: SchedulingQueue) -> list[str]:
    return [queued.uid.removeprefix("uid-") for _, _, queued in QueueIterator(queue)]


def test_urgent_first_then_old_first_then_by_uid() -> None:
    queue = SchedulingQueue()
    for one in (
        instance("young", meta={"age": 1}),
        instance("urgent", priority=1),
        instance("b", meta={"age": 5}),
        instance("a", meta={"age": 5}),
        instance("late", priority=5000, meta={"age": 99}),
    ):
        queue.add(one)
    assert order(queue) == ["urgent", "a", "b", "young", "late"]


def test_shapes_are_served_together_in_one_order() -> None:
    queue = SchedulingQueue()
    for number in range(6):
        queue.add(instance(f"i{number}", meta={"age": 10 - number}, tag=f"t{number % 2}"))
    assert len(queue.shapes) == 2
    assert order(queue) == [f"i{number}" for number in range(6)]


def test_a_closed_shape_is_not_served_any_more() -> None:
    queue = SchedulingQueue()
    for number in range(6):
        queue.add(instance(f"i{number}", meta={"age": 10 - number}, tag=f"t{number % 2}"))
    iterator = QueueIterator(queue)
    served = []
    for number, shape, queued in iterator:
        served.append(queued.uid)
        if shape.tag == "t0":
            iterator.skip(number)
    assert served == ["uid-i0", "uid-i1", "uid-i3", "uid-i5"]
    assert len(queue) == 6


def test_a_change_of_priority_or_group_moves_it() -> None:
    queue = SchedulingQueue()
    queue.add(instance("a", meta={"age": 2}))
    queue.add(instance("b", meta={"age": 1}))
    queue.add(instance("b", meta={"age": 1}, priority=1))
    assert order(queue) == ["b", "a"]
    moved = instance("b", meta={"age": 1}, group="ios")
    queue.add(moved)
    assert [one.uid for one in queue.waiting(to_shape(moved))] == ["uid-b"]
    assert len(queue) == 2


def test_dropping() -> None:
    queue = SchedulingQueue()
    one = instance("a")
    queue.add(one)
    assert "uid-a" in queue
    assert queue.remove("uid-a")
    assert not queue.remove("uid-a")
    assert (len(queue), queue.shapes, list(queue.waiting(to_shape(one)))) == (0, (), [])


_entries = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 4), st.integers(0, 3), st.sampled_from([None, "v1", "v2"])),
    max_size=40,
)


@given(_entries, st.sets(st.integers(0, 30)))
def test_like_a_sorted_list(entries: list[tuple[int, int, int, str | None]], dropped: set[int]) -> None:
    """Whatever is put, put again and dropped: the order is that of a list sorted at once."""
    queue = SchedulingQueue()
    model = {}
    for name, priority, age, tag in entries:
        one = instance(f"{name:02}", priority=priority, meta={"age": age}, tag=tag)
        queue.add(one)
        model[name] = (priority, -age, f"{name:02}")
    for name in dropped:
        assert queue.remove(f"uid-{name:02}") == (model.pop(name, None) is not None)
    assert order(queue) == [name for _, _, name in sorted(model.values())]
    assert len(queue) == len(model)
