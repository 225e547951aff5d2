"""Two shims behind a round robin, as real processes against a real kube-apiserver: what one wrote, both show."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from anka_dev.cloud.local import free_port
from anka_dev.controlplane import Cluster, ControlPlane, apply
from support.shim_process import ShimProcess, shim_process

pytestmark = pytest.mark.integration

BASE = Path(__file__).resolve().parents[2] / "charts" / "base"
TEMPLATE = "c0ffee00-1111-411e-9505-128190e9854e"
API = {"apiVersion": "anka.veertu.com/v1alpha1"}
ANSWERS = "a replica answers: writes are told to it"
LEFT_OUT = "a replica is left out for some seconds"
WINDOW_SECONDS = 3.0


@pytest.fixture(scope="module")
def cluster(served_kinds: Cluster) -> Cluster:
    apply(served_kinds, BASE / "namespaces.yaml")
    apply(served_kinds, BASE / "rbac-shim.yaml")
    template = {**API, "kind": "AnkaTemplate", "metadata": {"name": TEMPLATE}, "spec": {}}
    node = {**API, "kind": "AnkaNode", "metadata": {"name": "replica-mac"}, "spec": {}}
    for item in (template, node):
        served_kinds.kubectl.run("apply", "-f-", stdin=json.dumps(item))
    return served_kinds


@pytest.fixture(scope="module")
def kubeconfig(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cluster.kubeconfig_for("anka-shim", "anka-system", tmp_path_factory.mktemp("shim") / "kubeconfig")


@contextmanager
def running(kubeconfig: Path, *flags: str, count: int = 2) -> Iterator[list[ShimProcess]]:
    """Replicas that know each other."""
    ports = [free_port() for _ in range(count)]
    peers = f"--peers={','.join(f'127.0.0.1:{port}' for port in ports)}"
    with ExitStack() as stack:
        shims = [stack.enter_context(shim_process(kubeconfig, peers, *flags, port=port)) for port in ports]
        for shim in shims:
            shim.wait_ready()
            until_known(shim, count - 1)
        yield shims


def until_known(shim: ShimProcess, others: int) -> None:
    shim.until_true(lambda: metric(shim, "anka_shim_peers") == others)


def metric(shim: ShimProcess, name: str) -> float:
    text = httpx.get(f"{shim.url}/metrics").text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


@pytest.fixture(scope="module")
def replicas(kubeconfig: Path) -> Iterator[list[ShimProcess]]:
    flags = (f"--dedupe-external-id-seconds={WINDOW_SECONDS}", "--max-count=300")
    with running(kubeconfig, *flags) as shims:
        yield shims


def end(cluster: Cluster, ids: list[str]) -> None:
    """Delete and release: what agent and operator do."""
    cluster.kubectl.run("delete", "ankainstances", "-nanka-ci", "--wait=false", "--ignore-not-found", *ids)
    released = '--patch={"metadata":{"finalizers":null}}'
    cluster.kubectl.run("patch", "ankainstances", "-nanka-ci", "--type=merge", released, *ids)


def left(cluster: Cluster) -> list[str]:
    items = json.loads(cluster.kubectl.run("get", "ankainstances", "-nanka-ci", "-ojson"))["items"]
    return [item["metadata"]["name"] for item in items]


def verbs(plane: ControlPlane, *ids: str) -> list[str]:
    """What the shims asked the API to do with these instances, so far as it is in the audit log."""
    assert plane.audit_log is not None
    lines = [json.loads(line) for line in plane.audit_log.read_text().splitlines()]
    return [
        event["verb"]
        for event in lines
        if event["user"]["username"].endswith(":anka-shim") and event.get("objectRef", {}).get("name") in ids
    ]


def start(shim: ShimProcess, http: httpx.Client, **parameters: Any) -> list[str]:
    answer = http.post(f"{shim.url}/api/v1/vm", json={"vmid": TEMPLATE, **parameters}).json()
    assert answer["status"] == "OK", answer
    ids = answer["body"]
    assert isinstance(ids, list)
    return ids


def test_what_one_wrote_the_other_shows_at_once(replicas: list[ShimProcess], cluster: Cluster) -> None:
    first, second = replicas
    ids: list[str] = []
    with httpx.Client(timeout=30) as http:
        for writer, reader in itertools.islice(itertools.cycle([(first, second), (second, first)]), 200):
            (id_,) = start(writer, http)
            one = http.get(f"{reader.url}/api/v1/vm?id={id_}").json()
            assert one["status"] == "OK", f"{id_} is not there after {len(ids)} others"
            assert id_ in http.get(f"{reader.url}/api/v1/vm").text
            ids.append(id_)
        for id_ in ids[:50]:
            assert http.put(f"{first.url}/api/v1/vm?id={id_}", json={"name": f"n-{id_}"}).json()["status"] == "OK"
            assert http.get(f"{second.url}/api/v1/vm?id={id_}").json()["body"]["name"] == f"n-{id_}"
            assert http.request("DELETE", f"{first.url}/api/v1/vm", json={"id": id_}).json()["status"] == "OK"
            one = http.get(f"{second.url}/api/v1/vm?id={id_}").json()
            assert one["body"]["instance_state"] == "Terminating"
    assert metric(first, "anka_shim_peer_misses_total") == metric(second, "anka_shim_peer_misses_total") == 0
    end(cluster, ids)


def test_groups_and_nodes_too(replicas: list[ShimProcess]) -> None:
    first, second = replicas
    for number in range(10):
        group = first.body("POST", "/api/v1/group", json={"name": f"g{number}"})
        assert group in second.body("GET", "/api/v1/group")
        taken = second.call("POST", "/api/v1/group", json={"name": f"g{number}"})
        assert taken["message"] == f"name: group {group['id']} is called so already (given: 'g{number}')"
        members = {"group_ids": [group["id"]], "node_ids": ["replica-mac"]}
        first.body("POST", "/api/v1/node/group", json=members)
        (node,) = second.body("GET", "/api/v1/node?id=replica-mac")
        assert [item["name"] for item in node["groups"]] == [f"g{number}"]
        first.body("DELETE", f"/api/v1/group?id={group['id']}")
        assert second.body("GET", "/api/v1/group") == []


def test_many_writes_share_few_questions(replicas: list[ShimProcess], cluster: Cluster) -> None:
    first, second = replicas
    counted = 'anka_shim_requests_total{code="200",method="GET",route="/peer/reached",status="none"}'

    def questions() -> float:
        lines = httpx.get(f"{second.url}/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(counted))

    before = questions()
    with httpx.Client(timeout=30) as http, ThreadPoolExecutor(20) as pool:
        ids = [id_ for made in pool.map(lambda _: start(first, http), range(100)) for id_ in made]
    assert 0 < questions() - before < 50
    end(cluster, ids)


def test_one_write_for_each_instance_and_no_read(
    replicas: list[ShimProcess], cluster: Cluster, own_control_plane: ControlPlane
) -> None:
    (id_, *more) = replicas[0].body("POST", "/api/v1/vm", json={"vmid": TEMPLATE, "count": 3})
    assert replicas[1].body("GET", f"/api/v1/vm?id={id_}")["instance_state"] == "Scheduling"
    assert verbs(own_control_plane, id_, *more) == ["create"] * 3
    end(cluster, [id_, *more])
