"""kwok beside a control plane."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from localkube.controlplane.kwok import configuration


def documents(start_seconds: float) -> dict[str, dict[str, Any]]:
    """By kind; a Stage by the kind that it is for."""
    found = list(yaml.safe_load_all(configuration(start_seconds)))
    return {one["spec"]["resourceRef"]["kind"] if one["kind"] == "Stage" else one["kind"]: one for one in found}


@pytest.mark.parametrize(("start_seconds", "milliseconds"), [(2.5, 2500), (0.0004, 0)])
def test_a_start_takes_a_random_time_from_zero(start_seconds: float, milliseconds: int) -> None:
    delay = documents(start_seconds)["Pod"]["spec"]["delay"]
    # kwok takes the jitter as the upper end; without a duration it would be the only value.
    assert delay == {"durationMilliseconds": 0, "jitterDurationMilliseconds": milliseconds}


def test_all_nodes_are_played_at_once_and_nothing_waits_for_another_node() -> None:
    found = documents(1)
    options = found["KwokConfiguration"]["options"]
    assert options["manageAllNodes"] is True
    assert options["podPlayStageParallelism"] > 4
    assert options["nodeLeaseDurationSeconds"] == 40
    assert "delay" not in found["Node"]["spec"]


def test_what_is_done_once_is_not_done_again() -> None:
    """A stage whose selector its own result matches would write without end."""
    found = documents(1)
    [ready] = found["Node"]["spec"]["selector"]["matchExpressions"]
    assert (ready["operator"], ready["values"]) == ("NotIn", ["True"])
    [pending] = found["Pod"]["spec"]["selector"]["matchExpressions"]
    assert pending == {"key": ".status.phase", "operator": "In", "values": ["Pending"]}
    assert "phase: Running" in found["Pod"]["spec"]["next"]["statusTemplate"]
