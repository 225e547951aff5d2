"""Actions on an installed chart, each of which makes one of our programs write."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from anka_crds.resources import NODES
from clients.jenkins import Jenkins, Label
from clients.lives import NODE
from support.chart import ChartInstallation
from support.client_stage import Stage
from support.cloud import TAG, TEMPLATE
from support.rights import Right, covers

_LOOKED_UP = Right("system:serviceaccount:anka-system:anka-shim", "", "anka.veertu.com", "ankainstances", "get")
UNKNOWN = "11111111-2222-3333-4444-555555555555"


def revert_newest_tag(installation: ChartInstallation) -> None:
    """Remove the newest tag, and wait until the operator has seen it: the template is as at first."""
    assert installation.cloud.rest("DELETE", f"/api/v1/registry/revert?id={installation.template}")["status"] == "OK"
    installation.until(lambda: installation.tags() == TAG, what="the tag is gone")


def set_drain_mode(installation: ChartInstallation, mac: str, drain: bool) -> None:
    answer = installation.cloud.rest("POST", "/api/v1/node/config", {"node_id": mac, "drain_mode": drain})
    assert answer["status"] == "OK", answer
    state = "Drain Mode" if drain else "Active"
    installation.cloud.wait_for(f"ankanode/{mac}", f"jsonpath={{.status.state}}={state}")


def drain_and_resume(installation: ChartInstallation, _: str = "") -> None:
    for drain in (True, False):
        set_drain_mode(installation, "mac-01", drain)


def create_group(installation: ChartInstallation, name: str) -> None:
    installation.make("NodeGroup", name, displayName=name)
    for groups, count in (([name], "1"), ([], "0")):
        patch = json.dumps({"spec": {"groups": groups}})
        installation.cloud.kubectl.run("patch", "ankanode", "mac-02", "--type=merge", f"--patch={patch}")
        installation.cloud.wait_for(f"nodegroup/{name}", f"jsonpath={{.status.nodes}}={count}")
    installation.cloud.kubectl.run("delete", "nodegroup", name)


def add_and_revert_tag(installation: ChartInstallation, name: str) -> None:
    installation.registry.add_template(TEMPLATE, [name], size=50_000_000)
    installation.until(lambda: installation.tags() == f"{TAG} {name}", what="the tag is seen")
    revert_newest_tag(installation)


def distribute_template(installation: ChartInstallation, name: str) -> None:
    installation.make("TemplateDistribution", name, template=installation.template)
    installation.cloud.wait_for(f"templatedistribution/{name}", "condition=Ready")
    installation.cloud.kubectl.run("delete", "templatedistribution", name)


def start_instance(installation: ChartInstallation, name: str) -> None:
    installation.make("AnkaInstance", name, template=installation.template)
    installation.cloud.wait_for(f"ankainstance/{name}", "jsonpath={.status.phase}=Started")


def run_instance(installation: ChartInstallation, name: str) -> None:
    start_instance(installation, name)
    installation.cloud.kubectl.run("delete", "ankainstance", name)


def save_image(installation: ChartInstallation, name: str) -> None:
    start_instance(installation, name)
    installation.make("SaveImage", name, instance=name, targetTemplate=installation.template, tag=name)
    installation.cloud.wait_for(f"saveimage/{name}", "condition=Ready")
    installation.cloud.kubectl.run("delete", "saveimage", name)
    revert_newest_tag(installation)


def shut_out_mac(installation: ChartInstallation) -> None:
    """One that a person let in, whose AnkaNode a finalizer keeps: garbage collection would not end its tokens."""
    kubectl = installation.cloud.kubectl
    kubectl.run("create", "serviceaccount", "node-shut-out", "--namespace=anka-nodes")
    manifest = {
        "apiVersion": NODES.api_version, "kind": NODES.kind, "spec": {},
        "metadata": {"name": "shut-out", "finalizers": ["example.com/kept"]},
    }  # fmt: skip
    kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
    kubectl.run("delete", "ankanode", "shut-out", "--wait=false")
    installation.cloud.wait_for("serviceaccount/node-shut-out", "delete", namespace="anka-nodes")
    kubectl.run("patch", "ankanode", "shut-out", "--type=merge", '--patch={"metadata": {"finalizers": null}}')


def make_rare_requests(installation: ChartInstallation, stage: Stage) -> None:
    cloud, template = installation.cloud, stage.template
    job = Jenkins([stage.url], stage.pace, stage.credential)
    vm, _, _ = job.provision(Label(template), NODE)
    job.note_job(vm, "job-1")
    assert cloud.rest("PUT", f"/api/v1/group?id={stage.group}", {"description": "changed"})["status"] == "OK"
    distribute = "/api/v1/registry/vm/distribute"
    request = cloud.rest("POST", distribute, {"template_id": template})["body"]["request_id"]
    assert cloud.rest("DELETE", f"{distribute}?id={request}")["status"] == "OK"
    other = cloud.rest("POST", "/api/v1/group", {"name": "other"})["body"]["id"]
    assert cloud.rest("DELETE", f"/api/v1/group?id={other}")["status"] == "OK"
    # What the cache does not have is looked for in the API: another replica may have made it just now.
    for method, path, body in (
        ("POST", "/api/v1/node/config", {"node_id": "nobody", "name": "x"}),
        ("PUT", f"/api/v1/group?id={UNKNOWN}", {"name": "x"}),
        ("DELETE", f"{distribute}?id={UNKNOWN}", None),
    ):
        assert cloud.rest(method, path, body)["message"] == "Not found"
    # Both replicas are asked the same at the same moment: who comes second looks at what the first has made.
    with ThreadPoolExecutor(2) as together:
        urls = [f"http://{life.local}:8090/api/v1/vm" for life in installation.pods.workers("anka-shim-")]

        def start(url: str, key: str) -> list[str]:
            login = ("root", installation.cloud.root_token)
            answer = httpx.post(url, json={"vmid": template}, headers={"Idempotency-Key": key}, auth=login, timeout=30)
            made: list[str] = answer.json()["body"]
            return made

        for number in range(200):
            first, second = together.map(start, urls, [f"key-{number}"] * 2)
            assert first == second
            job.terminate(first[0])
            # The two may come one after the other all the same; then the second one's cache has it.
            if any(covers(_LOOKED_UP, event) for event in installation.audit_events()):
                break
    image = {"id": vm, "target_vm_id": template, "tag": "by-rest", "suspend": False}
    job.await_saved(cloud.rest("POST", "/api/v1/image", image)["body"]["request_id"])
    revert_newest_tag(installation)


@dataclass(frozen=True)
class FleetSnapshot:
    """What must be the same after an upgrade."""

    vms: dict[str, tuple[str, str]]
    """By the uid of the instance: its phase, its VM's UUID."""
    starts: int
    """The number of runs of ``anka start`` on all Macs."""


def take_snapshot(installation: ChartInstallation) -> FleetSnapshot:
    vms = {
        one["metadata"]["uid"]: (one["status"]["phase"], one["status"].get("vm", {}).get("uuid", ""))
        for one in installation.list_objects("ankainstances")
    }
    log = [entry["argv"] for mac in installation.cloud.macs.values() for entry in mac.commands()]
    return FleetSnapshot(vms, sum("start" in argv for argv in log))


@contextmanager
def poll_rest(installation: ChartInstallation) -> Iterator[list[str]]:
    """Poll REST while the block runs, by a new connection each time; yields the answers that are not OK."""
    stop, failures, count = threading.Event(), [], [0]

    def poll() -> None:
        while not stop.wait(0.05):
            count[0] += 1
            try:
                status = installation.cloud.rest("GET", "/api/v1/status")["status"]
            except OSError as error:
                status = str(error)
            if status != "OK":
                failures.append(status)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield failures
    finally:
        stop.set()
        thread.join()
    assert count[0] > 10
