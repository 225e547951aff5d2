"""Parameters of API keys: what is read, and what is refused in which words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from anka_crds.api import ApiKey
from anka_shim.api_key.request import MAX_TTL, CreateApiKey, expiry, key_manifest, object_name, pick_groups, pick_ttl
from anka_shim.failure import Failure

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, UTC)


@pytest.mark.parametrize(
    ("groups", "found"),
    [([], []), ("", []), ("a, b ,,a", ["a", "b"]), (["a,b", "a,b", None, ""], ["a,b"]), ([7], ["7"]), (None, None)],
)
def test_groups(groups: Any, found: list[str] | None) -> None:
    assert CreateApiKey.model_validate({"groups": groups}).groups == found


def test_the_body_comes_first_and_names_of_a_query_may_have_commas_between_them() -> None:
    assert pick_groups(["a,b"], ["x"]) == ["a,b"]
    assert pick_groups([], ["x"]) == []
    assert pick_groups(None, ["x, y", "z"]) == ["x", "y", "z"]
    assert (pick_ttl(1, 2), pick_ttl(None, 2)) == (1, 2)
    with pytest.raises(Failure, match="groups: is required"):
        pick_groups(None, None)
    with pytest.raises(Failure, match="ttl: is required"):
        pick_ttl(None, None)


@given(st.integers())
def test_a_ttl_is_positive_and_its_end_can_be_written(ttl: int) -> None:
    try:
        found = CreateApiKey.model_validate({"ttl": ttl}).ttl
    except ValidationError:
        assert not 0 < ttl <= MAX_TTL
    else:
        assert found == ttl
        assert expiry(ttl, NOW).endswith(".123456Z")


@given(st.text(min_size=1, max_size=256), st.text(min_size=1, max_size=256))
def test_any_id_gives_the_name_of_an_object_and_another_id_another(one: str, other: str) -> None:
    assert re.fullmatch("key-[0-9a-f]{40}", object_name(one))
    assert (object_name(one) == object_name(other)) == (one == other)


def test_the_object_is_what_the_kind_says() -> None:
    made = ApiKey.model_validate(key_manifest("ci", ["a"], "AAAA", expiry(60, NOW)))
    assert (made.spec.id, made.spec.groups, made.spec.public_key) == ("ci", ["a"], "AAAA")
    assert (made.spec.expires_at - NOW).total_seconds() == 60
