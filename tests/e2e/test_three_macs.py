"""Templates on three Macs from their first pull to their end, once by kubectl and once by REST, on one cloud."""

from __future__ import annotations

import base64
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from support.cloud import FAST_MAC

pytestmark = pytest.mark.e2e

MEGABYTE = 1_000_000
MACS = ("mac-01", "mac-02", "mac-03")
SMALL = "mac-03"
TAGS = ["v1", "v2", "v3"]
ENDED = ("Done", "Error")
MADE = base64.b64encode(b"echo made > ~/made").decode()
SHOW = base64.b64encode(b"cat ~/made").decode()


def delays(rate: int) -> dict[str, Any]:
    return {**FAST_MAC, "delays": {**FAST_MAC["delays"], "pull_bytes_per_second": rate}}  # type: ignore[dict-item]


class Door(ABC):
    """A way into the cloud. Phases are the same words in both; progress is by Mac, in percent."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud

    @abstractmethod
    def distribute(self, template: str, tag: str, *macs: str) -> str: ...
    @abstractmethod
    def progress(self, request: str) -> dict[str, float]: ...
    @abstractmethod
    def remove(self, template: str, mac: str) -> None: ...
    @abstractmethod
    def start(self, template: str, tag: str, mac: str = "", script: str = "") -> str: ...
    @abstractmethod
    def instance(self, id_: str) -> dict[str, Any]:
        """phase, node, tag, message, stdout; phase is None when it is gone."""

    @abstractmethod
    def end(self, id_: str) -> None: ...
    @abstractmethod
    def save(self, id_: str, template: str, tag: str) -> str: ...
    @abstractmethod
    def saved(self, request: str) -> str: ...
    @abstractmethod
    def tags(self, template: str) -> list[str] | None:
        """None when the template is gone."""

    @abstractmethod
    def revert(self, template: str, tag: str) -> None: ...
    @abstractmethod
    def delete(self, template: str) -> None: ...


class Kubectl(Door):
    made = 0

    def distribute(self, template: str, tag: str, *macs: str) -> str:
        nodes = {"nodes": list(macs)} if macs else {}
        return self._make("TemplateDistribution", {"template": template, "tag": tag, **nodes})

    def progress(self, request: str) -> dict[str, float]:
        status = self._get("templatedistribution", request).get("status", {})
        return {one["nodeName"]: one.get("progressPercent", 0) for one in status.get("nodes", [])}

    def remove(self, template: str, mac: str) -> None:
        spec = {"template": template, "action": "Remove", "nodes": [mac]}
        request = self._make("TemplateDistribution", spec)
        self.cloud.wait_for(f"templatedistribution/{request}", "condition=Ready")

    def start(self, template: str, tag: str, mac: str = "", script: str = "") -> str:
        spec: dict[str, Any] = {"template": template, "tag": tag, **({"node": mac} if mac else {})}
        if script:
            spec["startupScript"] = {"content": script, "monitoring": True}
        return self._make("AnkaInstance", spec)

    def instance(self, id_: str) -> dict[str, Any]:
        status = self._get("ankainstance", id_).get("status", {})
        return {
            "phase": status.get("phase"),
            "node": status.get("nodeName"),
            "tag": status.get("template", {}).get("tag"),
            "message": status.get("message", ""),
            "stdout": status.get("startupScript", {}).get("stdout"),
        }

    def end(self, id_: str) -> None:
        self.cloud.kubectl.run("delete", "ankainstance", id_, "--ignore-not-found", "--timeout=60s")

    def save(self, id_: str, template: str, tag: str) -> str:
        return self._make("SaveImage", {"instance": id_, "targetTemplate": template, "tag": tag, "script": MADE})

    def saved(self, request: str) -> str:
        return str(self._get("saveimage", request).get("status", {}).get("phase"))

    def tags(self, template: str) -> list[str] | None:
        found = self._get("ankatemplate", template)
        return [one["tag"] for one in found.get("status", {}).get("versions", [])] if found else None

    def revert(self, template: str, tag: str) -> None:
        """The registry is changed by its own tools; the objects follow."""
        self.cloud.macs[MACS[0]].run("registry", "revert", "--tag", tag, "--yes", template)

    def delete(self, template: str) -> None:
        self.cloud.macs[MACS[0]].run("registry", "revert", "--all", "--yes", template)

    def _make(self, kind: str, spec: dict[str, Any]) -> str:
        Kubectl.made += 1
        name = f"made-{Kubectl.made}"
        manifest = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.cloud.kubectl.run("create", "--namespace=default", "-f-", stdin=json.dumps(manifest))
        return name

    def _get(self, kind: str, name: str) -> dict[str, Any]:
        """Empty when it is gone."""
        found = json.loads(self.cloud.kubectl.run("get", kind, name, "--ignore-not-found", "--output=json") or "{}")
        assert isinstance(found, dict)
        return found


class Rest(Door):
    def distribute(self, template: str, tag: str, *macs: str) -> str:
        nodes = {"node_ids": list(macs)} if macs else {}
        asked = {"template_id": template, "tag": tag, **nodes}
        return str(self._body("POST", "/api/v1/registry/vm/distribute", asked)["request_id"])

    def progress(self, request: str) -> dict[str, float]:
        status = self._body("GET", f"/api/v1/registry/vm/distribute?id={request}")["distribute_status"]
        return {name: round(100 * one["progress"]) for name, one in status.items()}

    def remove(self, template: str, mac: str) -> None:
        self._body("DELETE", f"/api/v1/registry/vm/remove?id={template}", {"node_ids": [mac]})

    def start(self, template: str, tag: str, mac: str = "", script: str = "") -> str:
        asked: dict[str, Any] = {"vmid": template, "tag": tag, **({"node_id": mac} if mac else {})}
        if script:
            asked |= {"startup_script": script, "script_monitoring": True}
        return str(self._body("POST", "/api/v1/vm", asked)[0])

    def instance(self, id_: str) -> dict[str, Any]:
        vm = self._body("GET", f"/api/v1/vm?id={id_}")
        phase = vm["instance_state"]
        return {
            "phase": None if phase == "Terminated" else phase,
            "node": vm.get("node_id"),
            "tag": vm.get("tag"),
            "message": vm.get("message", ""),
            "stdout": vm.get("startup_script", {}).get("stdout"),
        }

    def end(self, id_: str) -> None:
        self._body("DELETE", "/api/v1/vm", {"id": id_})

    def save(self, id_: str, template: str, tag: str) -> str:
        asked = {"id": id_, "target_vm_id": template, "tag": tag, "script": MADE}
        return str(self._body("POST", "/api/v1/image", asked)["request_id"])

    def saved(self, request: str) -> str:
        return {"done": "Done", "error": "Error"}.get(self._body("GET", f"/api/v1/image?id={request}")["status"], "")

    def tags(self, template: str) -> list[str] | None:
        answer = self.cloud.rest("GET", f"/api/v1/registry/vm?id={template}")
        return [version["tag"] for version in answer["body"]["versions"]] if answer["status"] == "OK" else None

    def revert(self, template: str, tag: str) -> None:
        self._body("DELETE", f"/api/v1/registry/revert?id={template}&tag={tag}")

    def delete(self, template: str) -> None:
        self._body("DELETE", f"/api/v1/registry/vm?id={template}")

    def _body(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.cloud.rest(method, path, body)
        assert answer["status"] == "OK", answer
        return answer.get("body")


def until(true: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


def phase(door: Door, id_: str, *phases: str | None) -> dict[str, Any]:
    """The instance in one of these phases."""
    until(lambda: door.instance(id_)["phase"] in phases, f"{id_} {phases}")
    return door.instance(id_)


def holding(cloud: LocalCloud, template: str) -> list[str]:
    return [name for name in MACS if template in {vm["uuid"] for vm in cloud.macs[name].run("list") or []}]


def events(cloud: LocalCloud, reason: str) -> list[str]:
    selector = f"--field-selector=involvedObject.name={SMALL},reason={reason}"
    found = json.loads(cloud.kubectl.run("get", "events", "--namespace=default", selector, "--output=json"))
    return [str(event["message"]) for event in found["items"]]


@pytest.fixture(scope="module")
def three(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """Two Macs with much room to which a pull takes long, and a fast one with little."""
    cloud = make_cloud()
    cloud.start_operator("--registry-seconds=0.5")
    cloud.start_shim()
    flags = ("--heartbeat=2", "--lease-duration=8", "--poll=0.5", "--reserve-space=0")
    for name in MACS[:2]:
        cloud.add_mac(name, *flags, **delays(10 * MEGABYTE))
    cloud.add_mac(SMALL, *flags, disk_bytes=150 * MEGABYTE, **delays(200 * MEGABYTE))
    cloud.wait_ready()
    return cloud


@pytest.mark.parametrize("door_of", [Kubectl, Rest], ids=["kubectl", "REST"])
def test_the_life_of_templates(three: LocalCloud, door_of: type[Door]) -> None:
    cloud, door, registry = three, door_of(three), three.registry
    assert registry is not None

    def template(name: str, *tags: str, size: int = 60) -> str:
        uuid = registry.add_template(f"{name}-{door_of.__name__.lower()}", tags, size=size * MEGABYTE)
        until(lambda: door.tags(uuid) == list(tags), f"the mirror of {name}")
        return uuid

    # To all Macs, seen while it goes on.
    main = template("main", *TAGS)
    request = door.distribute(main, "v1")
    until(lambda: any(0 < percent < 100 for percent in door.progress(request).values()), "progress")
    until(lambda: door.progress(request) == dict.fromkeys(MACS, 100), "the distribution")
    assert holding(cloud, main) == list(MACS)

    # Started from three tags, the oldest on the small Mac: what is reverted later would stay there, as nobody could
    # bring it back.
    started = {tag: door.start(main, tag, mac) for tag, mac in zip(TAGS, (SMALL, *MACS), strict=False)}
    assert {tag: phase(door, id_, "Started", "Error")["tag"] for tag, id_ in started.items()} == {t: t for t in TAGS}
    assert {door.instance(id_)["phase"] for id_ in started.values()} == {"Started"}
    assert len(cloud.vm_names()) == len(TAGS)

    # Saved, and started from what was saved.
    saving = door.save(started["v3"], main, "saved")
    until(lambda: door.saved(saving) in ENDED, "the end of the save")
    assert door.saved(saving) == "Done"
    phase(door, started.pop("v3"), None)
    until(lambda: door.tags(main) == [*TAGS, "saved"], "the saved tag")
    again = door.start(main, "saved", MACS[0], SHOW)
    assert phase(door, again, "Started", "Error")["stdout"] == "made\n"

    # Reverted: nobody can start it any more.
    for id_ in (again, *started.values()):
        door.end(id_)
        phase(door, id_, None)
    assert cloud.vm_names() == []
    door.revert(main, "v3")
    until(lambda: door.tags(main) == ["v1", "v2"], "the mirror of the revert")

    # The small disk fills: what was used least recently goes, and a template that cannot fit says so.
    second, third, huge = template("second", "v1"), template("third", "v1"), template("huge", "v1", size=200)
    for uuid in (second, third):
        filling = door.distribute(uuid, "v1", SMALL)
        full = f"{uuid} on the small Mac, which holds {cloud.macs[SMALL].run('list')}"
        until(lambda: door.progress(filling) == {SMALL: 100}, full)  # noqa: B023
        assert SMALL in holding(cloud, uuid)
    assert SMALL not in holding(cloud, main), "it was used before the second"
    assert SMALL in holding(cloud, second)
    until(lambda: any("main-" in said and third in said for said in events(cloud, "TemplateRemoved")), "the Event")
    failed = door.start(huge, "v1", SMALL)
    refused = phase(door, failed, "Started", "Error")
    assert refused["phase"] == "Error"
    assert refused["message"].startswith("the template needs 200 MB, "), refused
    assert {SMALL} <= set(holding(cloud, second)) & set(holding(cloud, third)), "nothing goes in vain"

    door.end(failed)

    # Removed from the Mac, deleted from the registry.
    for uuid in (second, third):
        door.remove(uuid, SMALL)
        until(lambda: SMALL not in holding(cloud, uuid), "the removal")  # noqa: B023
    door.delete(second)
    until(lambda: not door.tags(second), "the deletion")
    cloud.check()
