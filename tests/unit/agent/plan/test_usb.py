"""Which device a VM is started with, as a table."""

from __future__ import annotations

import pytest

from anka_agent.plan.usb import Device, device_for

A = Device("1", frozenset({"iphones", "iPhone A"}))
B = Device("2", frozenset({"iphones", "iPhone B"}))
BUSY = Device("2", frozenset({"iphones"}), available=False)

CASES = {
    "none": ((None, None, [A], set()), None),
    "no longer": ((None, "1", [A], set()), None),
    "booked by its group": (("iphones", "2", [A, B], {"1"}), "2"),
    "booked by its location": (("2", "2", [A, B], set()), "2"),
    "booked, and busy with this very VM": (("iphones", "2", [A, BUSY], set()), "2"),
    "booked, and unplugged": (("2", "2", [A], set()), "2"),
    "booked, but another got it meanwhile": (("iphones", "2", [A, B], {"2"}), "1"),
    "another is asked for": (("1", "2", [A, B], set()), "1"),
    "another group": (("iPhone A", "2", [A, B], set()), "1"),
    "first free of the group": (("iphones", None, [B, A], set()), "1"),
    "first is taken": (("iphones", None, [A, B], {"1"}), "2"),
    "first is busy with somebody unknown": (("iphones", None, [BUSY, A], set()), "1"),
    "nothing free: anka says so": (("iphones", None, [A, B], {"1", "2"}), "iphones"),
    "its own was given away, nothing else": (("2", "2", [A, B], {"2"}), "2"),
    "unknown": (("ipad", "2", [A, B], set()), "ipad"),
}


@pytest.mark.parametrize(("given", "device"), CASES.values(), ids=CASES)
def test_device_for(given: tuple[str | None, str | None, list[Device], set[str]], device: str | None) -> None:
    assert device_for(*given) == device
