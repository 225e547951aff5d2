"""Who a TokenReview says it is; an answer that is not understood is nobody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_shim.access.kubernetes.principal import KubernetesPrincipal, read_principal
from anka_shim.http.authentication import LoginMethod
from support.kube_identities import service_account

GOOD: dict[str, Any] = {"authenticated": True, "audiences": ["api", "anka"], "user": service_account("builder")}


def test_all_that_is_said_of_them() -> None:
    assert read_principal(GOOD, "anka") == KubernetesPrincipal(
        "system:serviceaccount:ci:builder",
        groups=frozenset({"system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"}),
        method=LoginMethod.KUBERNETES,
        uid="uid of builder",
        extra=(("example.org/pod", ("p",)),),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"authenticated": False},
        {"authenticated": "true"},
        {"authenticated": None},
        {"audiences": ["api"]},
        {"audiences": []},
        {"audiences": None},
        {"audiences": "anka"},
        {"user": None},
        {"user": {}},
        {"user": {"username": ""}},
        {"user": {"username": 5}},
    ],
)
def test_who_is_nobody(change: dict[str, Any]) -> None:
    assert read_principal({**GOOD, **change}, "anka") is None


FEW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@FEW
@given(JSON, JSON, JSON)
def test_any_answer_is_read(groups: Any, extra: Any, uid: Any) -> None:
    user = {"username": "u", "groups": groups, "extra": extra, "uid": uid}
    found = read_principal({**GOOD, "user": user}, "anka")
    assert found is not None
    assert found.name == "u"
    assert not found.is_root
    hash(found)
