"""The shim as clients meet it: a real process, real HTTP, a real kube-apiserver, and only the shim's own rights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from anka_crds.rules.naming import is_uuid
from anka_shim.node.answer import NodeListOk
from anka_shim.vm.answer import OneVmOk, VmListOk
from anka_sim.registry import seed
from anka_sim.registry.catalog import RegistryCatalog
from anka_sim.registry.server import serving_in_thread
from localkube.controlplane import ControlPlane, KubernetesCluster, apply
from support.shim_process import PATIENCE_SECONDS, ShimProcess, shim_process

pytestmark = pytest.mark.integration

BASE = Path(__file__).resolve().parents[2] / "charts" / "base"
TEMPLATE = "c0ffee00-5757-411e-9505-128190e9854e"
OBJECTS = [
    {"kind": "AnkaTemplate", "metadata": {"name": TEMPLATE}, "spec": {}},
    {"kind": "NodeGroup", "metadata": {"name": "shim-group"}, "spec": {"displayName": "Shim group"}},
    {"kind": "AnkaNode", "metadata": {"name": "shim-mac"}, "spec": {"groups": ["shim-group"], "displayName": "Mac"}},
]
TEMPLATE_STATUS = {"name": "shim-macos", "versions": [{"number": 0, "tag": "v1"}, {"number": 1, "tag": "v2"}]}
TERMINATED_SECONDS = 600.0
"""Longer than any test takes to look."""


@pytest.fixture(scope="module")
def cluster(served_kinds: KubernetesCluster) -> KubernetesCluster:
    # One after the other: the apiserver learns of a namespace a moment after it is stored.
    apply(served_kinds, BASE / "namespaces.yaml")
    apply(served_kinds, BASE / "rbac-shim.yaml")
    for item in OBJECTS:
        made = {"apiVersion": "anka.veertu.com/v1alpha1", **item}
        served_kinds.kubectl.run("apply", "-f-", stdin=json.dumps(made))
    patch(served_kinds, "ankatemplate", TEMPLATE, {"status": TEMPLATE_STATUS}, "--subresource=status")
    return served_kinds


@pytest.fixture(scope="module")
def kubeconfig(cluster: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cluster.kubeconfig_for("anka-shim", "anka-system", tmp_path_factory.mktemp("shim") / "kubeconfig")


@pytest.fixture(scope="module")
def shim(kubeconfig: Path) -> Iterator[ShimProcess]:
    with shim_process(kubeconfig, f"--terminated-seconds={TERMINATED_SECONDS}") as process:
        process.wait_ready()
        yield process


def patch(cluster: KubernetesCluster, kind: str, name: str, change: dict[str, Any], *flags: str) -> None:
    cluster.kubectl.run("patch", kind, name, "--type=merge", f"--patch={json.dumps(change)}", *flags)


def release(cluster: KubernetesCluster, id_: str, namespace: str = "anka-ci") -> None:
    """What the agent or the operator does once the VM is gone."""
    patch(cluster, "ankainstance", id_, {"metadata": {"finalizers": []}}, f"--namespace={namespace}")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process hangs for the length of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def curl(shim: ShimProcess, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def test_a_life_with_curl(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    # No Content-Type, as the GitLab executor sends it.
    request = json.dumps({"vmid": TEMPLATE, "count": 2, "tag": "v1", "priority": "7"})
    answer = curl(shim, "-H", "Content-Type:", "-d", request, f"{shim.url}/api/v1/vm")
    assert answer["status"] == "OK"
    first, second = answer["body"]
    assert is_uuid(first)
    # In the list at once.
    assert shim.states().items() >= {first: "Scheduling", second: "Scheduling"}.items()
    made = json.loads(cluster.kubectl.run("get", "ankainstance", first, "-n", "anka-ci", "-ojson"))
    assert made["metadata"]["finalizers"] == ["anka.veertu.com/vm"]
    assert (made["spec"]["template"], made["spec"]["tag"], made["spec"]["priority"]) == (TEMPLATE, "v1", 7)
    # DELETE with a body, as form data says the header that curl makes up.
    for id_ in (first, second):
        answer = curl(shim, "-X", "DELETE", "-d", json.dumps({"id": id_}), f"{shim.url}/api/v1/vm")
        assert answer == {"status": "OK", "message": ""}
    assert shim.states().items() >= {first: "Terminating", second: "Terminating"}.items()
    release(cluster, first)
    release(cluster, second)
    shim.until(first, "Terminated")
    assert shim.body("GET", f"/api/v1/vm?id={first}")["instance_state"] == "Terminated"
    assert curl(shim, "-X", "DELETE", "-d", json.dumps({"id": first}), f"{shim.url}/api/v1/vm")["status"] == "OK"
    shim.until(second, "Terminated")


def test_what_has_ended_is_forgotten_after_a_while(kubeconfig: Path, cluster: KubernetesCluster) -> None:
    with shim_process(kubeconfig, "--terminated-seconds=0.5") as shim:
        shim.wait_ready()
        (id_,) = shim.body("POST", "/api/v1/vm", json={"vmid": TEMPLATE})
        shim.body("DELETE", "/api/v1/vm", json={"id": id_})
        assert shim.states()[id_] == "Terminating"
        release(cluster, id_)
        shim.until(id_, None)
        assert shim.call("GET", f"/api/v1/vm?id={id_}") == {"status": "FAIL", "message": "Not found"}
        assert shim.call("DELETE", f"/api/v1/vm?id={id_}") == {"status": "FAIL", "message": "Not found"}


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("application/json", "iso-8859-1"),  # Jenkins
        ("application/x-www-form-urlencoded", "utf-8"),  # GitHub actions
        ("text/plain", "utf-8"),
    ],
)
def test_bodies_as_clients_send_them(
    shim: ShimProcess, cluster: KubernetesCluster, content_type: str, encoding: str
) -> None:
    parameters = {"vmid": "shim-macos", "external_id": "job é", "group_id": "Shim group", "node_id": "shim-mac"}
    raw = json.dumps(parameters, ensure_ascii=False).encode(encoding)
    (id_,) = shim.body("POST", "/api/v1/vm", content=raw, headers={"Content-Type": content_type})
    one = shim.body("GET", f"/api/v1/vm?id={id_}")
    assert (one["external_id"], one["group_id"], one["vmid"]) == ("job é", "shim-group", TEMPLATE)
    shim.body("PUT", f"/api/v1/vm?id={id_}", json={"name": "renamed", "metadata": {"jenkins-job-id": "1"}})
    made = json.loads(cluster.kubectl.run("get", "ankainstance", id_, "-n", "anka-ci", "-ojson"))
    assert (made["spec"]["displayName"], made["spec"]["metadata"]) == ("renamed", {"jenkins-job-id": "1"})
    shim.body("DELETE", "/api/v1/vm", json={"id": id_})
    release(cluster, id_)


def test_every_parameter_is_accepted_by_the_apiserver(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    parameters = {
        "vmid": TEMPLATE,
        "version": "1",
        "name": "n",
        "external_id": "e",
        "node_id": "shim-mac",
        "startup_script": "ZWNobyBoaQo=",
        "startup_script_condition": 1,
        "script_monitoring": True,
        "script_timeout": 300,
        "script_fail_handler": 2,
        "name_template": "$template_name-$node_name-$ts",
        "group": "qa",
        "group_id": "shim-group",
        "priority": 10000,
        "usb_device": "336675856",
        "vcpu": 4,
        "vram": 8192,
        "metadata": {"s": "x", "i": 1, "b": True},
        "mac_address": "00:1A:2B:3C:4D:5E",
        "vlan_tag": 4094,
        "video_controller": "pg",
        "hvapic": "forceOn",
        "csr_active_config": "forceOn",
        "network_local": "forceOff",
        "network_mode": "bridge",
        "hw_serial": "S1",
        "hw_uuid": "U1",
        "port_forwarding_override": [{"name": "web", "guest_port": "80", "host_port": 8080, "host_ip": "127.0.0.1"}],
        "disk": {"size": "256G", "skip_container_resize": True},
        "vnc_password": "secret",
    }
    (id_,) = shim.body("POST", "/api/v1/vm", json=parameters)
    OneVmOk.model_validate(shim.call("GET", f"/api/v1/vm?id={id_}"))
    shim.body("DELETE", "/api/v1/vm", json={"id": id_})
    release(cluster, id_)


def test_what_kubectl_makes_appears_and_can_be_ended(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    instance = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "AnkaInstance",
        "metadata": {"name": "by-hand", "namespace": "default"},
        "spec": {"template": TEMPLATE},
    }
    made = json.loads(cluster.kubectl.run("create", "-f-", "-ojson", stdin=json.dumps(instance)))
    id_ = made["metadata"]["uid"]
    shim.until(id_, "Scheduling")
    status = {"phase": "Started", "nodeName": "shim-mac", "vm": {"uuid": "u", "name": "n", "status": "running"}}
    patch(cluster, "ankainstance", "by-hand", {"status": status}, "--subresource=status", "--namespace=default")
    shim.until(id_, "Started")
    VmListOk.model_validate(shim.call("GET", "/api/v1/vm"))
    answer = shim.call("GET", "/api/v1/node?id=shim-mac")
    NodeListOk.model_validate(answer)
    assert (answer["body"][0]["vm_count"], answer["body"][0]["groups"][0]["name"]) == (1, "Shim group")
    shim.body("DELETE", "/api/v1/vm", json={"id": id_})
    release(cluster, "by-hand", "default")
    shim.until(id_, "Terminated")


def test_exact_messages(shim: ShimProcess) -> None:
    def message(**parameters: Any) -> str:
        answer = shim.call("POST", "/api/v1/vm", json=parameters)
        assert answer["status"] == "FAIL"
        return str(answer["message"])

    assert message(vmid="6b135004-0000-43bb-b892-74796b8d266c") == "VM not in the registry"
    assert message(vmid=TEMPLATE, tag="vanilla+x") == "No such tag vanilla+x"


def test_groups_and_their_nodes(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    group = shim.body("POST", "/api/v1/group", json={"name": "Great", "description": "d"})
    id_ = group["id"]
    assert group == {"id": id_, "name": "Great", "description": "d", "fallback_group_id": None}
    assert group in shim.body("GET", "/api/v1/group")
    shim.body("PUT", f"/api/v1/group?id={id_}", json={"name": "Greater", "fallback_group_id": "Shim group"})
    members = {"group_ids": [id_], "node_ids": ["shim-mac"]}
    shim.body("POST", "/api/v1/node/group", json=members)
    made = json.loads(cluster.kubectl.run("get", "nodegroup", id_, "-ojson"))
    assert made["spec"] == {"displayName": "Greater", "description": "d", "fallbackGroup": "shim-group"}
    (node,) = shim.body("GET", "/api/v1/node?id=shim-mac")
    assert [group["name"] for group in node["groups"]] == ["Shim group", "Greater"]
    assert curl(shim, "-X", "DELETE", "-d", json.dumps(members), f"{shim.url}/api/v1/node/group")["status"] == "OK"
    shim.body("POST", "/api/v1/node/group", json=members)
    assert shim.call("DELETE", f"/api/v1/group?id={id_}") == {"status": "OK", "message": ""}
    kept = json.loads(cluster.kubectl.run("get", "ankanode", "shim-mac", "-ojson"))
    assert kept["spec"]["groups"] == ["shim-group"]
    assert [group["id"] for group in shim.body("GET", "/api/v1/group")] == ["shim-group"]


def test_nodes_are_configured_and_deleted(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    node = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "metadata": {"name": "spare"}}
    cluster.kubectl.run("create", "-f-", stdin=json.dumps(node))
    shim.until_true(lambda: any(item["node_id"] == "spare" for item in shim.body("GET", "/api/v1/node")))
    change = {
        "node_id": "spare",
        "max_vm_count": 0,
        "name": "Spare Mac",
        "host": "10.0.0.9",
        "capacity_mode": "resource",
        "vcpu_override": "12",
        "ram_override": 32,
        "disable_central_logging": True,
        "drain_mode": True,
    }
    assert curl(shim, "-d", json.dumps(change), f"{shim.url}/api/v1/node/config") == {"status": "OK", "message": ""}
    made = json.loads(cluster.kubectl.run("get", "ankanode", "spare", "-ojson"))["spec"]
    assert made.items() >= {"maxVmCount": 0, "displayName": "Spare Mac", "host": "10.0.0.9", "vcpuOverride": 12}.items()
    assert made.items() >= {"capacityMode": "resource", "ramOverrideGib": 32, "drainMode": True}.items()
    (shown,) = shim.body("GET", "/api/v1/node?id=spare")
    assert (shown["node_name"], shown["vcpu_override"], shown["ram_override"]) == ("Spare Mac", 12, 32)
    shim.body("DELETE", "/api/v1/node", json={"node_id": "spare"})
    assert shim.call("GET", "/api/v1/node?id=spare") == {"status": "FAIL", "message": "Not found"}
    assert "spare" not in cluster.kubectl.run("get", "ankanodes", "-oname")


def test_templates_and_their_registry(kubeconfig: Path, cluster: KubernetesCluster, tmp_path: Path) -> None:
    uuid = seed.template(tmp_path, "shim-fruit", tag="v1", size=1000)
    seed.template(tmp_path, "shim-fruit", tag="v2", size=2000)
    # What the operator's mirror does.
    made = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaTemplate", "metadata": {"name": uuid}, "spec": {}}
    cluster.kubectl.run("create", "-f-", stdin=json.dumps(made))
    versions = [{"number": 0, "tag": "v1", "lastPush": "2024-09-02T08:26:04Z"}, {"number": 1, "tag": "v2"}]
    status = {"name": "shim-fruit", "arch": "arm64", "sizeBytes": 2000, "versions": versions}
    patch(cluster, "ankatemplate", uuid, {"status": status}, "--subresource=status")
    with serving_in_thread(tmp_path) as url, shim_process(kubeconfig, f"--registry-url={url}") as shim:
        shim.wait_ready()
        row = {"id": uuid, "name": "shim-fruit", "size": 2000, "arch": "arm64", "last_pull": 0, "last_push": 0}
        assert row in shim.body("GET", "/api/v1/registry/vm")
        assert {"id": uuid, "name": "shim-fruit"} in shim.body("GET", "/api/v1/registry/vm?apiVer=v1")
        first, second = shim.body("GET", f"/api/v1/registry/vm?id={uuid}")["versions"]
        with urllib.request.urlopen(f"{url}/registry/v2/vm?id={uuid}") as answer:
            pushed = json.load(answer)["body"]["versions"]
        assert (first["tag"], second["tag"]) == ("v1", "v2")
        # Of one template the registry itself tells, not the mirror.
        assert [first["last_push"], second["last_push"]] == [version["last_push"] for version in pushed]
        shim.until_true(lambda: shim.call("GET", "/api/v1/registry/disk")["status"] == "OK")
        revert = f"{shim.url}/api/v1/registry/revert?id={uuid}"
        answer = curl(shim, "-X", "DELETE", "-d", json.dumps({"tag": "v2"}), revert)
        assert answer == {"status": "OK", "message": "", "body": None}
        (left,) = shim.body("GET", f"/api/v1/registry/vm?id={uuid}")["versions"]
        assert left["tag"] == "v1"
        patch(cluster, "ankatemplate", uuid, {"status": {"versions": versions[:1]}}, "--subresource=status")
        start = {"vmid": uuid, "tag": "v2"}
        shim.until_true(lambda: shim.call("POST", "/api/v1/vm", json=start)["message"] == "No such tag v2")
        shim.body("DELETE", f"/api/v1/registry/vm?id={uuid}")
        assert RegistryCatalog(tmp_path).all() == []
        cluster.kubectl.run("delete", "ankatemplate", uuid)
        shim.until_true(lambda: uuid not in [item["id"] for item in shim.body("GET", "/api/v1/registry/vm")])


def test_restart(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    (id_,) = shim.body("POST", "/api/v1/vm", json={"vmid": TEMPLATE})
    says = "the VM can't be restarted: it is Scheduling, and must be Started or Stopped"
    restart = f"{shim.url}/api/v1/rpc/vm/restart"
    request = json.dumps({"instance_id": id_})
    assert curl(shim, "-d", request, restart) == {"status": "FAIL", "message": says}
    patch(cluster, "ankainstance", id_, {"status": {"phase": "Started"}}, "--subresource=status", "-nanka-ci")
    shim.until(id_, "Started")
    assert curl(shim, "-d", request, restart) == {"status": "OK", "message": ""}
    made = json.loads(cluster.kubectl.run("get", "ankainstance", id_, "-n", "anka-ci", "-ojson"))
    first = made["spec"]["restartedAt"]
    more = {"vnc_password": "secret", "usb_device": 336675856}
    shim.body("POST", "/api/v1/rpc/vm/restart", json={"id": id_, **more})
    made = json.loads(cluster.kubectl.run("get", "ankainstance", id_, "-n", "anka-ci", "-ojson"))
    assert made["spec"]["restartedAt"] > first
    assert (made["spec"]["vncPassword"], made["spec"]["usbDevice"]) == ("secret", "336675856")
    shim.body("DELETE", "/api/v1/vm", json={"id": id_})
    release(cluster, id_)


def test_devices_and_how_to_log_in(shim: ShimProcess, cluster: KubernetesCluster) -> None:
    devices = [{"locationId": "336675856", "group": "iphone7"}, {"locationId": "1", "available": False}]
    status = {"state": "Active", "vlans": ["55", "12"], "usbDevices": devices}
    patch(cluster, "ankanode", "shim-mac", {"status": status}, "--subresource=status")
    shim.until_true(lambda: shim.body("GET", "/api/v1/vlan") == ["12", "55"])
    wanted = {"iphone7": {"available": 1, "busy": 0}, "1": {"available": 0, "busy": 1}}
    assert shim.body("GET", "/api/v1/usb") == wanted
    assert shim.call("GET", "/config/v1/auth") == {"status": "OK", "message": "", "body": {}}


def test_a_hung_api_fails_writes_in_time_while_reads_go_on(
    shim: ShimProcess, cluster: KubernetesCluster, own_control_plane: ControlPlane
) -> None:
    (id_,) = shim.body("POST", "/api/v1/vm", json={"vmid": TEMPLATE})
    with stopped(own_control_plane.pids["kube-apiserver"]):
        started = time.monotonic()
        answer = shim.call("POST", "/api/v1/vm", json={"vmid": TEMPLATE, "count": 3})
        assert time.monotonic() - started < 20, "clients give up after half a minute"
        assert answer["status"] == "FAIL"
        assert answer["message"] == "cannot start the VM: the Kubernetes API does not answer, try again"
        assert shim.states()[id_] == "Scheduling"
        shim.wait_ready()
    # What the apiserver made of the unanswered requests after all is removed again; only the finalizer holds it.
    shim.body("DELETE", "/api/v1/vm", json={"id": id_})
    release(cluster, id_)
    extra = json.loads(cluster.kubectl.run("get", "ankainstances", "-n", "anka-ci", "-ojson"))["items"]
    for name in (item["metadata"]["name"] for item in extra):
        shim.until(name, "Terminating")
        release(cluster, name)


def test_a_restarted_shim_shows_the_same(shim: ShimProcess, cluster: KubernetesCluster, kubeconfig: Path) -> None:
    (id_,) = shim.body("POST", "/api/v1/vm", json={"vmid": TEMPLATE, "external_id": "kept"})
    with shim_process(kubeconfig) as other:
        other.wait_ready()
        assert other.body("GET", f"/api/v1/vm?id={id_}") == shim.body("GET", f"/api/v1/vm?id={id_}")
        other.body("DELETE", "/api/v1/vm", json={"id": id_})
    release(cluster, id_)


def test_sigterm_finishes_in_order(kubeconfig: Path, cluster: KubernetesCluster) -> None:
    with (
        shim_process(kubeconfig, "--drain-seconds=60") as shim,
        httpx.Client(base_url=shim.url, timeout=PATIENCE_SECONDS) as client,
    ):
        shim.wait_ready()
        assert "connection" not in client.get("/api/v1/status").headers
        shim.process.send_signal(signal.SIGTERM)
        shim.until_true(lambda: client.get("/readyz").status_code != 200)
        answer = client.get("/api/v1/status")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        shim.process.send_signal(signal.SIGTERM)  # a second one ends the draining
        assert shim.wait_end() == 0
    assert [record["message"] for record in shim.log][-1] == "stopped"
    assert not any("Traceback" in record["message"] for record in shim.log)


def test_an_unreachable_api_is_told_once_and_the_process_waits(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}],"
        ' clusters: [{name: x, cluster: {server: "http://127.0.0.1:1"}}], users: [{name: x, user: {token: t}}]}'
    )
    with shim_process(kubeconfig, "--drain-seconds=0") as shim:
        shim.until_true(lambda: any(record.get("level") == "WARNING" for record in shim.log))
        assert shim.get("/livez").status_code == 200
        assert shim.get("/readyz").status_code == 503
        assert shim.call("GET", "/api/v1/vm")["message"].startswith("starting up")
        shim.process.send_signal(signal.SIGINT)
        assert shim.wait_end() == 0
    assert sum(record.get("level") in ("WARNING", "ERROR") for record in shim.log) == 1
