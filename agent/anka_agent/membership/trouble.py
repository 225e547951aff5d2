"""What keeps a Mac from joining or leaving, in one line that says what to do."""

from __future__ import annotations

from anka_agent.identity.claims import Claims
from anka_crds.kube.errors import ApiError, Forbidden, NotFound, Unauthorized, Unreachable

JOINER = "anka-joiner"
NEW_TOKEN = "`kubectl create token anka-joiner --namespace anka-system --duration 1h` makes one"  # noqa: S105


class Trouble(Exception):
    """A person must do something; str() is one line."""


def of_the_api(error: ApiError, url: str, token: Claims) -> Trouble:
    """What the answer to somebody with a join token means."""
    if isinstance(error, Unreachable):
        if "certificate" in error.message.lower():
            return Trouble(f"{url} is not trusted: {error.message}; give its certificate authority with --ca-cert FILE")
        return Trouble(f"{url} cannot be reached: {error.message}")
    if isinstance(error, Unauthorized):
        return Trouble(f"the join token is not accepted; it may have expired, or be another cluster's: {NEW_TOKEN}")
    if isinstance(error, Forbidden) and token.account != JOINER:
        return Trouble(f"the token is {token.namespace}/{token.account}'s, which may not let a Mac join: {NEW_TOKEN}")
    if isinstance(error, NotFound):
        return Trouble(f"{url} has no Anka build cloud: {error.message}; install it first")
    return Trouble(f"{url} refused: {error}")
