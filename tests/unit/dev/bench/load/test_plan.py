"""Plans and results of a load."""

from __future__ import annotations

import json

from anka_dev.bench.load.plan import Plan, Result, merge_results


def test_plans_and_results_travel_as_json() -> None:
    plan = Plan(url="http://x", path="/", names=["a"], headers={"A": "b"}, rate=2.5)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    result = Result(2.0, [0.1, 0.3], 10, 0, "", 0.5)
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_several_runs_are_one() -> None:
    whole = merge_results([Result(2.0, [0.1], 10, 0, "", 0.5), Result(1.0, [0.3, 0.2], 5, 1, "late", 0.25)])
    assert whole == Result(3.0, [0.1, 0.3, 0.2], 15, 1, "late", 0.75)
    assert (whole.per_second, whole.bytes_each, whole.load_share, whole.ms(50)) == (1.0, 5.0, 0.25, 200.0)
