from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anka_crds.api.node import MacUsage
from anka_shim.node.answer import NodeHeartbeat
from anka_shim.portal.stream.heartbeats import is_worth_showing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USAGE: dict[str, Any] = {"cpu_percent": 50, "ram_percent": 50, "free_disk_bytes": 10**11}


def beat(seconds: float = 0, **usage: Any) -> NodeHeartbeat:
    return NodeHeartbeat(NOW + timedelta(seconds=seconds), MacUsage(**{**USAGE, **usage}))


@pytest.mark.parametrize(
    ("shown", "new", "expected"),
    [
        (None, beat(), True),
        (beat(), beat(10), False),
        (beat(), beat(60), True),
        (beat(), beat(10, cpu_percent=54), False),
        (beat(), beat(10, cpu_percent=55), True),
        (beat(), beat(10, ram_percent=45), True),
        (beat(), beat(10, free_disk_bytes=10**11 - 10**8), False),
        (beat(), beat(10, free_disk_bytes=9 * 10**10), True),
        (NodeHeartbeat(), beat(), True),
        (NodeHeartbeat(NOW), beat(1), True),
        (NodeHeartbeat(NOW), NodeHeartbeat(NOW + timedelta(seconds=1)), False),
    ],
)
def test_is_worth_showing(shown: NodeHeartbeat | None, new: NodeHeartbeat, expected: bool) -> None:
    assert is_worth_showing(shown, new) is expected
