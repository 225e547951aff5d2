"""What an endpoint adds to the line about its request in the access log: which instance, and what CI calls it."""

from collections.abc import Mapping

from starlette.types import Scope

NOTES = "anka.notes"
"""Key in the ASGI scope."""


def note(scope: Scope, **fields: str | None) -> None:
    """Add these fields; None and an empty text add nothing."""
    scope.setdefault(NOTES, {}).update({name: value for name, value in fields.items() if value})


def noted(scope: Scope) -> Mapping[str, str]:
    found: Mapping[str, str] = scope.get(NOTES, {})
    return found
