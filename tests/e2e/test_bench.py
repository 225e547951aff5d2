"""The benchmarks run, at tiny sizes: their names are what others compare by. Their figures say nothing here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from anka_dev.local_kubernetes import environment
from localkube.programs import binaries

pytestmark = pytest.mark.e2e

NAMES = {
    "rest": """list1000_p50_ms list1000_p99_ms list1000_bytes list1000_per_s_c1 list1000_per_s_c8 get_per_s_c1
        get_per_s_c8 get_p50_ms post_per_s post_ratio_vs_raw_create post_p50_ms_at_50 post_p99_ms_at_50 delete_per_s
        shim_rss_mb post_shim_cpu_ms get_shim_cpu_ms list1000_shim_cpu_ms get_load_share_c8""",
    "access": """get_none_per_s post_none_per_s get_root_ratio get_session_ratio get_token_ratio get_certificate_ratio
        post_root_ratio post_session_ratio post_token_ratio post_certificate_ratio post_handshake_p50_ms_at_50
        post_handshake_p99_ms_at_50 filtered_list_ratio vm_list_cpu_ms vm_list_of_one_group_cpu_ms
        vm_list_of_all_groups_cpu_ms node_list_cpu_ms node_list_of_one_group_cpu_ms node_list_of_all_groups_cpu_ms""",
    "burst100": """start_ended_to_started_p50_ms
        writes_alone_s writes_alone_cpu_s
        last_created_s last_bound_s last_started_s created_to_bound_p50_s bound_to_started_p95_s
        created_to_started_max_s writes_per_start cpu_s rss_mb cpu_kube_apiserver_s cpu_operator_s
        cpu_ms_per_start cpu_agents_ms_per_start times_writes_alone""",
    "watches": "unwatched_4_apiserver_cpu_ms filtered_4_apiserver_cpu_ms named_4_apiserver_cpu_ms",
    "scale4": """join_s first_sight_s start_apiserver_cpu_ms idle_apiserver_percent idle_operator_percent
        idle_shim_percent token_apiserver_cpu_ms
        idle_agent_percent rss_operator_mb rss_shim_mb rss_agent_mb rss_many_agents_mb_each idle_leases_writes_per_s
        list_p99_ms get_p99_ms get_per_s_c8 relist_paged_apiserver_cpu_ms relist_unpaged_apiserver_cpu_ms
        leader_killed_to_first_bind_s crd_all_back_s crd_instances_back_s crd_peak_requests_per_s
        crd_macs_offline crd_apiserver_cpu_s
        down_all_back_s down_peak_requests_per_s down_macs_offline down_apiserver_cpu_s""",
}
OF_PODS = {
    "burst100": """ratio_vs_pods cpu_ratio_vs_pods ratio_vs_pods_watched cpu_ratio_vs_pods_watched
        pods_s pods_last_bound_s pods_cpu_s pods_cpu_ms_per_start pods_cpu_kube_apiserver_s pods_cpu_etcd_s
        pods_cpu_kube_controller_manager_s pods_cpu_kube_scheduler_s pods_cpu_kwok_s pods_writes_per_start
        pods_watched_s pods_watched_cpu_s""",
}
PROGRAMS = binaries.find_pod_programs(environment())
"""Of kube-scheduler and kwok, which Pods take and only benchmarks need: to build them would take longer than all of
this."""
Figures = dict[str, float]


def missing(names: dict[str, str], figures: Figures) -> set[str]:
    return {f"{group}.{name}" for group, listed in names.items() for name in listed.split()} - figures.keys()


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Of a quick run, with Pods where there can be some."""
    directory = tmp_path_factory.mktemp("bench")
    output = directory / "bench.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "anka_dev", "bench", "--quick", "--only=rest,burst.100,watches,access,scale",
            f"--output={output}", f"--directory={directory / 'work'}", *([] if len(PROGRAMS) == 2 else ["--no-pods"]),
        ],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    found: Figures = json.loads(output.read_text())
    assert all(name in done.stdout for name in found)
    return found


def test_quick_run(figures: Figures) -> None:
    assert not missing(NAMES, figures)
    assert all(isinstance(value, int | float) and math.isfinite(value) for value in figures.values())
    # One create by the shim, one bind by the operator, one Started by the agent.
    assert figures["burst100.writes_per_start"] == pytest.approx(3, abs=0.5)
    # A storm ends all watches: two of each of four agents, those of two operators and of the shim were opened again.
    assert figures["scale4.crd_requests"] > 2 * 4
    assert figures["scale4.crd_macs_offline"] == figures["scale4.down_macs_offline"] == 0


@pytest.mark.skipif(len(PROGRAMS) < 2, reason="no kube-scheduler and kwok in the cache: anka-dev bench builds them")
def test_pods_beside_ours(figures: Figures) -> None:
    assert not missing(OF_PODS, figures)
    # One create, one Binding by kube-scheduler, one Running by kwok.
    assert figures["burst100.pods_writes_per_start"] == pytest.approx(3, abs=0.5)


def test_an_unknown_benchmark_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "anka_dev", "bench", "--only=nonsense", f"--directory={tmp_path / 'work'}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("anka-dev bench: --only: there is no benchmark 'nonsense': there are ")
    assert len(done.stderr.splitlines()) == 1
