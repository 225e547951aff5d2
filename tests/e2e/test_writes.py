"""What a life costs, counted in the apiserver's audit log."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from support.cloud import FAST_MAC
from support.cluster import audit_events

pytestmark = pytest.mark.e2e

LIVES = 12
WRITES_PER_LIFE = 5
_WRITE_VERBS = {"create", "update", "patch", "delete", "deletecollection"}


@pytest.fixture(scope="module")
def cloud(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """Its Macs are called Offline so late that a busy machine adds no writes to those of lives."""
    cloud = make_cloud()
    cloud.start_operator()
    cloud.start_shim()
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, "--max-vm-count=4", "--heartbeat=2", "--lease-duration=60", **FAST_MAC)
    cloud.wait_ready()
    return cloud


def audit(cloud: LocalCloud) -> list[dict[str, Any]]:
    return audit_events(cloud.cluster)


def until(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def state(cloud: LocalCloud, instance: str) -> str:
    answer = cloud.rest("GET", f"/api/v1/vm?id={instance}")
    return str(answer["body"]["instance_state"]) if answer["status"] == "OK" else answer["message"]


def live(cloud: LocalCloud, count: int) -> list[str]:
    """So many lives at once, from POST to the end of each object."""
    assert cloud.registry is not None
    ids = cloud.rest("POST", "/api/v1/vm", {"vmid": cloud.registry.templates[0], "count": count})["body"]
    until(lambda: all(state(cloud, one) == "Started" for one in ids))
    for one in ids:
        assert cloud.rest("DELETE", "/api/v1/vm", {"id": one})["status"] == "OK"
    until(lambda: all(state(cloud, one) == "Terminated" for one in ids))

    # The audit log is written behind the answer: the release of each object must be in it before writes are counted.
    def released() -> bool:
        patched = {
            event["objectRef"].get("name")
            for event in audit(cloud)
            if event["verb"] == "patch" and "subresource" not in event["objectRef"]
        }
        return set(ids) <= patched

    until(released)
    return list(ids)


def test_one_life_through_the_shim_costs_at_most_five_writes(cloud: LocalCloud) -> None:
    # The first lives pull the template to both Macs, which changes what Macs and template say of themselves.
    live(cloud, 8)
    before = len(audit(cloud))
    lives = [one for _ in range(LIVES // 4) for one in live(cloud, 4)]
    # Heartbeats and the registry's mirror (which notes the pulls of the first lives) go by time, not by lives.
    every = [
        event
        for event in audit(cloud)[before:]
        if event["verb"] in _WRITE_VERBS and event["objectRef"]["resource"] not in ("leases", "ankatemplates")
    ]
    # So do what Macs tell of their disks: were it by lives, each batch would make both write.
    writes = [event for event in every if event["objectRef"]["resource"] != "ankanodes"]
    assert len(every) - len(writes) < LIVES // 4 * 2, [event["requestURI"] for event in every]
    by_life = Counter(event["objectRef"].get("name") for event in writes if event["objectRef"].get("name") in lives)
    what = Counter(
        (event["verb"], event["objectRef"]["resource"], event["objectRef"].get("subresource", "")) for event in writes
    )
    print(what)
    assert len(writes) <= WRITES_PER_LIFE * LIVES, what
    assert max(by_life.values()) <= WRITES_PER_LIFE
    # Nothing was refused and tried again: each write is one that counts.
    assert [event for event in writes if event["responseStatus"]["code"] not in (200, 201)] == []
