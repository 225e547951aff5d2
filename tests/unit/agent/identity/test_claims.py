"""What a token says of itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from anka_agent.identity import claims
from support.jwt import raw_token, service_account_token

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_bound_token() -> None:
    found = claims.read(service_account_token(issued=NOW, life=timedelta(hours=1)) + "\n")
    assert (found.namespace, found.account) == ("anka-nodes", "node-mac-1")
    assert (found.issued, found.expires) == (NOW, NOW + timedelta(hours=1))
    assert not found.expired(NOW + timedelta(minutes=59))
    assert found.expired(NOW + timedelta(hours=1))


def test_one_that_does_not_expire() -> None:
    found = claims.read(service_account_token(issued=None, life=None))
    assert (found.issued, found.expires) == (None, None)
    assert not found.expired(NOW)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "it has three parts"),
        ("abc", "it has three parts"),
        ("a.b.c", "its middle part is not JSON"),
        ("a.b.c.d", "it has three parts"),
        (raw_token([1]), "its middle part is not JSON with a subject"),
        (raw_token({"iss": "x"}), "with a subject"),
        (raw_token({"sub": "system:serviceaccount:ns:a", "exp": "soon"}), "its middle part"),
        (raw_token({"sub": "alice"}), "not a token of a ServiceAccount, but of 'alice'"),
        (raw_token({"sub": "system:serviceaccount:ns"}), "not a token of a ServiceAccount"),
    ],
)
def test_what_is_no_such_token(token: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        claims.read(token)
