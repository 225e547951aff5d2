"""kube-apiserver killed and started again while instances start, end and die: nothing lost, nothing doubled."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from anka_crds.api.defaults import VM_PREFIX
from anka_dev.cloud import LocalCloud, Service
from localkube.controlplane import ControlPlane
from support.cloud import FAST_MAC

pytestmark = pytest.mark.e2e

APISERVER = "kube-apiserver"
AWAY_SECONDS = 4.0
"""Longer than a heartbeat and any retry of a single request, shorter than what makes a node Offline."""
SLOW = {**FAST_MAC, "max_running": 8, "delays": {**FAST_MAC["delays"], "start": 2.0, "stop": 1.0}}  # type: ignore[dict-item]


@pytest.fixture(scope="module")
def cloud(make_cloud: Callable[[], LocalCloud]) -> Iterator[LocalCloud]:
    cloud = make_cloud()
    cloud.start_operator()
    cloud.start_shim("--write-seconds=2")
    for name in ("mac-01", "mac-02"):
        flags = ("--max-vm-count=8", "--heartbeat=2", "--lease-duration=30", "--poll=0.5")
        mac = cloud.add_mac(name, *flags, **SLOW)
        assert cloud.registry is not None
        mac.run("registry", "pull", cloud.registry.templates[0])
    cloud.wait_ready()
    yield cloud
    cloud.check()


def kept_up(operator: Service) -> bool:
    """Whether it is ready. One that has lost its Lease ends, and is started again here as a cluster does it."""
    if not operator.running:
        operator.restart()
    return operator.ready()


def test_a_short_outage_of_the_real_api(cloud: LocalCloud) -> None:
    assert cloud.registry is not None
    template = cloud.registry.templates[0]
    plane = cast(ControlPlane, cloud.cluster)

    def rest(method: str, path: str, body: Any = None) -> Any:
        answer = cloud.rest(method, path, body)
        assert answer["status"] == "OK", answer
        return answer.get("body")

    def start(count: int) -> list[str]:
        made: list[str] = rest("POST", "/api/v1/vm", {"vmid": template, "count": count})
        return made

    def states() -> dict[str, str]:
        return {one["instance_id"]: one["vm"]["instance_state"] for one in rest("GET", "/api/v1/vm")}

    def until(true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 120
        while not true():
            assert time.monotonic() < deadline, f"{what}: {states()}"
            time.sleep(0.1)

    dies, *ending = start(4)
    until(lambda: all(states()[id_] == "Started" for id_ in (dies, *ending)), "started before")
    victim = rest("GET", f"/api/v1/vm?id={dies}")
    mac = cloud.macs[victim["node_id"]]

    # Some are on their way, some are being ended, and the API dies.
    coming = start(4)
    for id_ in ending:
        rest("DELETE", "/api/v1/vm", {"id": id_})
    plane.kill(APISERVER)
    gone_at = time.monotonic()
    mac.run("stop", "--force", victim["vminfo"]["uuid"])
    assert set(states()) >= {dies, *ending, *coming}, "REST still answers what it knew"
    refused = cloud.rest("POST", "/api/v1/vm", {"vmid": template})
    assert refused["message"] == "cannot start the VM: the Kubernetes API does not answer, try again"
    while time.monotonic() - gone_at < AWAY_SECONDS:
        time.sleep(0.1)
    plane.restart(APISERVER)

    until(lambda: kept_up(cloud.operators[0]), "the operator")
    cloud.wait_ready()
    until(lambda: all(states().get(id_) == "Started" for id_ in coming), "what was on its way")
    until(lambda: states().get(dies) == "Stopped", "the VM that died meanwhile")
    until(lambda: not {"Started", "Terminating"} & {states().get(id_) for id_ in ending}, "what was being ended")
    known = cloud.kubectl.run("get", "ankainstances", "--all-namespaces", "--output=name").split()
    assert len(known) == len(coming) + 1, "the refused request has left nothing"
    assert len(cloud.vm_names()) == len(known), "a VM for each instance, and no other"
    clones = Counter(
        word
        for one in cloud.macs.values()
        for entry in one.commands()
        if "clone" in entry["argv"]
        for word in entry["argv"]
        if word.startswith(VM_PREFIX)
    )
    assert set(clones.values()) == {1}
    assert len(clones) == 8

    for id_ in (dies, *coming):
        rest("DELETE", "/api/v1/vm", {"id": id_})
    until(lambda: cloud.vm_names() == [], "the end")
