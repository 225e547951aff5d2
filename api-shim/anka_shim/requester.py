"""Who asks for what is written: the annotation of all that REST makes.

A variable of the context rather than a parameter of each command, so that no new command can forget it.
"""

import contextvars

from anka_crds.api.meta import REQUESTED_BY
from anka_crds.rules.text import shorten
from anka_runtime.context_value import ContextValue

LONGEST = 256
"""Characters of a name. Those of keys, and of other sources that we choose, are no longer."""

_name: contextvars.ContextVar[str | None] = contextvars.ContextVar("anka_requester", default=None)


def requested_by(name: str) -> ContextValue[str | None]:
    """What is made inside the block, by this task and the tasks that it starts, is made for this user."""
    return ContextValue(_name, name)


def requester_annotations() -> dict[str, str]:
    """Of an object to be created now. Empty where nobody had to log in."""
    name = _name.get()
    return {} if name is None else {REQUESTED_BY: shorten(name, LONGEST)}
