"""An agent on a Mac whose clock is wrong, against a real apiserver: what it writes and judges is in the API's time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.agents import Bench, until

pytestmark = pytest.mark.integration

SKEWED = """
import sys
from datetime import timedelta
from anka_runtime.clock import SystemClock
right = SystemClock.now
SystemClock.now = lambda self: right(self) + timedelta(seconds={off})
from anka_agent.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("clocks")


def node(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bench.kubectl.run("get", "ankanode", bench.mac.name, "--output=json"))
    return found


def near(text: str) -> bool:
    return abs(datetime.fromisoformat(text) - datetime.now(UTC)) < timedelta(seconds=100)


# The measured error is that of a busy machine, too; what the clock's own error would make of a time is further away.
@pytest.mark.parametrize("off", [-240, 720, 86_400, 0])
def test_times_are_the_api_s_whatever_the_mac_s_clock_says(bench: Bench, off: int) -> None:
    agent = bench.mac.agent
    assert agent is not None
    bench.kill()
    at = agent.argv.index("anka_agent") if "anka_agent" in agent.argv else 2
    agent.argv[1 : at + 1] = ["-c", SKEWED.format(off=off)]
    bench.restart()
    agent.argv[1:3] = ["-m", "anka_agent"]
    until(lambda: abs(node(bench)["status"].get("clockAheadSeconds", 10**9) - off) <= 10, what="the measured error")
    # A deadline that began by the API's clock does not fire at once, nor late.
    bench.create("one", startDeadlineSeconds=600)
    status = bench.wait_phase("one", "Started")["status"]
    assert near(status["startedAt"])
    assert near(status["updatedAt"])
    ready = next(one for one in status["conditions"] if one["type"] == "Ready")
    assert near(ready["lastTransitionTime"])
    assert near(node(bench)["status"]["updatedAt"])
    lease = json.loads(bench.kubectl.run("get", "lease", bench.mac.name, "-n=anka-nodes", "--output=json"))
    assert near(lease["spec"]["renewTime"])
    bench.delete("one")
