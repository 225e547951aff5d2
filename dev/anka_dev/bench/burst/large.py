"""1,000 instances on 250 Macs with four places each."""

from anka_dev.bench import peers
from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.burst import Burst, Size


def run(bench: Bench) -> None:
    """All `burst1000.` figures."""
    size = Size("burst1000", instances=bench.size(1000, 16), macs=bench.size(250, 4), slots=4, goal_seconds=6.4)
    burst = Burst(bench, size)
    burst.run()
    burst.compare(
        {
            "last_created_s": peers.BURST_1000_CREATED_S,
            "last_bound_s": peers.BURST_1000_BOUND_S,
            "last_started_s": peers.BURST_1000_STARTED_S,
            "cpu_s": peers.BURST_1000_CPU_S,
            "rss_mb": peers.BURST_1000_RSS_MB,
        }
    )
