"""What a ServiceAccount token says of itself. Nothing is verified here: the API does that."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

SUBJECT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Claims:
    namespace: str
    account: str
    issued: datetime | None
    expires: datetime | None
    """None: it does not expire."""

    def expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


def read(token: str) -> Claims:
    """Raises ValueError for what is not a token of a ServiceAccount."""
    parts = token.strip().split(".")
    if len(parts) != 3:
        raise ValueError("not a ServiceAccount token: it has three parts with dots between them")
    try:
        data = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        subject = str(data["sub"])
        issued, expires = _moment(data.get("iat")), _moment(data.get("exp"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("not a ServiceAccount token: its middle part is not JSON with a subject") from None
    namespace, _, account = subject.removeprefix(SUBJECT).partition(":")
    if not subject.startswith(SUBJECT) or not namespace or not account:
        raise ValueError(f"not a token of a ServiceAccount, but of {subject!r}")
    return Claims(namespace, account, issued, expires)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
