"""What turns of a burst measured."""

from __future__ import annotations

import pytest

from anka_dev.bench.burst.measured import costs, medians, ratios, times
from anka_dev.bench.usage import ProcessUsage


def test_times_count_from_the_first_object_and_for_each_object() -> None:
    figures = times({"a": 10.0, "b": 11.0}, {"a": 10.5, "b": 13.0}, {"a": 14.0, "b": 13.5})
    assert figures["last_created_s"] == (1.0, "s")
    assert figures["last_bound_s"] == (3.0, "s")
    assert figures["last_started_s"] == (4.0, "s")
    assert figures["created_to_bound_p50_s"] == (0.5, "s")
    assert figures["created_to_bound_max_s"] == (2.0, "s")
    assert figures["bound_to_started_p95_s"] == (3.5, "s")
    assert figures["created_to_started_max_s"] == (4.0, "s")


def test_who_is_not_of_the_control_plane_is_an_agent() -> None:
    usage = ProcessUsage(
        cpu={"kube-apiserver": 3.0, "operator-1": 1.0, "agents-1": 0.5, "agents-2": 0.25},
        rss_mib={"kube-apiserver": 300.0, "operator-1": 60.0, "agents-1": 100.0, "agents-2": 100.0},
    )
    figures = costs(usage, ["kube-apiserver", "operator-1", "not there"], 100)
    assert figures == {
        "cpu_s": (4.0, "s"),
        "cpu_ms_per_start": (40.0, "ms"),
        "rss_mb": (360.0, "MiB"),
        "cpu_kube_apiserver_s": (3.0, "s"),
        "rss_kube_apiserver_mb": (300.0, "MiB"),
        "cpu_operator_s": (1.0, "s"),
        "rss_operator_mb": (60.0, "MiB"),
        "cpu_agents_s": (0.75, "s"),
        "cpu_agents_ms_per_start": (7.5, "ms"),
    }


@pytest.mark.parametrize(("values", "median"), [([5.0], 5.0), ([9.0, 1.0, 2.0], 2.0), ([1.0, 2.0], 1.5)])
def test_medians_of_turns(values: list[float], median: float) -> None:
    turns = [{"last_started_s": (value, "s")} for value in values]
    assert medians(turns) == {"last_started_s": (median, "s")}


def test_a_figure_that_one_turn_lacks_has_no_median() -> None:
    assert medians([{"a": (1.0, "s"), "b": (1.0, "s")}, {"a": (3.0, "s")}]) == {"a": (2.0, "s")}


def test_without_turns_there_is_nothing() -> None:
    assert medians([]) == ratios({"last_started_s": (10.0, "s")}, {}, "pods") == {}


def test_a_ratio_above_one_means_that_we_are_ahead() -> None:
    ours = {"last_started_s": (10.0, "s"), "cpu_s": (40.0, "s")}
    theirs = {"last_started_s": (15.0, "s"), "cpu_s": (20.0, "s")}
    assert ratios(ours, theirs, "pods") == {"ratio_vs_pods": (1.5, ""), "cpu_ratio_vs_pods": (0.5, "")}
