from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api.limits import MAX_TEXT
from anka_crds.api.node import LocalTemplate
from anka_crds.rules.fitting import describe_cut, measure, shorten_texts, take_fitting
from anka_crds.rules.text import stored_size

TAGS = st.lists(st.text('a<é\x01\u2028\U0001f34f"', max_size=30), max_size=30)


def held(tag: str) -> LocalTemplate:
    return LocalTemplate(uuid="u", name="n", tag=tag)


@given(TAGS, st.integers(0, 20), st.integers(0, 2000))
def test_the_first_that_fit(tags: list[str], number: int, size: int) -> None:
    items = [held(tag) for tag in tags]
    found = take_fitting(items, number, size)
    assert found == items[: len(found)]
    assert len(found) <= number
    stored = stored_size(json.dumps([one.to_api() for one in found], ensure_ascii=False))
    assert stored <= size + len("[]") + len(found), "commas of json.dumps are two bytes"
    if len(found) < min(number, len(items)):
        assert sum(map(measure, items[: len(found) + 1])) > size


def test_texts_are_as_long_as_a_text_may_be() -> None:
    fields = shorten_texts(uuid="u", name="n" * 5000, size_bytes=7, tag=None)
    one = LocalTemplate(**fields)
    assert (one.uuid, len(one.name), one.size_bytes, one.tag) == ("u", MAX_TEXT, 7, None)


@pytest.mark.parametrize(("shown", "told"), [(3, "lists 3 of 5 tags"), (5, None)])
def test_a_cut_has_both_numbers(shown: int, told: str | None) -> None:
    assert describe_cut("lists {} of {} tags", shown, 5) == told
