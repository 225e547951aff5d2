"""What the portal asks beside its lists: a real process with the chart's rights against a real kube-apiserver."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.repository import BASE
from localkube.controlplane import KubernetesCluster, apply
from support.agents import until
from support.kinds import nothing_left
from support.shim_process import ShimProcess, shim_process

pytestmark = pytest.mark.integration

TEMPLATE = "c0ffee00-5757-411e-9505-128190e9854e"
SERVER = "https://cluster.example:6443"
OBJECTS = [
    {"kind": "AnkaTemplate", "metadata": {"name": TEMPLATE}, "spec": {}},
    {"kind": "AnkaNode", "metadata": {"name": "portal-mac"}, "spec": {"displayName": "Mac of the portal"}},
]
STATUS = {"name": "portal-macos", "versions": [{"number": 0, "tag": "v1"}]}


def make(cluster: KubernetesCluster, item: dict[str, Any]) -> None:
    cluster.kubectl.run("apply", "-f-", stdin=json.dumps({"apiVersion": "anka.veertu.com/v1alpha1", **item}))


def set_status(cluster: KubernetesCluster, kind: str, name: str, status: dict[str, Any], *flags: str) -> None:
    change = json.dumps({"status": status})
    cluster.kubectl.run("patch", kind, name, "--type=merge", "--subresource=status", f"--patch={change}", *flags)


@pytest.fixture(scope="module")
def cluster(served_kinds: KubernetesCluster) -> Iterator[KubernetesCluster]:
    with nothing_left(served_kinds):
        # One after the other: the apiserver learns of a namespace a moment after it is stored.
        apply(served_kinds, BASE / "namespaces.yaml")
        apply(served_kinds, BASE / "rbac-shim.yaml")
        for item in OBJECTS:
            make(served_kinds, item)
        set_status(served_kinds, "ankatemplate", TEMPLATE, STATUS)
        set_status(served_kinds, "ankanode", "portal-mac", {"state": "Active"})
        yield served_kinds


@pytest.fixture(scope="module")
def shim(cluster: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShimProcess]:
    folder: Path = tmp_path_factory.mktemp("portal-detail")
    kubeconfig = cluster.kubeconfig_for("anka-shim", "anka-system", folder / "kubeconfig")
    (folder / "ca.crt").write_text("PEM")
    flags = (f"--join-server-url={SERVER}", f"--join-ca-file={folder / 'ca.crt'}")
    with shim_process(kubeconfig, *flags) as process:
        process.wait_ready()
        yield process


def record(cluster: KubernetesCluster, name: str, namespace: str, about: dict[str, Any], reason: str) -> None:
    """An Event, as the operator writes it."""
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": about,
        "reason": reason,
        "message": "of the test",
        "type": "Warning",
        "lastTimestamp": "2026-01-01T10:00:00Z",
    }
    cluster.kubectl.run("apply", "-f-", stdin=json.dumps(event))


def reference(cluster: KubernetesCluster, kind: str, name: str, *flags: str) -> dict[str, Any]:
    found = json.loads(cluster.kubectl.run("get", kind, name, "--output=json", *flags))
    metadata = found["metadata"]
    about = {"kind": found["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    return about | ({"namespace": metadata["namespace"]} if "namespace" in metadata else {})


def test_a_start_from_the_question_to_its_history(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    asked = shim.body("GET", f"/portal/v1/explain?vmid={TEMPLATE}&tag=v1")
    # Other modules may have nodes in this cluster.
    assert {"node": "portal-mac", "name": "Mac of the portal", "fits": True} in [
        {key: node[key] for key in ("node", "name", "fits")} for node in asked["nodes"]
    ]
    (id_,) = shim.body("POST", "/api/v1/vm", json={"vmid": TEMPLATE, "node_id": "portal-mac"})
    assert shim.body("GET", f"/portal/v1/explain?id={id_}")["answer"]["node"] == "portal-mac"
    waits = shim.body("GET", f"/portal/v1/timeline?id={id_}")["steps"]
    assert [(step["name"], step["to"]) for step in waits] == [("wait", None)]

    created = waits[0]["from"]
    bound = {"phase": "Scheduling", "nodeName": "portal-mac", "scheduledAt": created}
    set_status(cluster, "ankainstance", id_, bound, "--namespace=anka-ci")
    until(lambda: shim.body("GET", "/portal/v1/nodes/history?id=portal-mac")["instances"], what="bound")
    assert shim.call("GET", f"/portal/v1/explain?id={id_}")["message"].startswith("id: the instance does not wait")
    set_status(cluster, "ankainstance", id_, {"phase": "Started", "startedAt": created}, "--namespace=anka-ci")
    history = until(
        lambda: (found := shim.body("GET", "/portal/v1/history"))["startSeconds"].get(TEMPLATE) and found, what="start"
    )
    assert history["startSeconds"][TEMPLATE]["n"] == 1
    assert history["pullHits"]["cached"] >= 1
    (past,) = shim.body("GET", "/portal/v1/nodes/history?id=portal-mac")["instances"]
    assert (past["id"], past["result"]) == (id_, "Started")

    failed = {"phase": "Error", "message": "boom"}
    set_status(cluster, "ankainstance", id_, failed, "--namespace=anka-ci")
    until(lambda: shim.body("GET", "/portal/v1/history")["failures"], what="failure")


def test_an_object_with_its_events(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    (id_,) = shim.body("POST", "/api/v1/vm", json={"vmid": TEMPLATE, "vnc_password": "hush-hush"})
    record(cluster, "of-it", "anka-ci", reference(cluster, "ankainstance", id_, "--namespace=anka-ci"), "Unschedulable")
    record(cluster, "of-node", "default", reference(cluster, "ankanode", "portal-mac"), "Draining")
    found = shim.body("GET", f"/portal/v1/object?kind=instances&id={id_}")
    assert [event["reason"] for event in found["events"]] == ["Unschedulable"]
    assert yaml.safe_load(found["yaml"])["spec"]["vncPassword"] == "(hidden)"
    assert "hush-hush" not in json.dumps(found)
    found = shim.body("GET", "/portal/v1/object?kind=nodes&id=portal-mac")
    assert "Draining" in [event["reason"] for event in found["events"]]
    assert found["object"]["metadata"]["name"] == "portal-mac"


def test_of_another_namespace_it_may_read_no_events(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    cluster.kubectl.run("create", "namespace", "portal-elsewhere")
    name = {"name": "far", "namespace": "portal-elsewhere"}
    item = {"kind": "AnkaInstance", "metadata": name, "spec": {"template": TEMPLATE}}
    cluster.kubectl.run("wait", "--for=create", "serviceaccount/default", "--namespace=portal-elsewhere")
    make(cluster, item)
    id_ = reference(cluster, "ankainstance", "far", "--namespace=portal-elsewhere")["uid"]
    path = f"/portal/v1/object?kind=instances&id={id_}"
    found = until(lambda: shim.call("GET", path).get("body"), what="known")
    assert (found["object"]["metadata"]["name"], found["events"]) == ("far", [])
    assert found["eventsProblem"] == "the shim may not list Events in namespace portal-elsewhere: it needs a Role there"


def test_join_tokens_only_with_the_right_to_make_them(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    new = {"name": "portal-new", "displayName": "New Mac"}
    refused = shim.call("POST", "/portal/v1/join", json=new)
    assert refused["message"].startswith("the shim may not make join tokens in namespace anka-joining"), refused
    where = "--namespace=anka-joining"
    for role, verbs, resource in (
        ("join-tokens", "create,get", "serviceaccounts"),
        ("join-token-requests", "create", "serviceaccounts/token"),
    ):
        cluster.kubectl.run("create", "role", role, where, f"--verb={verbs}", f"--resource={resource}")
        account = "--serviceaccount=anka-system:anka-shim"
        cluster.kubectl.run("create", "rolebinding", role, where, f"--role={role}", account)
    # Its authorizer hears of a binding a moment after it is stored.
    first = until(lambda: shim.call("POST", "/portal/v1/join", json=new).get("body"), what="join token")
    again = shim.body("POST", "/portal/v1/join", json=new)
    for made in (first, again):
        token = shlex.split(made["command"][0])[0].removeprefix("TOKEN=")
        words = shlex.split(made["command"][1])
        assert words[:4] == ["sudo", "anka-agent", "join", SERVER]
        assert words[words.index("--node-id") + 1] == "portal-new"
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        answer = cluster.kubectl.run("create", "-f-", "--output=json", stdin=json.dumps(review))
        assert json.loads(answer)["status"]["user"]["username"] == "system:serviceaccount:anka-joining:portal-new"
    cluster.kubectl.run("create", "serviceaccount", "portal-batch", where)
    other = shim.call("POST", "/portal/v1/join", json={"name": "portal-batch"})
    assert "is not the portal's: choose another name" in other["message"]
    taken = shim.call("POST", "/portal/v1/join", json={"name": "portal-mac"})
    assert taken["message"].startswith("name: there is a node portal-mac already")
