"""Runs a plan in a process of its own, so that the load never competes with the measuring for one interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

from anka_dev.bench.load.plan import Plan, Result
from localkube.errors import DevError

_PATIENCE_SECONDS = 600.0


def run_load(plan: Plan) -> Result:
    """Run the plan; DevError when the server cannot be reached, or any answer was bad: failures have no figures."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "anka_dev.bench.load"],
            input=json.dumps(plan.to_json()),
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise DevError(f"{_what(plan)}: not done after {_PATIENCE_SECONDS:g} s") from None
    if done.returncode:
        raise DevError(f"{_what(plan)}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    result = Result.from_json(json.loads(done.stdout))
    if result.failure or not result.latencies:
        total = result.failed + len(result.latencies)
        raise DevError(f"{_what(plan)}: {result.failed} of {total} failed: {result.failure or 'nothing was answered'}")
    return result


def _what(plan: Plan) -> str:
    return f"{plan.method} {plan.url}{plan.path}"
