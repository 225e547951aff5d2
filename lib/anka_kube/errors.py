"""Errors of the Kubernetes API: one exception type for each reaction of a caller."""

from collections.abc import Mapping
from typing import Any

import orjson


class ApiError(Exception):
    """The API refused, failed or could not be reached.

    `status` is the HTTP status (0 without an answer), `retry_after` the seconds of the server's Retry-After,
    `surely_not_applied` whether a write can be repeated without the risk of applying it twice.
    """

    surely_not_applied = False

    def __init__(
        self, status: int, reason: str, message: str, retry_after: float | None = None, *, action: str = ""
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
    """403: RBAC or an admission policy refuses."""


class NotFound(ApiError):
    """404: no such object, or (for a list) no such kind."""


class Conflict(ApiError):
    """409: the object changed after it was read. Read it and decide again."""


class AlreadyExists(ApiError):
    """409 with reason AlreadyExists: an object of this name exists."""


class Gone(ApiError):
    """410: the resourceVersion or continue token is too old. List again."""


class Invalid(ApiError):
    """422: the schema, a CEL rule or a validation refuses the object. The message names the field."""


class TooLarge(Invalid):
    """413, or a 500 in etcd's words: the object has more bytes than the API or etcd takes."""


class TooManyRequests(ApiError):
    """429: rejected before any work. Wait `retry_after` seconds."""

    surely_not_applied = True


class ServerError(ApiError):
    """5xx: the API fails. A write may or may not be applied."""

    @property
    def surely_not_applied(self) -> bool:  # type: ignore[override]
        return self.status == 503 and self.retry_after is not None


class Unreachable(ApiError):
    """No answer: refused, cut off, timed out. `sent`: whether the request may have reached the server."""

    def __init__(self, message: str, *, sent: bool, action: str = "") -> None:
        super().__init__(0, "Unreachable", message, action=action)
        self.sent = sent

    @property
    def surely_not_applied(self) -> bool:  # type: ignore[override]
        return not self.sent


class NotLeading(ApiError):
    """Not sent: this process is not, or no longer, the leader, and only the leader writes."""

    surely_not_applied = True

    def __init__(self) -> None:
        super().__init__(0, "NotLeading", "only the leader writes, and this process does not lead")


class NotHolding(ApiError):
    """Not sent: no heartbeat was confirmed lately, so another machine may hold the Lease of this one."""

    surely_not_applied = True

    def __init__(self) -> None:
        super().__init__(0, "NotHolding", "the heartbeat is not confirmed, so another machine may be this node by now")


class Unparsable(ApiError):
    """The server's answer is not one that this version understands."""

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(0, "Unparsable", message, action=action)


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}


LONGEST_WAIT_SECONDS = 300.0
"""The server knows its load, but hardly for longer; a proxy that says a day would stop a watch for that time."""

_TOO_LARGE = ("request is too large", "trying to send message larger than max")
"""etcd's refusal, and that of the apiserver's client of it; the apiserver makes a 500 of both."""


def from_status(status: Mapping[str, Any], *, retry_after: float | None = None, action: str = "") -> ApiError:
    """The exception for a `metav1.Status` object, from an error body or a watch stream."""
    code = status.get("code")
    code = code if isinstance(code, int) else 500
    reason = str(status.get("reason") or "")
    details = status.get("details")
    if retry_after is None and isinstance(details, Mapping):
        retry_after = parse_retry_after(details.get("retryAfterSeconds"))
    kind = _BY_STATUS.get(code, ServerError if code >= 500 else ApiError)
    if code == 409 and reason == "AlreadyExists":
        kind = AlreadyExists
    elif reason == "Expired":
        kind = Gone
    message = str(status.get("message") or "")
    if kind is ServerError and any(words in message for words in _TOO_LARGE):
        kind = TooLarge
    return kind(code, reason or kind.__name__, message, retry_after, action=action)


def from_response(code: int, headers: Mapping[str, str], body: bytes, *, action: str = "") -> ApiError:
    """The exception for an HTTP answer >= 400, a Status object or the text of a proxy."""
    retry_after = parse_retry_after(headers.get("Retry-After"))
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if not isinstance(status, dict):
        status = {"message": body[:200].decode("utf-8", "replace")}
    return from_status({**status, "code": code}, retry_after=retry_after, action=action)


def parse_retry_after(value: Any) -> float | None:
    """Seconds of a Retry-After header, or of retryAfterSeconds. None if it is absent, a date (Kubernetes sends none) or
    invalid; LONGEST_WAIT_SECONDS at most."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(seconds, LONGEST_WAIT_SECONDS) if seconds > 0 else None


def can_retry(error: ApiError, *, read: bool) -> bool:
    """Whether a request can be repeated on behalf of the caller.

    A read: after every transient error. A write: only if the first one was certainly not applied.
    """
    if isinstance(error, Unreachable | ServerError | TooManyRequests):
        return read or error.surely_not_applied
    return False
