"""What is done to an installed chart: each makes somebody of ours write something."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from clients.jenkins import Jenkins, Label
from clients.lives import NODE
from clients.pace import Pace
from support.chart import Charted
from support.client_stage import SCALE, Stage
from support.cloud import TAG, TEMPLATE
from support.rights import Right, covers

_LOOKED_UP = Right("system:serviceaccount:anka-system:anka-shim", "", "anka.veertu.com", "ankainstances", "get")
UNKNOWN = "11111111-2222-3333-4444-555555555555"


def reverted(charted: Charted) -> None:
    """The newest tag is removed, and the operator has seen it: the template has the one it had at first."""
    Jenkins([charted.cloud.url], Pace(SCALE)).revert(charted.template)
    charted.until(lambda: charted.tags() == TAG, what="the tag is gone")


def draining(charted: Charted, mac: str, drain: bool) -> None:
    answer = charted.cloud.rest("POST", "/api/v1/node/config", {"node_id": mac, "drain_mode": drain})
    assert answer["status"] == "OK", answer
    state = "Drain Mode" if drain else "Active"
    charted.cloud.wait_for(f"ankanode/{mac}", f"jsonpath={{.status.state}}={state}")


def drained(charted: Charted, _: str = "") -> None:
    for drain in (True, False):
        draining(charted, "mac-01", drain)


def grouped(charted: Charted, name: str) -> None:
    charted.make("NodeGroup", name, displayName=name)
    for groups, count in (([name], "1"), ([], "0")):
        patch = json.dumps({"spec": {"groups": groups}})
        charted.cloud.kubectl.run("patch", "ankanode", "mac-02", "--type=merge", f"--patch={patch}")
        charted.cloud.wait_for(f"nodegroup/{name}", f"jsonpath={{.status.nodes}}={count}")
    charted.cloud.kubectl.run("delete", "nodegroup", name)


def tagged(charted: Charted, name: str) -> None:
    charted.registry.add_template(TEMPLATE, [name], size=50_000_000)
    charted.until(lambda: charted.tags() == f"{TAG} {name}", what="the tag is seen")
    reverted(charted)


def distributed(charted: Charted, name: str) -> None:
    charted.make("TemplateDistribution", name, template=charted.template)
    charted.cloud.wait_for(f"templatedistribution/{name}", "condition=Ready")
    charted.cloud.kubectl.run("delete", "templatedistribution", name)


def started(charted: Charted, name: str) -> None:
    charted.make("AnkaInstance", name, template=charted.template)
    charted.cloud.wait_for(f"ankainstance/{name}", "jsonpath={.status.phase}=Started")


def lived(charted: Charted, name: str) -> None:
    started(charted, name)
    charted.cloud.kubectl.run("delete", "ankainstance", name)


def saved(charted: Charted, name: str) -> None:
    started(charted, name)
    charted.make("SaveImage", name, instance=name, targetTemplate=charted.template, tag=name)
    charted.cloud.wait_for(f"saveimage/{name}", "condition=Ready")
    charted.cloud.kubectl.run("delete", "saveimage", name)
    reverted(charted)


def seldom_by_rest(charted: Charted, stage: Stage) -> None:
    cloud, template = charted.cloud, stage.template
    job = Jenkins([stage.url], stage.pace)
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
        urls = [f"http://{life.local}:8090/api/v1/vm" for life in charted.pods.lives("anka-shim-")]

        def asked(url: str, key: str) -> list[str]:
            answer = httpx.post(url, json={"vmid": template}, headers={"Idempotency-Key": key}, timeout=30)
            made: list[str] = answer.json()["body"]
            return made

        for number in range(40):
            first, second = together.map(asked, urls, [f"key-{number}"] * 2)
            assert first == second
            job.terminate(first[0])
            # The two may come one after the other all the same; then the second one's cache has it.
            if any(covers(_LOOKED_UP, event) for event in charted.asked()):
                break
    image = {"id": vm, "target_vm_id": template, "tag": "by-rest", "suspend": False}
    job.await_saved(cloud.rest("POST", "/api/v1/image", image)["body"]["request_id"])
    reverted(charted)


@dataclass(frozen=True)
class Running:
    """What must be the same after an upgrade."""

    vms: dict[str, tuple[str, str]]
    """By the uid of the instance: its phase, its VM's UUID."""
    starts: int
    """How often ``anka start`` was run on all Macs."""


def running(charted: Charted) -> Running:
    vms = {
        one["metadata"]["uid"]: (one["status"]["phase"], one["status"].get("vm", {}).get("uuid", ""))
        for one in charted.listed("ankainstances")
    }
    log = [entry["argv"] for mac in charted.cloud.macs.values() for entry in mac.commands()]
    return Running(vms, sum("start" in argv for argv in log))


@contextmanager
def asking(charted: Charted) -> Iterator[list[str]]:
    """What REST answered that was not OK, while the block runs and somebody asks all the time, each time anew."""
    enough, wrong, asked = threading.Event(), [], [0]

    def ask() -> None:
        while not enough.wait(0.05):
            asked[0] += 1
            try:
                status = charted.cloud.rest("GET", "/api/v1/status")["status"]
            except OSError as error:
                status = str(error)
            if status != "OK":
                wrong.append(status)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield wrong
    finally:
        enough.set()
        thread.join()
    assert asked[0] > 10
