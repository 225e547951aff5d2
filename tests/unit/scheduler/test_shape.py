"""What makes two instances alike, and which of them wait."""

from __future__ import annotations

from typing import Any

import pytest

from anka_scheduler.shape import is_pending, to_shape
from support.objects import instance


def test_only_what_matters_to_the_choice_of_a_node() -> None:
    assert to_shape(instance("a", priority=1, displayName="x")) == to_shape(instance("b", tag=""))
    kinds: list[dict[str, Any]]
    kinds = [{}, {"tag": "v1"}, {"version": 0}, {"node": "mac-1"}, {"group": "ios"}, {"template": "other"}]
    kinds += [{"usbDevice": "iphone7"}, {"network": {"vlan": "12"}}]
    kinds += [{"portForwarding": [{"name": "a", "guestPort": 22, "hostPort": port}]} for port in (10022, 10023)]
    kinds += [{"status": {"refusals": [{"nodeName": "mac-1", "reason": "x", "message": "x"}]}}]
    kinds += [{"resources": {"vcpu": 4}}, {"resources": {"memoryMib": 4096}}]
    assert len({to_shape(instance(**spec)) for spec in kinds}) == len(kinds)


@pytest.mark.parametrize(
    ("status", "meta", "wanted"),
    [
        ({}, {}, True),
        ({"phase": "Scheduling"}, {}, True),
        ({"nodeName": "mac-1"}, {}, False),
        ({"phase": "Error"}, {}, False),
        ({}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, False),
    ],
)
def test_is_pending(status: dict[str, str], meta: dict[str, str], wanted: bool) -> None:
    assert is_pending(instance(status=status, meta=meta)) is wanted
