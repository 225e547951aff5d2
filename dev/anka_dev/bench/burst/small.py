"""100 instances on 50 Macs with two places each."""

from anka_dev.bench import peers
from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.burst import Burst, Size


def run(bench: Bench) -> None:
    """All `burst100.` figures."""
    size = Size("burst100", instances=bench.size(100, 8), macs=bench.size(50, 4), slots=2, goal_seconds=3.0)
    burst = Burst(bench, size)
    burst.run()
    burst.compare(
        {
            "last_started_s": peers.BURST_100_STARTED_S,
            "bound_to_started_p95_s": peers.BURST_100_STARTED_P95_S,
            "cpu_s": peers.BURST_100_CPU_S,
            "rss_mb": peers.BURST_100_RSS_MB,
        }
    )
