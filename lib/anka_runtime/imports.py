"""Imports of whole programs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """What is imported in the block stays: to look for garbage in it, again and again while it grows, takes a fifth
    of a start's CPU or more. Nor is it looked at later. What remains taken is
    too much for an agent: 1 MB."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
