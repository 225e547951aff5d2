"""Two operators, one Lease: whoever dies, nothing is lost, nothing doubled; how a process ends; what goes first."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anka_crds.api import AnkaInstance, NodeState
from anka_crds.resources import INSTANCES, NODES
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.install import ensure_node_account
from anka_dev.cloud.service import Service
from anka_dev.dashboards.boards import BOARDS
from anka_kube.lease import LEASES
from anka_kube.store import EventType
from anka_operator.cluster.access import AnkaCluster
from support.operators import OPERATOR_FLAGS, SECONDS, Fleet, find_leader, until

pytestmark = pytest.mark.integration


async def leader_is(fleet: Fleet, service: Service) -> None:
    """`start_operator` makes the service's name the identity of the process."""
    await fleet.see(LEASES, "anka-operator", lambda lease: lease.holder == service.name, "anka-system")


def ended(service: Service, seconds: float = SECONDS) -> None:
    """Return once it has ended by itself: a second SIGTERM on its way out would be what ends it."""
    deadline = time.monotonic() + seconds
    while service.running:
        assert time.monotonic() < deadline, f"{service.name} goes on"
        time.sleep(0.05)


def bound(fleet: Fleet) -> int:
    return sum(1 for instance in fleet.instances if instance.status.node_name)


def request_ids(fleet: Fleet) -> dict[str, set[str]]:
    """Collects, from now on, the start requests that each instance ever had: every bind makes one of its own."""
    seen: dict[str, set[str]] = {}

    def note(_: EventType, __: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None and new.status.request_id is not None:
            seen.setdefault(new.metadata.name, set()).add(new.status.request_id)

    fleet.instances.subscribe(note)
    return seen


@pytest.fixture
def pair(operator_cloud: LocalCloud) -> Iterator[list[Service]]:
    services = [operator_cloud.start_operator(*OPERATOR_FLAGS) for _ in range(2)]
    for service in services:
        service.wait_ready()
    yield services
    for service in services:
        service.stop()
        operator_cloud.operators.remove(service)


async def test_the_leader_dies_in_a_burst(fleet: Fleet, pair: list[Service]) -> None:
    leader, standby = await find_leader(fleet, pair)
    for number in range(10):
        await fleet.node(f"mac-{number}", slots=8, holds=("v1",))
    for number in range(10):
        await fleet.see(NODES, f"mac-{number}", lambda node: node.status.state is NodeState.ACTIVE)
    seen = request_ids(fleet)
    burst = asyncio.create_task(fleet.burst("job", 90))
    await fleet.instances.wait_for(lambda _: bound(fleet) >= 20, SECONDS)
    leader.kill()
    killed_at = time.monotonic()
    await burst
    await leader_is(fleet, standby)
    print(f"hand-over after a crash: {time.monotonic() - killed_at:.2f} s (Lease of 7 s)")
    await fleet.instances.wait_for(lambda store: len(store) == 90 and bound(fleet) == 80, 2 * SECONDS)
    spread = Counter(one.status.node_name for one in fleet.instances)
    wanted: dict[str | None, int] = {f"mac-{number}": 8 for number in range(10)}
    assert spread == {**wanted, None: 10}
    assert sorted(len(requests) for requests in seen.values()) == [1] * 80


async def test_the_next_leader_asks_for_what_is_bound(fleet: Fleet) -> None:
    """Its watch may not have brought it yet; what waits takes nothing."""
    await fleet.instance("waits")
    for name in ("placed", "moved"):
        made = await fleet.instance(name)
        await fleet.client.patch(INSTANCES, made.metadata.name, {"status": {"nodeName": "mac-0"}}, "default",
                                 subresource="status")  # fmt: skip
    cluster = AnkaCluster(fleet.client)
    await cluster.catch_up()
    assert {one.metadata.name for one in cluster.stores.instances} == {"placed", "moved"}


async def test_sigterm_hands_over_at_once(fleet: Fleet, pair: list[Service]) -> None:
    leader, standby = await find_leader(fleet, pair)
    os.kill(leader.pid, signal.SIGTERM)
    started = time.monotonic()
    await leader_is(fleet, standby)
    print(f"hand-over after SIGTERM: {time.monotonic() - started:.2f} s")
    ended(leader)
    assert leader.exit_code == 0
    standby.wait_ready()


async def test_a_leader_whose_lease_was_taken_stands_by(fleet: Fleet, pair: list[Service]) -> None:
    """Nothing has to start it again: whoever took the Lease is never heard of, and one of the two leads again."""
    leader, _ = await find_leader(fleet, pair)
    await fleet.client.patch(LEASES, "anka-operator", {"spec": {"holderIdentity": "thief"}}, "anka-system")
    names = {service.name for service in pair}
    await fleet.see(LEASES, "anka-operator", lambda lease: lease.holder in names, "anka-system")
    assert all(service.running for service in pair)

    async def stands_by() -> bool:
        return "leadership is lost: standing by" in await asyncio.to_thread(leader.log.read_text)

    await until(stands_by, "the former leader stands by")
    assert "Traceback" not in leader.log.read_text()


def test_an_api_that_is_not_there(tmp_path: Path, operator_cloud: LocalCloud) -> None:
    """One line, not ready, alive; SIGTERM ends it with 0."""
    config = tmp_path / "kubeconfig"
    text = operator_cloud.cluster.kubeconfig.read_text()
    config.write_text(text.replace(operator_cloud.cluster.server, "https://127.0.0.1:9"))
    log = tmp_path / "operator.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "anka_operator", f"--kubeconfig={config}", "--health-port=0"],
            stderr=output,
            env=dict(os.environ),
        )
    try:
        deadline = time.monotonic() + SECONDS
        lines: list[dict[str, str]] = []
        while not all(any(words in line["message"] for line in lines) for words in ("leader election", "listening")):
            assert time.monotonic() < deadline, lines
            time.sleep(0.1)
            lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
        port = next(line["port"] for line in lines if line["message"] == "listening")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez") as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz")
        with refused.value as error:
            assert "[failed] api" in error.read().decode()
        process.terminate()
        assert process.wait(SECONDS) == 0
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()


# What an apiserver that has too much to do serves first: it names the rule that each request fell under.

LEASE_URL = "/apis/coordination.k8s.io/v1/namespaces"
INSTANCE_URL = "/apis/anka.veertu.com/v1alpha1/ankainstances"
FLOWS = ("anka-leader", "anka-heartbeats", "anka-controllers", "anka-agents")

REQUESTS = [
    ("anka-system/anka-operator", "GET", f"{LEASE_URL}/anka-system/leases/anka-operator", "anka-leader"),
    ("anka-system/anka-operator", "POST", f"{LEASE_URL}/anka-system/leases", "anka-leader"),
    ("anka-system/anka-operator", "PATCH", f"{LEASE_URL}/anka-system/leases/anka-operator", "anka-leader"),
    ("anka-system/anka-operator", "GET", f"{LEASE_URL}/anka-nodes/leases/mac-a", "anka-leader"),
    ("anka-nodes/node-mac-a", "GET", f"{LEASE_URL}/anka-nodes/leases/mac-a", "anka-heartbeats"),
    ("anka-nodes/node-mac-a", "POST", f"{LEASE_URL}/anka-nodes/leases", "anka-heartbeats"),
    ("anka-nodes/node-mac-a", "PATCH", f"{LEASE_URL}/anka-nodes/leases/mac-a", "anka-heartbeats"),
    # All else of ours has a level of its own, the Macs apart from the others.
    ("anka-system/anka-operator", "GET", INSTANCE_URL, "anka-controllers"),
    ("anka-system/anka-operator", "GET", "/version", "anka-controllers"),
    ("anka-nodes/node-mac-a", "GET", f"{INSTANCE_URL}?fieldSelector=status.nodeName=mac-a", "anka-agents"),
    ("anka-nodes/node-mac-a", "PATCH", f"{LEASE_URL}/anka-system/leases/anka-operator", "anka-agents"),
    ("anka-system/anka-shim", "GET", INSTANCE_URL, "anka-controllers"),
    ("anka-system/anka-shim", "PATCH", f"{LEASE_URL}/anka-system/leases/anka-operator", "anka-controllers"),
    # Others' requests are none of our business.
    ("default/default", "GET", INSTANCE_URL, None),
]


@pytest.fixture(scope="module")
def schemas(operator_cloud: LocalCloud) -> dict[str, dict[str, Any]]:
    """Ours, by uid."""
    kubectl = operator_cloud.cluster.kubectl
    ensure_node_account(operator_cloud.cluster, "mac-a")
    # Its rule counts once its priority level is found.
    kubectl.run("wait", "--for=condition=Dangling=False", "flowschema", *FLOWS, "--timeout=60s")
    listed = json.loads(kubectl.run("get", "flowschemas", "--output=json"))["items"]
    return {one["metadata"]["uid"]: one for one in listed if one["metadata"]["name"] in FLOWS}


def test_the_apiserver_measures_what_the_dashboard_shows(
    operator_cloud: LocalCloud, schemas: dict[str, dict[str, Any]]
) -> None:
    asked = {name for board in BOARDS for panel in board.panels for query in panel.queries
             for name in re.findall(r"apiserver_[a-z_]+", query.expr)}  # fmt: skip
    assert len(asked) == 4
    served = operator_cloud.cluster.kubectl.run("get", "--raw", "/metrics")
    types = dict(re.findall(r"^# TYPE (apiserver_flowcontrol_\S+) (\S+)$", served, re.MULTILINE))
    # A counter has a line once it has counted.
    types.setdefault("apiserver_flowcontrol_rejected_requests_total", "counter")
    for name in asked:
        assert types[name.removesuffix("_bucket")] == ("histogram" if name.endswith("_bucket") else "counter")


@pytest.mark.parametrize(("who", "method", "path", "expected"), REQUESTS)
def test_who_comes_first(
    operator_cloud: LocalCloud,
    schemas: dict[str, dict[str, Any]],
    who: str,
    method: str,
    path: str,
    expected: str | None,
) -> None:
    cluster, (namespace, account) = operator_cloud.cluster, who.split("/")
    token = cluster.kubectl.run("create", "token", account, f"--namespace={namespace}").strip()
    answer = httpx.request(
        method,
        cluster.server + path,
        content="{}" if method in ("POST", "PATCH") else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"},
        verify=ssl.create_default_context(cafile=str(cluster.ca_file)),
    )
    # Which rule it falls under is decided before what becomes of it.
    schema = schemas.get(answer.headers["X-Kubernetes-PF-FlowSchema-UID"])
    assert (schema["metadata"]["name"] if schema is not None else None) == expected
