"""What one turn of a burst measured, whoever did the work, and what follows from several turns. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence

from anka_dev.bench.figures import percentile
from anka_dev.bench.usage import ProcessUsage

Measured = dict[str, tuple[float, str]]
"""Value and unit by the figure's name."""


def times(made: Mapping[str, float], bound: Mapping[str, float], started: Mapping[str, float]) -> Measured:
    """From the moments at which each object was made, bound, and started, by name, in seconds of one clock."""
    figures: Measured = {}
    first = min(made.values())
    for name, moments in (("created", made), ("bound", bound), ("started", started)):
        figures[f"last_{name}_s"] = max(moments.values()) - first, "s"
    for name, begun, ended in (
        ("created_to_bound", made, bound),
        ("bound_to_started", bound, started),
        ("created_to_started", made, started),
    ):
        took = [ended[key] - begun[key] for key in ended]
        for percent, short in ((50, "p50"), (95, "p95"), (100, "max")):
            figures[f"{name}_{short}_s"] = percentile(took, percent), "s"
    return figures


def costs(usage: ProcessUsage, control_plane: Collection[str], starts: int) -> Measured:
    """CPU and memory of the roles of the control plane, and the CPU of all others as that of the agents."""
    cloud = [role for role in usage.cpu if role in control_plane]
    cpu = sum(usage.cpu[role] for role in cloud)
    agents = usage.total_cpu - cpu
    figures: Measured = {
        "cpu_s": (cpu, "s"),
        "cpu_ms_per_start": (cpu / starts * 1e3, "ms"),
        "rss_mb": (sum(usage.rss_mib[role] for role in cloud), "MiB"),
    }
    for role in cloud:
        short = role.removesuffix("-1").replace("-", "_")
        figures[f"cpu_{short}_s"] = usage.cpu[role], "s"
        figures[f"rss_{short}_mb"] = usage.rss_mib[role], "MiB"
    figures["cpu_agents_s"] = agents, "s"
    figures["cpu_agents_ms_per_start"] = agents / starts * 1e3, "ms"
    return figures


def medians(turns: Sequence[Measured]) -> Measured:
    """Of each figure that all turns have; none without turns."""
    if not turns:
        return {}
    common = [name for name in turns[0] if all(name in turn for turn in turns)]
    return {name: (statistics.median(turn[name][0] for turn in turns), turns[0][name][1]) for name in common}


def ratios(ours: Measured, theirs: Measured, name: str) -> Measured:
    """Time and CPU of the control plane of others, if they had a turn, as multiples of ours: above 1, ours is ahead."""
    if not theirs:
        return {}
    return {
        f"ratio_vs_{name}": (theirs["last_started_s"][0] / ours["last_started_s"][0], ""),
        f"cpu_ratio_vs_{name}": (theirs["cpu_s"][0] / ours["cpu_s"][0], ""),
    }
