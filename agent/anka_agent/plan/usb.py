"""Which USB device of the Mac a VM is started with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """A device of this Mac, by its location; `names` are those that instances may ask for: group and name."""

    location: str
    names: frozenset[str] = frozenset()
    available: bool = True

    def is_meant_by(self, wanted: str) -> bool:
        return wanted == self.location or wanted in self.names


def device_for(wanted: str | None, booked: str | None, devices: Sequence[Device], taken: Collection[str]) -> str | None:
    """Location of the device for an instance that asks for `wanted` and has `booked`; `taken` are the locations that
    other instances have.

    What is booked stays, as long as it is what is asked for and nobody got it while the VM was stopped: told the name
    of a group, `anka` would take any device of it, perhaps one that is booked for somebody else. With nothing free,
    `wanted` itself: `anka` says what is wrong.
    """
    if wanted is None:
        return None
    fitting = sorted((one for one in devices if one.is_meant_by(wanted)), key=lambda one: one.location)
    kept = booked is not None and (booked == wanted or any(one.location == booked for one in fitting))
    if kept and booked not in taken:
        return booked
    free = [one.location for one in fitting if one.available and one.location not in taken]
    return free[0] if free else wanted
