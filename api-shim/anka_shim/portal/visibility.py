"""Which rows somebody may see, of the kinds that they may list."""

from collections.abc import Hashable
from typing import Protocol


class Visibility(Protocol):
    """Who has the same key sees the same: messages are then made once for all of them."""

    @property
    def key(self) -> Hashable:
        """Another one whenever something else is seen."""

    def shows(self, kind: str, id_: str) -> bool: ...


class FullVisibility:
    """For all, where permissions are about kinds and not about single objects."""

    key: Hashable = None

    def shows(self, kind: str, id_: str) -> bool:
        return True


EVERYTHING = FullVisibility()
