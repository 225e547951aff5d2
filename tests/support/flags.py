"""The flags of a process, by the names that people give them."""

from __future__ import annotations

from pydantic import BaseModel


def default_of(settings: type[BaseModel], flag: str) -> object:
    """Default of a flag, given without its dashes; None when it is computed. KeyError when there is no such flag."""
    field = settings.model_fields[flag.replace("-", "_")]
    return None if field.default_factory is not None else field.default
