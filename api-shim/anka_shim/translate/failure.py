"""What a client did wrong, in the words that it is told."""

from __future__ import annotations

NOT_FOUND = "Not found"
"""Unknown instance, node or template by id; matched word for word by clients (legacy-clients section 0)."""

NOT_IN_REGISTRY = "VM not in the registry"
"""Start of an unknown template; matched word for word."""


class Failure(Exception):
    """A logical failure: answered as HTTP 200 with status FAIL and this message."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def no_such_tag(tag: str) -> str:
    """Jenkins and TeamCity fall back to the latest tag on exactly this text: nothing may follow the tag."""
    return f"No such tag {tag}"
