"""What a word means that people write for a Mac or a group."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_crds.rules.references import NO_NAMES, NameCatalog, describe_missing
from support.objects import group

CALLED = {"ios": None, "g-1": "iOS", "g-2": "twin", "g-3": "twin", "g-4": "ios"}
CATALOG = NameCatalog([group(name, called=called) for name, called in CALLED.items()])


def test_an_id_goes_before_names_and_a_name_must_be_unique() -> None:
    words = ("ios", "iOS", "g-4", "twin", "IOS", "")
    assert [CATALOG.resolve(word) for word in words] == ["ios", "g-1", "g-4", None, None, None]
    assert CATALOG.find("twin") == ["g-2", "g-3"]
    assert CATALOG.to_ids(["iOS", "g-1", "gone", "twin"]) == {"g-1", "gone", "twin"}
    assert NO_NAMES.to_ids(["iOS"]) == {"iOS"}


def test_what_is_missing_is_told() -> None:
    assert describe_missing("NodeGroup", "IOS", CATALOG) == "There is no NodeGroup IOS"
    assert describe_missing("NodeGroup", "twin", CATALOG) == (
        "2 NodeGroups are called twin: give the metadata.name of one: g-2, g-3"
    )


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "a", "iOS Team", "日本", "e"])), max_size=6))
def test_every_word_means_one_object_or_is_told(pairs: list[tuple[str, str]]) -> None:
    unique = dict(pairs)
    catalog = NameCatalog([group(name, called=called) for name, called in unique.items()])
    for word in (*unique, *unique.values(), "e"):
        found = catalog.resolve(word)
        assert (found is None) is (len(catalog.find(word)) != 1)
        if word in unique:
            assert found == word
        elif found is not None:
            assert unique[found] == word
