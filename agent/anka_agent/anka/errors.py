"""What can go wrong with a call of `anka`."""

from __future__ import annotations

NOT_FOUND = 3
"""No such VM, template or tag (legacy-clients section 3)."""
ALREADY_EXISTS = 18
"""A VM of that name is there already (the same)."""


class AnkaError(Exception):
    """The command answered ERROR. `code` is its own error code, str() its own message."""

    transient = False
    """Whether the same call may well succeed a moment later."""

    def __init__(self, message: str, code: int = 1, *, command: str = "") -> None:
        super().__init__(message)
        self.message = " ".join(message.split())[:1000]
        self.code = code
        self.command = command

    def __str__(self) -> str:
        return f"anka {self.command}: {self.message}" if self.command else self.message


class NotFoundError(AnkaError):
    """The VM, template or tag is not there."""


class AlreadyExistsError(AnkaError):
    """The name is taken."""


class NoRoomError(AnkaError):
    """What is to be pulled does not fit on the disk; no command was run."""


class CommandTimeout(AnkaError):
    """The command did not end in time and was killed. What it did until then is unknown."""

    transient = True


class ConnectionLost(AnkaError):
    """`anka run` lost the VM (legacy-clients section 3)."""

    CODE = 125
    transient = True


class GarbageError(AnkaError):
    """The command ended, but its output is not what `anka --machine-readable` prints."""

    transient = True


class MissingCommand(AnkaError):
    """There is no such executable, or it cannot be executed."""


def from_answer(message: str, code: int, command: str) -> AnkaError:
    kind = {NOT_FOUND: NotFoundError, ALREADY_EXISTS: AlreadyExistsError}.get(code, AnkaError)
    return kind(message or f"failed with code {code}", code, command=command)
