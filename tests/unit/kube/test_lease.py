from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from anka_kube.lease import Lease, micro_time
from anka_kube.unstructured import Meta


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:04:05.000067Z"),
    ],
)
def test_micro_time_has_six_digits_in_utc(moment: datetime, text: str) -> None:
    assert micro_time(moment) == text


def test_round_trip() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    lease = Lease(Meta("l", "ns", "u", "7"), "me", 15, now, now, 3)
    assert Lease.parse(lease.dump()) == lease


@pytest.mark.parametrize("spec", [{}, None, {"holderIdentity": ""}])
def test_a_free_lease_has_no_holder(spec: object) -> None:
    lease = Lease.parse({"metadata": {"name": "l"}, "spec": spec})
    assert (lease.holder, lease.renew_time, lease.transitions) == (None, None, 0)
