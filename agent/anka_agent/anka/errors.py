"""How a call of `anka` can fail."""

NOT_FOUND = 3
"""No such VM, template or tag (docs/reference/legacy-api.md#anka-codes)."""
ALREADY_EXISTS = 18
"""A VM with that name exists (docs/reference/legacy-api.md#anka-codes)."""


class AnkaError(Exception):
    """The command answered ERROR. `code` is its own error code, str() its own message."""

    transient = False
    """Whether the same call may succeed a moment later."""

    def __init__(self, message: str, code: int = 1, *, command: str = "") -> None:
        super().__init__(message)
        self.message = " ".join(message.split())[:1000]
        self.code = code
        self.command = command

    def __str__(self) -> str:
        return f"anka {self.command}: {self.message}" if self.command else self.message


class NotFoundError(AnkaError):
    """The VM, template or tag does not exist."""


class AlreadyExistsError(AnkaError):
    """The name is taken."""


class NoRoomError(AnkaError):
    """What is to be pulled does not fit on the disk; no command was run."""


class CommandTimeout(AnkaError):
    """The command did not end in time and was killed. What it did until then is unknown."""

    transient = True


class ConnectionLost(AnkaError):
    """`anka run` lost the VM (docs/reference/legacy-api.md#anka-codes)."""

    CODE = 125
    transient = True


class GarbageError(AnkaError):
    """The command ended, but its output is not what `anka --machine-readable` prints."""

    transient = True


class MissingCommand(AnkaError):
    """The executable does not exist or cannot be run."""


class UnusableArgument(AnkaError):
    """A text from outside cannot be a word of a command line; no command was run."""


class AgentFault(AnkaError):
    """The agent itself failed. It may be the moment, but must not be tried for ever."""

    transient = True


def from_answer(message: str, code: int, command: str) -> AnkaError:
    kind = {NOT_FOUND: NotFoundError, ALREADY_EXISTS: AlreadyExistsError}.get(code, AnkaError)
    return kind(message or f"failed with code {code}", code, command=command)
