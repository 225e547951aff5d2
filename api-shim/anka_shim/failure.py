"""Failures of a request, with the message that its client gets."""

from typing import TypeVar

T = TypeVar("T")

NOT_FOUND = "Not found"
"""Unknown instance, node or template by id; clients match it (docs/reference/legacy-api.md#exact-messages)."""

NOT_IN_REGISTRY = "VM not in the registry"
"""A start names an unknown template; clients match it word for word."""


UNAUTHORIZED = "Not authorized to perform this request"


class Failure(Exception):
    """Answered with status FAIL and this message. `code`: HTTP status, 200 for what is about a request's content;
    `retry_after`: seconds after which the same may succeed."""

    def __init__(self, message: str, *, code: int = 200, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retry_after = retry_after


def require_found(value: T | None) -> T:
    """Raises Failure for None."""
    if value is None:
        raise Failure(NOT_FOUND)
    return value


def forbidden() -> Failure:
    """For who is known and must not do this."""
    return Failure(UNAUTHORIZED, code=403)


def no_such_tag(tag: str) -> str:
    """Jenkins and TeamCity fall back to the latest tag on exactly this text: nothing may follow the tag."""
    return f"No such tag {tag}"


def quote(value: object) -> str:
    """The value as quoted in a message: short, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def refuse(name: str, what: str, value: object) -> Failure:
    """The failure of one parameter: what is wrong with it, and what was given."""
    return Failure(f"{name}: {what} (given: {quote(value)})")
