"""Whether this Mac's `anka` can be used, in words that say what to do."""

from __future__ import annotations

from anka_agent.anka.errors import AnkaError, MissingCommand
from anka_agent.anka.operations import License, Operations, Version

OLDEST_MAJOR = 2


class Unusable(Exception):
    """A person must do something first; str() is one line that says what."""


async def version(anka: Operations) -> Version:
    """Raises Unusable."""
    try:
        found = await anka.version()
    except MissingCommand as error:
        raise Unusable(f"{error.message}: install Anka on this Mac, or say where it is with --anka PATH") from None
    except AnkaError as error:
        raise Unusable(f"{anka.executable} does not work: {error}; try `{anka.executable} version`") from None
    if not 0 < found.major < OLDEST_MAJOR:
        return found
    raise Unusable(f"Anka {found.version} is too old: install version {OLDEST_MAJOR} or newer")


async def license_(anka: Operations) -> License:
    """Raises Unusable only when anka does not answer: an invalid licence is a state of the node, which is reported."""
    try:
        return await anka.license()
    except AnkaError as error:
        raise Unusable(f"the Anka licence cannot be read: {error}; try `{anka.executable} license show`") from None


def license_trouble(held: License) -> str | None:
    """One line for an invalid licence; None for a valid one."""
    if held.valid:
        return None
    return f"the Anka licence is {held.status or 'missing'}: no VM can start; see `anka license activate`"
