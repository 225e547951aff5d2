"""What the Kubernetes API answers when it does not do what was asked: one exception type per reaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


class ApiError(Exception):
    """The API refused, failed or could not be reached.

    `status` is the HTTP status (0 when there was no answer), `retry_after` the seconds that the server asked us
    to wait, `surely_not_applied` whether a write can be repeated without the risk of doing it twice.
    """

    surely_not_applied = False

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        retry_after: float | None = None,
        *,
        action: str = "",
    ) -> None:
        super().__init__(status, reason, message)
        self.status = status
        self.reason = reason
        self.message = " ".join(message.split())
        self.retry_after = retry_after
        self.action = action

    def __str__(self) -> str:
        what = " ".join(part for part in (str(self.status) if self.status else "", self.reason) if part)
        return ": ".join(part for part in (self.action, what, self.message) if part)


class Unauthorized(ApiError):
    """401: the credentials are missing, wrong or expired."""

    surely_not_applied = True


class Forbidden(ApiError):
    """403: RBAC or an admission policy says no."""


class NotFound(ApiError):
    """404: no such object, or (for a list) no such kind."""


class Conflict(ApiError):
    """409: the object changed since it was read; read it again and decide again."""


class AlreadyExists(ApiError):
    """409 with reason AlreadyExists: an object of this name is there already."""


class Gone(ApiError):
    """410: the resourceVersion or continue token is too old; list again."""


class Invalid(ApiError):
    """422: schema, CEL rule or validation refused the object; the message names the field."""


class TooManyRequests(ApiError):
    """429: rejected before any work was done; wait `retry_after` seconds."""

    surely_not_applied = True


class ServerError(ApiError):
    """5xx: the API is in trouble. A write may or may not have been applied."""

    @property
    def surely_not_applied(self) -> bool:  # type: ignore[override]
        return self.status == 503 and self.retry_after is not None


class Unreachable(ApiError):
    """No answer: refused, cut, timed out. `sent` tells whether the request may have reached the server."""

    def __init__(self, message: str, *, sent: bool, action: str = "") -> None:
        super().__init__(0, "Unreachable", message, action=action)
        self.sent = sent

    @property
    def surely_not_applied(self) -> bool:  # type: ignore[override]
        return not self.sent


class NotLeading(ApiError):
    """Not sent: this process is not the leader (any more), and only the leader writes."""

    surely_not_applied = True

    def __init__(self) -> None:
        super().__init__(0, "NotLeading", "only the leader writes, and this process does not lead")


class Unparsable(ApiError):
    """The server answered, but not with what this version understands."""

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(0, "Unparsable", message, action=action)


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}


def from_status(status: Mapping[str, Any], *, retry_after: float | None = None, action: str = "") -> ApiError:
    """The exception for a `metav1.Status` object, as an error body or inside a watch stream."""
    code = status.get("code")
    code = code if isinstance(code, int) else 500
    reason = str(status.get("reason") or "")
    details = status.get("details")
    if retry_after is None and isinstance(details, Mapping):
        seconds = details.get("retryAfterSeconds")
        retry_after = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None
    kind = _BY_STATUS.get(code, ServerError if code >= 500 else ApiError)
    if code == 409 and reason == "AlreadyExists":
        kind = AlreadyExists
    elif reason == "Expired":
        kind = Gone
    return kind(code, reason or kind.__name__, str(status.get("message") or ""), retry_after, action=action)


def from_response(code: int, headers: Mapping[str, str], body: bytes, *, action: str = "") -> ApiError:
    """The exception for an HTTP answer >= 400, whether a Status object or a proxy's text."""
    retry_after = parse_retry_after(headers.get("Retry-After"))
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if not isinstance(status, dict):
        status = {"message": body[:200].decode("utf-8", "replace")}
    return from_status({**status, "code": code}, retry_after=retry_after, action=action)


def parse_retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header; None for absent, dates (Kubernetes sends none) and nonsense."""
    try:
        seconds = float(value) if value is not None else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 < seconds < 86_400 else None
