"""What real processes tell Prometheus after a few lives agrees with what is in the API."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable

import pytest

from anka_dev.cloud import LocalCloud
from support.cloud import TEMPLATE
from support.scrape import Scrape

pytestmark = pytest.mark.e2e
SLOTS = 8


def manifest(name: str, **spec: str) -> str:
    return json.dumps(
        {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": "AnkaInstance",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"template": TEMPLATE, **spec},
        }
    )


def until(look: Callable[[], Scrape], true: Callable[[Scrape], bool]) -> Scrape:
    deadline = time.monotonic() + 60
    while not true(seen := look()):
        assert time.monotonic() < deadline, "the metrics never came to agree with the objects"
    return seen


def test_after_a_few_lives(cloud: LocalCloud) -> None:
    names = [f"metric-{number}" for number in range(3)]
    for name in names:
        cloud.kubectl.run("apply", "--filename=-", stdin=manifest(name))
    cloud.kubectl.run("apply", "--filename=-", stdin=manifest("metric-lost", template="no-such-template"))
    for name in names:
        cloud.wait_for(f"ankainstance/{name}", "condition=Ready")
    cloud.wait_for("ankainstance/metric-lost", "condition=Scheduled=False")
    cloud.kubectl.run("delete", "ankainstance", names[0])
    cloud.rest("GET", "/api/v1/vm")

    items = json.loads(cloud.kubectl.run("get", "ankainstances", "--output=json"))["items"]
    phases = Counter(item["status"]["phase"] for item in items)
    leader = cloud.operators[0]
    seen = until(
        lambda: Scrape.of(leader.metrics()),
        lambda seen: seen.sums("anka_operator_instances", "phase") == phases,
    )
    assert phases == {"Started": 2, "Scheduling": 1}
    assert seen.sums("anka_operator_instances", "template") == {TEMPLATE: 2, "other": 1}
    assert seen.sums("anka_operator_instances", "namespace") == {"default": 3}
    assert seen.total("anka_operator_capacity", resource="vms") == SLOTS
    assert seen.total("anka_operator_used", resource="vms") == 2
    assert seen.total("anka_operator_node_used") == 2
    assert seen.total("anka_operator_start_seconds_count", template=TEMPLATE) == 3
    assert seen.total("anka_operator_scheduling_seconds_count", template=TEMPLATE) == 3
    assert seen.total("anka_operator_bound_total") == 3
    assert seen.sums("anka_operator_pending_instances", "reason")["TemplateNotFound"] == 1
    assert seen.total("anka_operator_oldest_pending_seconds") > 0
    assert seen.sums("anka_operator_node_state", "node") == dict.fromkeys(cloud.macs, 1)
    assert all(free > 0 for free in seen.sums("anka_operator_node_disk_free_bytes", "node").values())
    assert seen.total("anka_operator_leader") == seen.total("anka_operator_registry_up") == 1
    assert seen.total("anka_kube_requests_total", resource="ankainstances.anka.veertu.com") > 3
    # Counted once the answer is out.
    until(
        lambda: Scrape.of(cloud.shims[0].metrics()),
        lambda seen: seen.total("anka_shim_request_seconds_count", route="/api/v1/vm") >= 1,
    )
    for name, mac in cloud.macs.items():
        assert mac.agent is not None
        agent = mac.agent
        running = sum(item["status"].get("nodeName") == name for item in items)
        # An agent looks at its VMs every other second.
        until(
            lambda agent=agent: Scrape.of(agent.metrics()),  # type: ignore[misc]
            lambda seen, running=running: seen.total("anka_agent_vms", status="running") == running,  # type: ignore[misc]
        )


def test_who_stands_by_counts_nothing_a_second_time(cloud: LocalCloud) -> None:
    standby = cloud.start_operator()
    standby.wait_ready()
    objects = {"resource": "ankainstances.anka.veertu.com"}
    seen = until(
        lambda: Scrape.of(standby.metrics()), lambda seen: seen.total("anka_kube_cache_objects", **objects) == 3
    )
    cloud.operators.remove(standby)
    standby.stop()
    assert seen.total("anka_operator_leader") == 0
    assert not [name for name in seen.samples if name.startswith(("anka_operator_instances", "anka_operator_node_"))]
