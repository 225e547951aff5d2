"""The figures of a burst, ours beside those of Pods."""

from __future__ import annotations

from collections.abc import Mapping

from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.measured import Measured, ratios
from anka_dev.bench.burst.size import Size
from anka_dev.bench.figures import PeerFigure

_GOALS = {
    # From the end of `anka start` to Started, half of the VMs: the old controller hears of it with the next heartbeat.
    "start_ended_to_started_p50_ms": 150.0,
    "cpu_ms_per_start": 15.0,
    "cpu_agents_ms_per_start": 3.5,
    "ratio_vs_pods": 1.0,
    "cpu_ratio_vs_pods": 1.0,
}
_NAMES_OF_PODS = {
    "last_started_s": "s",
    "cpu_agents_s": "cpu_kwok_s",
    "cpu_agents_ms_per_start": "cpu_kwok_ms_per_start",
}


def report(
    bench: Bench, size: Size, ours: Measured, pods: Measured, watched: Measured, peers: Mapping[str, PeerFigure]
) -> None:
    """Record `ours`, beside what `pods` has of the same name and beside `peers`, and then what the Pods' turns had,
    as `pods_…` and `pods_watched_…`. Both are empty without such turns."""
    goals = {**_GOALS, **size.goals}
    ours = {
        **ours,
        "times_writes_alone": (ours["last_started_s"][0] / ours["writes_alone_s"][0], ""),
        **ratios(ours, pods, "pods"),
        **ratios(ours, watched, "pods_watched"),
    }
    for name, (value, unit) in ours.items():
        beside = [PeerFigure("Pods", pods[name][0])] if name in pods else []
        if name in peers:
            beside.append(peers[name])
        record = bench.more if "ratio_vs_" in name else bench.less
        record(f"{size.name}.{name}", value, unit, goal=goals.get(name), peers=beside)
    for prefix, theirs in (("pods", pods), ("pods_watched", watched)):
        for name, (value, unit) in theirs.items():
            # Percentiles and memory are only beside ours.
            if "_to_" not in name and not name.startswith("rss_"):
                bench.less(f"{size.name}.{prefix}_{_NAMES_OF_PODS.get(name, name)}", value, unit)
