"""The two ways in which a client fails."""

from __future__ import annotations


class Broken(Exception):
    """An exception of the client's own language that its code does not expect: the answer was not what it relies on."""


class Reported(Exception):
    """The client gives up in its own words: this is what its user reads."""
