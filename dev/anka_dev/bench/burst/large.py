"""1,000 instances on 250 Macs with four places each."""

from anka_dev.bench import orchard as peers
from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.burst import Burst
from anka_dev.bench.burst.size import Size


def run(bench: Bench) -> None:
    """All `burst1000.` figures."""
    size = Size(
        "burst1000", instances=bench.size(1000, 16), macs=bench.size(250, 4), slots=4, turns=bench.size(2, 1),
        goals={"times_writes_alone": 1.4},
    )  # fmt: skip
    Burst(bench, size).run(
        {
            "last_created_s": peers.BURST_1000_CREATED_S,
            "last_bound_s": peers.BURST_1000_BOUND_S,
            "last_started_s": peers.BURST_1000_STARTED_S,
            "cpu_s": peers.BURST_1000_CPU_S,
            "rss_mb": peers.BURST_1000_RSS_MB,
        }
    )
