"""Two shims behind a round robin, as real processes against a real kube-apiserver: what one wrote, both show."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from anka_crds.resources import INSTANCES
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_shim.replicas.peer import SPACING_SECONDS
from anka_shim.replicas.peers import MIN_ROUND_SECONDS
from localkube.controlplane import ControlPlane, KubernetesCluster, apply
from localkube.free_ports import free_port
from support.agents import until
from support.cluster import audit_events
from support.shim_pair import MISSES, Pair, metric, until_known
from support.shim_process import PATIENCE_SECONDS, ShimProcess, shim_process

pytestmark = pytest.mark.integration

BASE = Path(__file__).resolve().parents[2] / "charts" / "base"
TEMPLATE = "c0ffee00-1111-411e-9505-128190e9854e"
API = {"apiVersion": "anka.veertu.com/v1alpha1"}
WINDOW_SECONDS = 8.0
FEW = 3
"""Writes that a busy machine may not show in time on the other replica, of hundreds. Each is counted by the shim."""


@pytest.fixture(scope="module")
def cluster(served_kinds: KubernetesCluster) -> KubernetesCluster:
    apply(served_kinds, BASE / "namespaces.yaml")
    apply(served_kinds, BASE / "rbac-shim.yaml")
    template = {**API, "kind": "AnkaTemplate", "metadata": {"name": TEMPLATE}, "spec": {}}
    node = {**API, "kind": "AnkaNode", "metadata": {"name": "replica-mac"}, "spec": {}}
    for item in (template, node):
        served_kinds.kubectl.run("apply", "-f-", stdin=json.dumps(item))
    return served_kinds


@pytest.fixture(scope="module")
def kubeconfig(cluster: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cluster.kubeconfig_for("anka-shim", "anka-system", tmp_path_factory.mktemp("shim") / "kubeconfig")


@contextmanager
def running(kubeconfig: Path, *flags: str, count: int = 2) -> Iterator[list[ShimProcess]]:
    """Replicas that know each other."""
    ports = [free_port() for _ in range(count)]
    peers = f"--peers={','.join(f'127.0.0.1:{port}' for port in ports)}"
    with ExitStack() as stack:
        # A busy machine may need longer than the default for what takes a millisecond elsewhere.
        every = (peers, "--peer-seconds=2", *flags)
        shims = [stack.enter_context(shim_process(kubeconfig, *every, port=port)) for port in ports]
        for shim in shims:
            shim.wait_ready()
            until_known(shim, count - 1)
        yield shims


@pytest.fixture(scope="module")
def replicas(kubeconfig: Path) -> Iterator[list[ShimProcess]]:
    flags = (f"--dedupe-external-id-seconds={WINDOW_SECONDS}", "--max-count=300")
    with running(kubeconfig, *flags) as shims:
        yield shims


@pytest.fixture(autouse=True)
def clean(cluster: KubernetesCluster) -> Iterator[None]:
    """No instance is left for the next test."""
    yield
    end(cluster, left(cluster))


def end(cluster: KubernetesCluster, ids: list[str]) -> None:
    """Delete and release: what agent and operator do."""

    async def one(client: KubeClient, id_: str) -> None:
        await client.delete(INSTANCES, id_, "anka-ci")
        await client.patch(INSTANCES, id_, {"metadata": {"finalizers": None}}, "anka-ci")

    async def all_() -> None:
        async with KubeClient(load_endpoint(cluster.kubeconfig)) as client:
            await asyncio.gather(*(one(client, id_) for id_ in ids))

    asyncio.run(all_())


def left(cluster: KubernetesCluster) -> list[str]:
    items = json.loads(cluster.kubectl.run("get", "ankainstances", "-nanka-ci", "-ojson"))["items"]
    return [item["metadata"]["name"] for item in items]


def verbs(plane: ControlPlane, *ids: str) -> list[str]:
    """What the shims did to these instances, so far as it is in the audit log. Refused requests are not in it."""
    return [
        event["verb"]
        for event in audit_events(plane)
        if event["user"]["username"].endswith(":anka-shim")
        and event["objectRef"].get("name") in ids
        and event["responseStatus"]["code"] < 300
    ]


def written(plane: ControlPlane, *ids: str) -> Counter[str]:
    """The same, counted, once the creation of each is in the log."""
    return Counter(until(lambda: (found := verbs(plane, *ids)).count("create") >= len(ids) and found))


def start_on(shim: ShimProcess, **options: Any) -> Any:
    return shim.body("POST", "/api/v1/vm", **options)


def start(shim: ShimProcess, http: httpx.Client, **parameters: Any) -> list[str]:
    answer = http.post(f"{shim.url}/api/v1/vm", json={"vmid": TEMPLATE, **parameters}).json()
    assert answer["status"] == "OK", answer
    ids = answer["body"]
    assert isinstance(ids, list)
    return ids


def test_what_one_wrote_the_other_shows_at_once(replicas: list[ShimProcess], cluster: KubernetesCluster) -> None:
    first, second = replicas
    pair, reverse = Pair(first, second), Pair(second, first)
    before = pair.missed + reverse.missed
    ids: list[str] = []
    with httpx.Client(timeout=PATIENCE_SECONDS) as http:

        def seen(shim: ShimProcess, id_: str) -> dict[str, Any]:
            """The instance as this replica shows it; empty where it does not."""
            return http.get(f"{shim.url}/api/v1/vm?id={id_}").json().get("body") or {}

        for turn in itertools.islice(itertools.cycle([pair, reverse]), 200):
            (id_,) = start(turn.writer, http)
            turn.shows(lambda turn=turn, id_=id_: bool(seen(turn.reader, id_)))  # type: ignore[misc]
            assert id_ in http.get(f"{turn.reader.url}/api/v1/vm").text
            ids.append(id_)
        for id_ in ids[:50]:
            assert http.put(f"{first.url}/api/v1/vm?id={id_}", json={"name": f"n-{id_}"}).json()["status"] == "OK"
            pair.shows(lambda id_=id_: seen(second, id_)["name"] == f"n-{id_}")  # type: ignore[misc]
            assert http.request("DELETE", f"{first.url}/api/v1/vm", json={"id": id_}).json()["status"] == "OK"
            pair.shows(lambda id_=id_: seen(second, id_)["instance_state"] == "Terminating")  # type: ignore[misc]
    assert metric(first, MISSES) + metric(second, MISSES) - before <= FEW


def test_groups_and_nodes_too(replicas: list[ShimProcess]) -> None:
    first, second = replicas
    pair = Pair(first, second)

    def groups() -> list[Any]:
        found = second.body("GET", "/api/v1/group")
        assert isinstance(found, list)
        return found

    def names() -> list[str]:
        (node,) = second.body("GET", "/api/v1/node?id=replica-mac")
        return [item["name"] for item in node["groups"]]

    for number in range(10):
        group = first.body("POST", "/api/v1/group", json={"name": f"g{number}"})
        pair.shows(lambda group=group: group in groups())  # type: ignore[misc]
        taken = second.call("POST", "/api/v1/group", json={"name": f"g{number}"})
        assert taken["message"] == f"name: group {group['id']} is called so already (given: 'g{number}')"
        members = {"group_ids": [group["id"]], "node_ids": ["replica-mac"]}
        first.body("POST", "/api/v1/node/group", json=members)
        pair.shows(lambda number=number: names() == [f"g{number}"])  # type: ignore[misc]
        first.body("DELETE", f"/api/v1/group?id={group['id']}")
        pair.shows(lambda group=group: not [one for one in groups() if one["id"] == group["id"]])  # type: ignore[misc]


def test_many_writes_share_one_question(replicas: list[ShimProcess]) -> None:
    first, second = replicas
    counted = 'anka_shim_requests_total{code="200",method="GET",route="/peer/reached",status="none"}'

    def questions() -> float:
        """Those that the second was asked by name of a kind, and some that only ask who it is."""
        lines = second.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(counted))

    pair = Pair(first, second)
    before, began = questions(), time.monotonic()
    ids = first.body("POST", "/api/v1/vm", json={"vmid": TEMPLATE, "count": 100})
    pair.shows(lambda: set(ids) <= second.states().keys())
    asked, seconds = questions() - before, time.monotonic() - began
    # However many writes there are, time limits the questions; an idle machine needs a few.
    assert asked <= min(len(ids) - 1, 2 + seconds / SPACING_SECONDS + seconds / MIN_ROUND_SECONDS)


def test_one_write_for_each_instance_and_no_read(
    replicas: list[ShimProcess], cluster: KubernetesCluster, own_control_plane: ControlPlane
) -> None:
    (id_, *more) = replicas[0].body("POST", "/api/v1/vm", json={"vmid": TEMPLATE, "count": 3})
    Pair(*replicas).shows(lambda: replicas[1].states().get(id_) == "Scheduling")
    assert written(own_control_plane, id_, *more) == {"create": 3}


def test_repeats_with_a_key_at_the_same_moment(
    replicas: list[ShimProcess], cluster: KubernetesCluster, own_control_plane: ControlPlane
) -> None:
    shims = itertools.cycle(replicas)
    started: list[str] = []
    with ThreadPoolExecutor(10) as pool:
        for number in range(10):
            options: dict[str, Any] = {
                "json": {"vmid": TEMPLATE, "count": 3},
                "headers": {"Idempotency-Key": f"moment-{number}"},
            }
            turns = [next(shims) for _ in range(10)]
            answers = list(pool.map(partial(start_on, **options), turns))
            assert all(answer == answers[0] for answer in answers), answers
            assert len(set(answers[0])) == 3
            started += answers[0]
    assert set(started) == set(left(cluster))
    # A repeat takes the instance over, once: no more than one other write for each.
    writes = written(own_control_plane, *started)
    assert writes["create"] == 30
    assert writes["patch"] <= 30


def test_a_repeat_later_and_one_that_is_none(replicas: list[ShimProcess], cluster: KubernetesCluster) -> None:
    first, second = replicas
    headers = {"Idempotency-Key": "job-17/1"}
    request = {"vmid": TEMPLATE, "name": "n"}
    (id_,) = first.body("POST", "/api/v1/vm", json=request, headers=headers)
    assert second.body("POST", "/api/v1/vm", json=request, headers=headers) == [id_]
    other = second.call("POST", "/api/v1/vm", json={**request, "name": "m"}, headers=headers)
    says = "Idempotency-Key: was used for another request: repeat that one unchanged, or take a new key"
    assert other == {"status": "FAIL", "message": says}
    first.body("DELETE", "/api/v1/vm", json={"id": id_})
    assert second.body("POST", "/api/v1/vm", json=request, headers=headers) == [id_]
    end(cluster, [id_])
    for shim in replicas:
        shim.until(id_, "Terminated")
        assert shim.body("POST", "/api/v1/vm", json=request, headers=headers) == [id_]
    assert id_ not in left(cluster)


def test_repeats_by_external_id(replicas: list[ShimProcess], cluster: KubernetesCluster) -> None:
    request = {"vmid": TEMPLATE, "external_id": "https://ci.example/computer/mac-7"}
    turns = list(itertools.islice(itertools.cycle(replicas), 10))
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(partial(start_on, json=request), turns))
    (id_,) = answers[0]
    assert answers == [[id_]] * 10
    # Something else for the same job is no repeat.
    (another,) = replicas[0].body("POST", "/api/v1/vm", json={**request, "priority": 7})
    assert another != id_
    # After the window it is a new request, although the first VM still runs: one, however many ask.
    time.sleep(WINDOW_SECONDS + 1.1)
    with ThreadPoolExecutor(10) as pool:
        later = list(pool.map(partial(start_on, json=request), turns))
    assert later == [later[0]] * 10
    assert later[0] != [id_]
    assert sorted(left(cluster)) == sorted([id_, another, *later[0]])


def test_a_hung_replica_delays_few_writes_and_a_dead_one_none(kubeconfig: Path) -> None:
    with running(kubeconfig, count=3) as (writer, hung, dead), httpx.Client(timeout=PATIENCE_SECONDS) as http:
        dead.process.kill()
        dead.process.wait()
        start(writer, http)
        os.kill(hung.process.pid, signal.SIGSTOP)
        try:
            # At most this one waits for it. Its answer may come a moment before the question to the hung one is given
            # up; then there is nobody left to wait for.
            start(writer, http)
            until_known(writer, 0)
            waits = metric(writer, "anka_shim_barrier_seconds_count")
            for _ in range(40):
                start(writer, http)
            assert metric(writer, "anka_shim_barrier_seconds_count") == waits
        finally:
            os.kill(hung.process.pid, signal.SIGCONT)
        assert metric(writer, MISSES) <= FEW
        until_known(writer, 1)
        pair = Pair(writer, hung)
        (id_,) = start(writer, http)
        pair.shows(lambda: hung.call("GET", f"/api/v1/vm?id={id_}")["status"] == "OK")
