"""Claims whose signature is right: for us, now, and with a name and groups."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_shim.access.oidc.claims import LEEWAY_SECONDS, MOST_GROUPS, ClaimRules, read_principal
from anka_shim.http.authentication import LoginMethod, Principal

NOW = 1_800_000_000.0
ISSUER = "https://id"
RULES = ClaimRules(frozenset({"anka", "jenkins"}), "name", "groups")
GOOD: dict[str, Any] = {"iss": ISSUER, "aud": "anka", "exp": NOW + 1, "name": "Ada", "groups": ["a b", "c"]}


def read(**changed: Any) -> Principal:
    claims = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    return read_principal(claims, ISSUER, RULES, NOW)


def test_who_it_is() -> None:
    assert read() == Principal("Ada", groups=frozenset({"a b", "c"}), method=LoginMethod.OIDC)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["other", "jenkins"]},
        {"aud": "account", "azp": "jenkins"},
        {"aud": None, "client_id": "anka"},
        {"exp": NOW - LEEWAY_SECONDS + 1},
        {"nbf": NOW + LEEWAY_SECONDS},
        {"iat": NOW + LEEWAY_SECONDS},
    ],
)
def test_what_is_good_as_well(changed: dict[str, Any]) -> None:
    assert read(**changed).name == "Ada"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"iss": "https://id/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"iss": 1}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": {"anka": 1}}, "aud"),
        ({"aud": [["anka"]]}, "aud"),
        ({"azp": ["anka"], "aud": "x"}, "aud"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": NOW - LEEWAY_SECONDS}, "exp|expired"),
        ({"nbf": NOW + LEEWAY_SECONDS + 1}, "nbf|not yet"),
        ({"nbf": "now"}, "nbf"),
        ({"name": None}, "no user name in claim name"),
        ({"name": ""}, "no user name in claim name"),
        ({"name": "x" * 300}, "no user name in claim name"),
        ({"name": 5}, "no user name in claim name"),
        ({"groups": None}, "no groups in claim groups"),
        ({"groups": {"a": 1}}, "no groups in claim groups"),
        ({"groups": ["a", 1]}, "no groups in claim groups"),
        ({"groups": ["a"] * (MOST_GROUPS + 1)}, "more than"),
    ],
)
def test_what_is_wrong(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(**changed)


def test_a_text_is_one_group() -> None:
    assert read(groups="a b").groups == {"a b"}


def test_no_groups_and_many() -> None:
    assert read(groups=[]).groups == frozenset()
    assert len(read(groups=[f"team {number}" for number in range(500)]).groups) == 500


def test_a_name_is_no_group() -> None:
    """People choose their names."""
    assert read(name="administrators").groups == {"a b", "c"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from([*GOOD, "nbf", "iat", "sub", "azp", "x"]), JSON))
def test_any_claims_are_read(changed: dict[str, Any]) -> None:
    try:
        found = read(**changed)
    except ValueError:
        return
    assert found.name
    assert not found.is_root
