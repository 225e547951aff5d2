"""100 instances on 50 Macs with two places each."""

from anka_dev.bench import orchard as peers
from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.burst import Burst
from anka_dev.bench.burst.size import Size


def run(bench: Bench) -> None:
    """All `burst100.` figures."""
    size = Size(
        "burst100", instances=bench.size(100, 8), macs=bench.size(50, 4), slots=2, turns=bench.size(3, 1),
        goals={"last_started_s": 3.0},
    )  # fmt: skip
    Burst(bench, size).run(
        {
            "last_started_s": peers.BURST_100_STARTED_S,
            "bound_to_started_p95_s": peers.BURST_100_STARTED_P95_S,
            "cpu_s": peers.BURST_100_CPU_S,
            "rss_mb": peers.BURST_100_RSS_MB,
        }
    )
