"""How Macs are shared out among processes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_dev.bench.burst.fleet_process import share_out


@given(macs=st.integers(1, 2000), processes=st.integers(1, 9))
def test_every_mac_is_in_one_share_and_shares_are_equal(macs: int, processes: int) -> None:
    shares = share_out(macs, 2, processes)
    assert [mac for share in shares for mac in range(share.first, share.first + share.macs)] == list(range(macs))
    assert len(shares) == min(macs, processes)
    assert max(share.macs for share in shares) - min(share.macs for share in shares) <= 1
