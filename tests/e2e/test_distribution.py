"""Templates come to three Macs and go again: by REST, by kubectl and by rules, through crashes and absences."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.cloud.macs import CloudMac
from support.cloud import FAST_MAC

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 60.0
MEGABYTE = 1_000_000
MACS = ("mac-01", "mac-02", "mac-03")
DISTRIBUTE = "/api/v1/registry/vm/distribute"
SLOWLY = {**FAST_MAC, "delays": {**FAST_MAC["delays"], "pull_bytes_per_second": 10 * MEGABYTE}}  # type: ignore[dict-item]


class Desk:
    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.cloud.rest(method, path, body)
        assert answer["status"] == "OK", answer
        return answer.get("body")

    def until(self, true: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := true()):
            assert time.monotonic() < deadline, self.cloud.kubectl.run("get", "ankad", "--output=yaml")
            time.sleep(0.1)
        return found

    def template(self, name: str, *tags: str, seconds: float = 0.5) -> str:
        """A new one in the registry, mirrored; the first pull of it takes so long."""
        assert self.cloud.registry is not None
        uuid = self.cloud.registry.add_template(name, tags or ["v1"], size=int(seconds * 10 * MEGABYTE))
        self.cloud.wait_for(f"ankatemplate/{uuid}", "create", "condition=Ready")
        return uuid

    def distribute(self, template: str, **parameters: Any) -> str:
        return str(self.rest("POST", DISTRIBUTE, {"template_id": template, **parameters})["request_id"])

    def status(self, request: str) -> dict[str, Any]:
        found = self.rest("GET", f"{DISTRIBUTE}?id={request}")["distribute_status"]
        assert isinstance(found, dict)
        return found

    def object(self, name: str) -> dict[str, Any]:
        found = json.loads(self.cloud.kubectl.run("get", "templatedistribution", name, "--output=json"))
        assert isinstance(found, dict)
        return found

    def ends(self, name: str, phase: str) -> dict[str, Any]:
        """It is over, and so: an end of another kind is told at once."""
        found: dict[str, Any] = self.until(
            lambda: one if (one := self.object(name))["status"]["phase"] in ("Done", "Error", "Cancelled") else None
        )
        assert found["status"]["phase"] == phase, found["status"]
        return found

    def mac(self, name: str) -> CloudMac:
        return self.cloud.macs[name]

    def holding(self, template: str) -> list[str]:
        """Macs that have it on their disks."""
        return [name for name in MACS if any(vm["uuid"] == template for vm in self.mac(name).run("list") or [])]

    def metric(self, mac: str, name: str) -> float:
        """Of the agent: 0 when it is not there."""
        agent = self.mac(mac).agent
        assert agent is not None
        port = next(word.partition("=")[2] for word in agent.argv if word.startswith("--health-port="))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " ")), 0.0)

    def pulls(self, mac: str, template: str) -> int:
        lines = [entry["argv"] for entry in self.mac(mac).commands() if "--check-download-size" not in entry["argv"]]
        return sum("pull" in argv and template in argv for argv in lines)


@pytest.fixture(scope="module")
def desk(make_cloud: Callable[[], LocalCloud]) -> Desk:
    cloud = make_cloud()
    cloud.start_operator("--registry-seconds=1", "--node-lost-seconds=15")
    cloud.start_shim()
    for name in MACS:
        cloud.add_mac(name, "--heartbeat=1", "--lease-duration=8", "--poll=0.5", **SLOWLY)
    cloud.wait_ready()
    return Desk(cloud)


def test_to_all_macs_with_progress(desk: Desk) -> None:
    template = desk.template("to-all", seconds=9)
    request = desk.distribute("to-all", tag="v1")
    # Scripts look at once.
    at_once = desk.status(request)
    assert {name: (entry["progress"] < 1, entry["status"]) for name, entry in at_once.items()} == dict.fromkeys(
        MACS, (True, False)
    )
    percent = f'anka_agent_pull_progress_percent{{tag="v1",template="{template}"}}'
    desk.until(lambda: desk.metric("mac-02", percent) > 0)
    desk.until(lambda: any(0 < entry["progress"] < 1 for entry in desk.status(request).values()))
    shown = desk.object(request)["status"]
    assert shown["phase"] == "Running"
    assert any(0 < entry["progressPercent"] < 100 for entry in shown["nodes"])
    assert shown["progress"].startswith("0/3 (")
    done = desk.ends(request, "Done")["status"]
    assert (done["progress"], done["template"]["tag"], done["template"]["id"]) == ("3/3 (100 %)", "v1", template)
    desk.until(lambda: desk.status(request) == {name: {"progress": 1, "status": True} for name in MACS})
    assert desk.holding(template) == list(MACS)
    assert [desk.pulls(name, template) for name in MACS] == [1, 1, 1]
    assert request in [one["request"]["request_id"] for one in desk.rest("GET", DISTRIBUTE)]


def test_to_a_group_by_kubectl(desk: Desk) -> None:
    template = desk.template("to-group", "v1", "v2")
    group = desk.rest("POST", "/api/v1/group", {"name": "two"})["id"]
    desk.rest("POST", "/api/v1/node/group", {"group_ids": [group], "node_ids": ["mac-02"]})
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "TemplateDistribution",
        "metadata": {"name": "to-group"},
        "spec": {"template": "to-group", "version": 0, "group": group},
    }
    desk.cloud.kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
    done = desk.ends("to-group", "Done")["status"]
    assert [entry["nodeName"] for entry in done["nodes"]] == ["mac-02"]
    assert done["template"]["tag"] == "v1"
    assert desk.holding(template) == ["mac-02"]
    assert [row for row in desk.rest("GET", DISTRIBUTE) if row["request"]["template_id"] == template]
    ttl = json.dumps({"spec": {"ttlSecondsAfterFinished": 1}})
    desk.cloud.kubectl.run("patch", "ankad", "to-group", "--type=merge", f"--patch={ttl}")
    desk.cloud.wait_for("templatedistribution/to-group", "delete")


def test_one_mac_more_after_the_end(desk: Desk) -> None:
    template, kubectl = desk.template("one-more"), desk.cloud.kubectl
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "TemplateDistribution",
        "metadata": {"name": "one-more"},
        "spec": {"template": "one-more", "nodes": ["mac-01"]},
    }
    for number in (1, 2):
        manifest["spec"] = {"template": "one-more", "nodes": list(MACS)[:number]}
        kubectl.run("apply", "--server-side", "--filename=-", stdin=json.dumps(manifest))
        # What people wait with: it must not believe the end before the change.
        kubectl.run(
            "wait", f"--for=jsonpath={{.status.observedGeneration}}={number}", "ankad/one-more", "--timeout=60s"
        )
        kubectl.run("wait", "--for=condition=Ready", "ankad/one-more", "--timeout=60s")
        assert desk.holding(template) == list(MACS)[:number]
    assert [desk.pulls(name, template) for name in list(MACS)[:2]] == [1, 1]


def test_cancelled_in_the_middle_of_the_pull(desk: Desk) -> None:
    template = desk.template("cancelled", seconds=300)
    request = desk.distribute(template, node_ids=["mac-01"])
    under_way = f'anka_agent_pull_progress_percent{{tag="v1",template="{template}"}}'
    cut = 'anka_agent_pull_seconds_count{result="cancelled"}'
    before = desk.metric("mac-01", cut)
    desk.until(lambda: desk.metric("mac-01", under_way) > 0)
    desk.rest("DELETE", f"{DISTRIBUTE}?id={request}")
    desk.until(lambda: desk.metric("mac-01", cut) == before + 1)
    assert desk.ends(request, "Cancelled")["status"]["nodes"][0]["message"] == "The request was cancelled"
    assert desk.holding(template) == []
    desk.rest("DELETE", f"{DISTRIBUTE}?id={request}")  # it is over: that is fine


def test_an_instance_keeps_the_pull_that_is_cancelled(desk: Desk) -> None:
    template = desk.template("shared", seconds=9)
    request = desk.distribute(template, node_ids=["mac-01"])
    under_way = f'anka_agent_pull_progress_percent{{tag="v1",template="{template}"}}'
    desk.until(lambda: desk.metric("mac-01", under_way) > 0)
    (instance,) = desk.rest("POST", "/api/v1/vm", {"vmid": template, "node_id": "mac-01"})
    desk.until(lambda: desk.rest("GET", f"/api/v1/vm?id={instance}")["instance_state"] == "Pulling")
    desk.rest("DELETE", f"{DISTRIBUTE}?id={request}")
    desk.ends(request, "Cancelled")
    desk.until(lambda: desk.rest("GET", f"/api/v1/vm?id={instance}")["instance_state"] == "Started")
    assert desk.pulls("mac-01", template) == 1
    desk.rest("DELETE", "/api/v1/vm", {"id": instance})


def test_removed_from_the_macs_that_hold_it(desk: Desk) -> None:
    template = desk.template("to-remove")
    desk.ends(desk.distribute(template, node_ids=["mac-01", "mac-03"]), "Done")
    # As REST shows it, which is asked to remove it.
    desk.until(lambda: shown_to_hold(desk, template) == ["mac-01", "mac-03"])
    removed = desk.rest("DELETE", f"/api/v1/registry/vm/remove?id={template}")
    assert removed == {"requests_sent": 2, "node_ids": ["mac-01", "mac-03"]}
    desk.until(lambda: desk.holding(template) == [])
    desk.until(lambda: held_by(desk, template) == shown_to_hold(desk, template) == [])
    assert desk.rest("DELETE", f"/api/v1/registry/vm/remove?id={template}") == {"requests_sent": 0, "node_ids": []}


def shown_to_hold(desk: Desk, template: str) -> list[str]:
    """As REST shows it."""
    rows = desk.rest("GET", "/api/v1/node")
    return sorted(row["node_id"] for row in rows if template in [held["uuid"] for held in row["templates"]])


def distributions(desk: Desk) -> dict[str, dict[str, Any]]:
    """The spec of each, by name."""
    items = json.loads(desk.cloud.kubectl.run("get", "ankad", "--output=json"))["items"]
    return {one["metadata"]["name"]: one["spec"] for one in items}


def held_by(desk: Desk, template: str) -> list[str]:
    """As the API shows it."""
    rows = json.loads(desk.cloud.kubectl.run("get", "ankatemplate", template, "--output=json"))["status"]["nodes"]
    return [row["nodeName"] for row in rows]


def test_a_mac_that_is_offline_holds_nobody_up(desk: Desk) -> None:
    template = desk.template("offline")
    agent = desk.mac("mac-03").agent
    assert agent is not None
    # Its port stays taken, so that it can go on: a Mac that sleeps.
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        request = desk.distribute(template)
        failed = desk.ends(request, "Error")
    finally:
        os.kill(agent.pid, signal.SIGCONT)
    assert failed["status"]["progress"] == "2/3 (66 %), 1 not done"
    desk.until(lambda: [desk.status(request)[name]["status"] for name in MACS] == [True, True, False])
    desk.until(lambda: desk.status(request)["mac-03"].get("message") == "The Mac is Offline, and was given up")
    desk.cloud.wait_for("ankanode/mac-03", "condition=Ready")
    assert desk.holding(template) == ["mac-01", "mac-02"]


def test_an_agent_killed_in_the_middle_of_a_pull_begins_again(desk: Desk) -> None:
    template = desk.template("killed", seconds=4)
    agent = desk.mac("mac-02").agent
    assert agent is not None
    desk.cloud.wait_for("ankanode/mac-02", "condition=Ready")
    request = desk.distribute(template, node_ids=["mac-02"])
    under_way = f'anka_agent_pull_progress_percent{{tag="v1",template="{template}"}}'
    desk.until(lambda: desk.metric("mac-02", under_way) > 0)
    agent.kill()
    agent.start()
    desk.ends(request, "Done")
    assert desk.holding(template) == ["mac-02"]


def test_a_rule_keeps_the_newest_tag_on_a_group(desk: Desk) -> None:
    template = desk.template("ruled", "v1")
    group = desk.rest("POST", "/api/v1/group", {"name": "kept"})["id"]
    rule = json.dumps({"spec": {"distribution": [{"groups": [group]}]}})
    desk.cloud.kubectl.run("patch", "ankatemplate", template, "--type=merge", f"--patch={rule}")
    # A Mac that joins the group later gets it too.
    desk.rest("POST", "/api/v1/node/group", {"group_ids": [group], "node_ids": ["mac-03"]})
    desk.until(lambda: desk.holding(template) == ["mac-03"])
    assert desk.cloud.registry is not None
    desk.cloud.registry.add_template("ruled", ["v2"], size=MEGABYTE, uuid=template)

    def tags() -> list[str]:
        node = json.loads(desk.cloud.kubectl.run("get", "ankanode", "mac-03", "--output=json"))
        return [held["tag"] for held in node["status"]["templates"] if held["uuid"] == template]

    desk.until(lambda: tags() == ["v1", "v2"])
    # What a rule keeps cannot be removed under it.
    desk.until(lambda: shown_to_hold(desk, template) == ["mac-03"])
    before = distributions(desk)
    desk.rest("DELETE", f"/api/v1/registry/vm/remove?id={template}", {"node_ids": ["mac-03"]})
    [name] = [
        name for name, spec in distributions(desk).items() if name not in before and spec.get("action") == "Remove"
    ]
    refused = desk.ends(name, "Error")["status"]["nodes"][0]["message"]
    assert refused == f"spec.distribution of AnkaTemplate {template} keeps tag v2 here: change that first"
