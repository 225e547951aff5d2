"""How long a session lasts. The flow itself is tested through its endpoints (browser_login/test_endpoints.py)."""

from __future__ import annotations

import pytest

from anka_shim.access.browser_session import LONGEST_SESSION_SECONDS
from anka_shim.access.oidc.code_flow import count_seconds


@pytest.mark.parametrize(
    ("expires_in", "left", "seconds"),
    [
        (600, 60.0, 600),
        (None, 60.9, 60),
        ("600", 60.0, 60),
        (True, 60.0, 60),
        (0, 60.0, 60),
        (-1, 60.0, 60),
        (None, -5.0, 0),
        (10**9, 60.0, LONGEST_SESSION_SECONDS),
        (None, 1e12, LONGEST_SESSION_SECONDS),
    ],
)
def test_as_long_as_the_tokens(expires_in: object, left: float, seconds: int) -> None:
    assert count_seconds(expires_in, left) == seconds
