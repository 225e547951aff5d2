"""Which figures a burst has, and what they are beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.measured import Measured
from anka_dev.bench.burst.report import report
from anka_dev.bench.burst.size import Size
from anka_dev.bench.figures import Figure, PeerFigure

ORCHARD = PeerFigure("Orchard", 5.0)
SIZE = Size("burst9", instances=9, macs=3, slots=3, turns=1, goals={"times_writes_alone": 1.4})


def turn(seconds: float, cpu: float) -> Measured:
    return {
        "last_started_s": (seconds, "s"),
        "created_to_bound_p50_s": (seconds / 2, "s"),
        "cpu_s": (cpu, "s"),
        "rss_mb": (100.0, "MiB"),
        "cpu_agents_s": (cpu / 4, "s"),
        "cpu_ms_per_start": (cpu / 9 * 1e3, "ms"),
    }


@pytest.fixture
def figures(tmp_path: Path) -> dict[str, Figure]:
    bench = Bench(tmp_path, quick=False, say=print)
    ours = {**turn(4.0, 8.0), "writes_alone_s": (2.0, "s")}
    report(bench, SIZE, ours, turn(3.0, 4.0), turn(8.0, 6.0), {"last_started_s": ORCHARD})
    return {figure.name.removeprefix("burst9."): figure for figure in bench.figures}


def test_ours_are_beside_those_of_pods_and_of_other_peers(figures: dict[str, Figure]) -> None:
    assert figures["last_started_s"].peers == [PeerFigure("Pods", 3.0), ORCHARD]
    assert figures["created_to_bound_p50_s"].peers == [PeerFigure("Pods", 1.5)]
    assert figures["writes_alone_s"].peers == []


def test_without_pods_ours_are_beside_the_other_peers(tmp_path: Path) -> None:
    bench = Bench(tmp_path, quick=False, say=print, with_pods=False)
    ours = {**turn(4.0, 8.0), "writes_alone_s": (2.0, "s")}
    report(bench, SIZE, ours, {}, {}, {"last_started_s": ORCHARD})
    figures = {figure.name.removeprefix("burst9."): figure for figure in bench.figures}
    assert figures["last_started_s"].peers == [ORCHARD]
    assert [name for name in figures if "pods" in name] == []


def test_what_follows_from_ours_and_theirs(figures: dict[str, Figure]) -> None:
    followed = {name: (figures[name].value, figures[name].is_met) for name in figures if "ratio" in name}
    assert followed == {
        "ratio_vs_pods": (0.75, False),
        "cpu_ratio_vs_pods": (0.5, False),
        "ratio_vs_pods_watched": (2.0, None),
        "cpu_ratio_vs_pods_watched": (0.75, None),
    }
    assert (figures["times_writes_alone"].value, figures["times_writes_alone"].is_met) == (2.0, False)
    assert figures["cpu_ms_per_start"].goal == 15.0


def test_the_turns_of_pods_have_names_of_their_own(figures: dict[str, Figure]) -> None:
    theirs = {name: figure.value for name, figure in figures.items() if name.startswith("pods_")}
    assert theirs == {
        "pods_s": 3.0,
        "pods_cpu_s": 4.0,
        "pods_cpu_kwok_s": 1.0,
        "pods_cpu_ms_per_start": pytest.approx(444, abs=1),
        "pods_watched_s": 8.0,
        "pods_watched_cpu_s": 6.0,
        "pods_watched_cpu_kwok_s": 1.5,
        "pods_watched_cpu_ms_per_start": pytest.approx(667, abs=1),
    }
