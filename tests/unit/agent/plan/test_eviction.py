from __future__ import annotations

from datetime import UTC, datetime

import pytest

from anka_agent.plan.distribution import Job
from anka_agent.plan.eviction import Held, Need, Space, evictions, gigabytes, needed, needs, refusal
from anka_crds.api.node import KeptTemplate
from support.objects import instance, save_image

GB = 10**9


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


OLD = Held("old", "v1", "macos-13", 30 * GB, day(1))
MIDDLE = Held("middle", "v1", "macos-14", 40 * GB, day(2))
NEW = Held("new", "v1", "macos-15", 50 * GB, day(3))
UNKNOWN = Held("unknown", None, "mine", 5 * GB)
ALL = [NEW, UNKNOWN, OLD, MIDDLE]


@pytest.mark.parametrize(
    ("space", "gone"),
    [
        pytest.param(Space(60 * GB, 100 * GB, 20 * GB), [], id="it fits"),
        pytest.param(Space(60 * GB, 80 * GB, 20 * GB), [], id="it just fits"),
        pytest.param(Space(60 * GB, 80 * GB - 1, 20 * GB), [UNKNOWN], id="one byte too much"),
        pytest.param(Space(60 * GB, 60 * GB, 20 * GB), [UNKNOWN, OLD], id="the least recently used first"),
        pytest.param(Space(60 * GB, 20 * GB, 20 * GB), [UNKNOWN, OLD, MIDDLE], id="as many as it takes"),
        pytest.param(Space(0, 0, 125 * GB), [UNKNOWN, OLD, MIDDLE, NEW], id="all"),
        pytest.param(Space(1, 0, 125 * GB), None, id="nothing goes when it would be in vain"),
        pytest.param(Space(0, 0, 0), [], id="nothing to fetch"),
    ],
)
def test_what_goes(space: Space, gone: list[Held] | None) -> None:
    assert evictions(ALL, space) == gone


def test_what_is_needed_stays() -> None:
    wanted = [Need("old", "v1", "x"), Need("unknown", None, "y")]
    space = Space(60 * GB, 60 * GB, 20 * GB)
    assert evictions(ALL, space, lambda one: needed(one, wanted) is not None) == [MIDDLE]
    assert evictions(ALL, space, lambda one: True) is None


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
    assert (needed(OLD, [need]) is need) is covers


def test_a_template_without_tags_is_needed_by_whoever_names_it() -> None:
    assert Need("unknown", "v9", "").covers(UNKNOWN)


def test_needs_of_a_node() -> None:
    bound = {"template": {"id": "t1", "tag": "v1"}}
    found = needs(
        [
            instance("pending", status={"phase": "Pulling", **bound}),
            instance("failed", status={"phase": "Error", **bound}),
            instance("unresolved", template="t2", tag="v2"),
        ],
        [
            save_image("tag", targetTemplate="t3"),
            save_image("new", newTemplateName="x"),
            save_image("over", targetTemplate="t4", status={"phase": "Done"}),
        ],
        [KeptTemplate(template="t5", tag="v5")],
        [Job("pull", "u", "Pull", "t6", None), Job("remove", "u", "Remove", "t7")],
    )
    assert found == [
        Need("t1", "v1", "instance default/pending"),
        Need("t1", "v1", "instance default/failed"),
        Need("t2", "v2", "instance default/unresolved"),
        Need("t3", None, "SaveImage default/tag"),
        Need("t5", "v5", "a rule of its AnkaTemplate"),
        Need("t6", None, "TemplateDistribution pull"),
    ]


def test_refusal_has_the_numbers() -> None:
    assert refusal(Space(60 * GB, 12 * GB, 20 * GB)) == (
        "the template needs 60 GB, 12 GB are free and 20 GB are kept in reserve; nothing more can be removed"
    )


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_000_000, "2 MB"), (12_345_678_901, "12.3 GB")],
)
def test_sizes(size: int, words: str) -> None:
    assert gigabytes(size) == words
