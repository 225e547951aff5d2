"""What an answer of the API means to a person with a join token."""

from __future__ import annotations

import pytest

from anka_agent.identity.tokens import Claims
from anka_agent.membership.errors import NEW_TOKEN, explain_api_error
from anka_kube.errors import ApiError, Forbidden, NotFound, ServerError, Unauthorized, Unreachable

JOINER = Claims("anka-joining", "mac-1", None, None)
UNTRUSTED = Unreachable("certificate verify failed", sent=False, action="x")
FORBIDDEN = Forbidden(403, "Forbidden", "no", action="x")
BY_POLICY = Forbidden(403, "Forbidden", "ValidatingAdmissionPolicy 'p': for mac-2 alone", action="x")
AWAY = Unreachable("connection refused", sent=False, action="x")
UNKNOWN = Unauthorized(401, "Unauthorized", "no", action="x")
NO_CLOUD = NotFound(404, "NotFound", "no such kind", action="x")
OTHER = Claims("ci", "runner", None, None)


@pytest.mark.parametrize(
    ("error", "token", "says"),
    [
        (UNTRUSTED, JOINER, "give its certificate authority with --ca-cert"),
        (AWAY, JOINER, "https://c cannot be reached: connection refused"),
        (UNKNOWN, JOINER, f"it may have expired or been used, or be another cluster's: {NEW_TOKEN}"),
        (FORBIDDEN, OTHER, f"the token is ci/runner's, which may not let a Mac join (no): {NEW_TOKEN}"),
        (BY_POLICY, JOINER, "https://c refused: x: 403 Forbidden: ValidatingAdmissionPolicy 'p': for mac-2 alone"),
        (NO_CLOUD, JOINER, "https://c has no Anka build cloud: no such kind"),
        (ServerError(500, "InternalError", "oops", action="x"), JOINER, "https://c refused: "),
    ],
)  # fmt: skip
def test_what_to_do(error: ApiError, token: Claims, says: str) -> None:
    text = str(explain_api_error(error, "https://c", token))
    assert says in text
    assert "\n" not in text
