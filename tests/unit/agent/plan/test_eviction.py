from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_agent.plan.distribution import TemplateJob
from anka_agent.plan.eviction import (
    LocalTag,
    Need,
    Space,
    choose_evictions,
    describe_refusal,
    find_need,
    format_bytes,
    list_needs,
)
from anka_crds.api.node import RequiredTemplate
from support.objects import instance, save_image

GB = 10**9


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


OLD = LocalTag("old", "v1", "macos-13", 30 * GB, day(1))
MIDDLE = LocalTag("middle", "v1", "macos-14", 40 * GB, day(2))
NEW = LocalTag("new", "v1", "macos-15", 50 * GB, day(3))
UNKNOWN = LocalTag("unknown", None, "mine", 5 * GB)
ALL = [NEW, UNKNOWN, OLD, MIDDLE]


@pytest.mark.parametrize(
    ("space", "gone"),
    [
        pytest.param(Space(60 * GB, 100 * GB, 20 * GB), [], id="it fits"),
        pytest.param(Space(60 * GB, 80 * GB, 20 * GB), [], id="it just fits"),
        pytest.param(Space(60 * GB, 80 * GB - 1, 20 * GB), [UNKNOWN], id="one byte too much"),
        pytest.param(Space(60 * GB, 60 * GB, 20 * GB), [OLD], id="the least recently used first"),
        pytest.param(Space(60 * GB, 20 * GB, 20 * GB), [OLD, MIDDLE], id="as many as it takes"),
        pytest.param(Space(0, 0, 35 * GB), [UNKNOWN, OLD], id="both are needed"),
        pytest.param(Space(0, 0, 125 * GB), [UNKNOWN, OLD, MIDDLE, NEW], id="all"),
        pytest.param(Space(1, 0, 125 * GB), None, id="nothing goes when it would be in vain"),
        pytest.param(Space(0, 0, 0), [], id="nothing to fetch"),
    ],
)
def test_what_goes(space: Space, gone: list[LocalTag] | None) -> None:
    assert choose_evictions(ALL, space) == gone


def test_what_is_needed_stays() -> None:
    wanted = [Need("old", "v1", "x"), Need("unknown", None, "y")]
    space = Space(60 * GB, 60 * GB, 20 * GB)
    assert choose_evictions(ALL, space, lambda one: find_need(one, wanted) is not None) == [MIDDLE]
    assert choose_evictions(ALL, space, lambda one: True) is None


@pytest.mark.parametrize(
    ("need", "covers"),
    [
        (Need("old", "v1", ""), True),
        (Need("old", None, ""), True),
        (Need("old", "v2", ""), False),
        (Need("new", "v1", ""), False),
    ],
)
def test_who_needs_what(need: Need, covers: bool) -> None:
    assert need.covers(OLD) is covers
    assert (find_need(OLD, [need]) is need) is covers


def test_a_template_without_tags_is_needed_by_whoever_names_it() -> None:
    assert Need("unknown", "v9", "").covers(UNKNOWN)


def test_needs_of_a_node() -> None:
    bound = {"template": {"id": "t1", "tag": "v1"}}
    found = list_needs(
        [
            instance("pending", status={"phase": "Pulling", **bound}),
            instance("failed", status={"phase": "Error", **bound}),
            instance("unresolved", template="t2", tag="v2"),
        ],
        [
            save_image("tag", targetTemplate="t3"),
            save_image("new", newTemplateName="x"),
            save_image("over", targetTemplate="t4", status={"phase": "Done"}),
            save_image("named", targetTemplate="macos-15", status={"targetTemplate": "t8"}),
        ],
        [RequiredTemplate(template="t5", tag="v5")],
        [TemplateJob("pull", "u", "Pull", "t6", None), TemplateJob("remove", "u", "Remove", "t7")],
    )
    assert found == [
        Need("t1", "v1", "instance default/pending"),
        Need("t1", "v1", "instance default/failed"),
        Need("t2", "v2", "instance default/unresolved"),
        Need("t3", None, "SaveImage default/tag"),
        Need("t8", None, "SaveImage default/named"),
        Need("t5", "v5", "a rule of its AnkaTemplate"),
        Need("t6", None, "TemplateDistribution pull"),
    ]


def test_refusal_has_the_numbers() -> None:
    assert describe_refusal(Space(60 * GB, 12 * GB, 20 * GB)) == (
        "the template needs 60 GB, 12 GB are free and 20 GB are kept in reserve; nothing more can be removed"
    )


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_000_000, "2 MB"), (12_345_678_901, "12.3 GB")],
)
def test_sizes(size: int, words: str) -> None:
    assert format_bytes(size) == words


SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 28)), max_size=8)


@given(SIZES, st.integers(0, 40))
def test_nothing_goes_that_is_not_needed(tags: list[tuple[int, int]], missing: int) -> None:
    held = [LocalTag(f"t{n}", "v1", f"t{n}", size, day(used)) for n, (size, used) in enumerate(tags)]
    gone = choose_evictions(held, Space(missing, 0, 0))
    if gone is None:
        assert sum(one.size for one in held) < missing
        return
    freed = sum(one.size for one in gone)
    assert freed >= missing
    assert all(freed - one.size < missing for one in gone)


def test_what_was_used_a_minute_ago_stays_beside_a_large_one_that_is_needed() -> None:
    small = [LocalTag(f"s{n}", "v1", f"s{n}", 2 * GB, day(3 + n)) for n in range(3)]
    large = LocalTag("large", "v1", "large", 50 * GB, day(9))
    assert choose_evictions([*small, large], Space(40 * GB, 0, 0)) == [large]
