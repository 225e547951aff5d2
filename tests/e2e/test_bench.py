"""The benchmarks run, at tiny sizes: their names are what others compare by. Their figures say nothing here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

NAMES = {
    "rest": """list1000_p50_ms list1000_p99_ms list1000_bytes list1000_per_s_c1 list1000_per_s_c8 get_per_s_c1
        get_per_s_c8 get_p50_ms post_per_s post_ratio_vs_raw_create post_p50_ms_at_50 post_p99_ms_at_50 delete_per_s
        shim_rss_mb post_shim_cpu_ms get_shim_cpu_ms list1000_shim_cpu_ms get_load_share_c8""",
    "burst100": """start_ended_to_started_p50_ms
        writes_alone_s writes_alone_cpu_s
        last_created_s last_bound_s last_started_s created_to_bound_p50_s bound_to_started_p95_s
        created_to_started_max_s writes_per_start cpu_s rss_mb cpu_kube_apiserver_s cpu_operator_s""",
}


def test_quick_run(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "anka_dev", "bench", "--quick", "--only=rest,burst.100",
            f"--output={output}", f"--directory={tmp_path / 'work'}",
        ],
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    figures = json.loads(output.read_text())
    missing = {f"{group}.{name}" for group, names in NAMES.items() for name in names.split()} - figures.keys()
    assert not missing
    assert all(isinstance(value, int | float) and math.isfinite(value) for value in figures.values())
    assert all(name in done.stdout for name in figures)
    # One create by the shim, one bind by the operator, one Started by the agent.
    assert figures["burst100.writes_per_start"] == pytest.approx(3, abs=0.5)


def test_an_unknown_benchmark_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "anka_dev", "bench", "--only=nonsense", f"--directory={tmp_path / 'work'}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("anka-dev bench: --only: there is no benchmark 'nonsense': there are ")
    assert len(done.stderr.splitlines()) == 1
