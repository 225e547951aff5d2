"""Words of command lines that come from outside: people, the registry, `anka` itself. Pure."""

from collections.abc import Iterable

from anka_agent.anka.errors import UnusableArgument

SHOWN = 60
"""Characters of an argument that a message quotes."""


class Argument(str):
    """Such a word: it is never an option."""

    __slots__ = ()


def check_words(words: Iterable[str], command: str) -> None:
    """Raises UnusableArgument for what `anka` would take for an option, and for what no system call takes.

    `anka` has no documented `--`: what looks like an option cannot be said to it."""
    for word in words:
        if isinstance(word, Argument) and word.startswith("-"):
            raise UnusableArgument(f"{word[:SHOWN]!r} begins with '-': give it another name", command=command)
        if "\0" in word or (not word.isascii() and any("\ud800" <= char <= "\udfff" for char in word)):
            raise UnusableArgument(f"{word[:SHOWN]!r} has a character that no command line takes", command=command)
