"""The chart by helm: installed, used, upgraded, uninstalled. Its pods are processes with their own ServiceAccounts."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml

from anka_dev.cloud import install
from anka_dev.errors import DevError
from support.chart import Charted
from support.cloud import FAST_MAC

pytestmark = pytest.mark.e2e

KINDS = (
    "namespaces,serviceaccounts,services,deployments,networkpolicies,poddisruptionbudgets,priorityclasses,"
    "clusterroles,clusterrolebindings,roles,rolebindings,validatingadmissionpolicies,"
    "validatingadmissionpolicybindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings"
)


def objects(text: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    found = {}
    for item in filter(None, yaml.safe_load_all(text)):
        metadata = item["metadata"]
        found[item["kind"], metadata.get("namespace", ""), metadata["name"]] = item
    return found


def bare(item: dict[str, Any]) -> dict[str, Any]:
    """Without what only helm adds: its labels, and the note that a namespace stays."""
    labels = {key: value for key, value in item["metadata"].get("labels", {}).items() if not key.startswith(OWN)}
    rest = {key: value for key, value in item["metadata"].items() if key not in ("labels", "annotations")}
    return item | {"metadata": rest | ({"labels": labels} if labels else {})}


OWN = ("app.kubernetes.io/", "helm.sh/")


def test_the_chart_is_what_the_plain_manifests_are(charted: Charted) -> None:
    charted.helm.lint({})
    rendered = objects(charted.helm.template({"policies": {"finalizer": True}}))
    for file in sorted(install.BASE.glob("*.yaml")):
        for key, item in objects(file.read_text()).items():
            if key != ("Namespace", "", "anka-system"):  # helm makes the release's own
                assert bare(rendered[key]) == item, key


def test_other_namespaces_leave_no_trace_of_the_usual_ones(charted: Charted) -> None:
    values = {"namespaces": {"nodes": "macs", "instances": "ci"}, "policies": {"finalizer": True}}
    text = charted.helm.template(values)
    assert "anka-nodes" not in text
    assert "anka-ci" not in text
    assert "system:serviceaccount:macs:node-" in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"registry": {"url": "registry:8089"}}, "registry"),
        ({"shim": {"replicas": 0}}, "replicas"),
        ({"shim": {"flag": {}}}, "flag"),
        ({"gateway": {"enabled": True}}, "name the Gateway"),
        ({"logs": {"level": "LOUD"}}, "level"),
    ],
    ids=str,
)
def test_wrong_values_are_named(charted: Charted, values: dict[str, Any], said: str) -> None:
    with pytest.raises(DevError, match=said):
        charted.helm.template(values)


def versions(charted: Charted) -> dict[str, str]:
    listed = charted.cloud.kubectl.run(
        "get", KINDS, "--all-namespaces", "--selector=app.kubernetes.io/instance=anka", "--output=json"
    )
    return {
        f"{item['kind']}/{item['metadata'].get('namespace', '')}/{item['metadata']['name']}": str(
            item["metadata"]["resourceVersion"]
        )
        for item in json.loads(listed)["items"]
    }


def living_pods(charted: Charted) -> set[str]:
    pods = json.loads(charted.cloud.kubectl.run("get", "pods", "--namespace=anka-system", "--output=json"))["items"]
    return {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def rest_until(charted: Charted, instance: str, state: str, seconds: float = 60) -> dict[str, Any]:
    """Polls as every client does, each time another replica."""
    deadline = time.monotonic() + seconds
    while True:
        for replica in range(len(charted.cloud.urls)):
            answer = charted.cloud.rest("GET", f"/api/v1/vm?id={instance}", replica=replica)
            if answer["status"] == "OK" and answer["body"]["instance_state"] == state:
                return dict(answer["body"])
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)


def test_installed_it_runs_an_instance_and_an_upgrade_restarts_nothing(charted: Charted) -> None:
    cloud = charted.cloud
    charted.upgrade()
    assert len(cloud.urls) == 2
    charted.helm.test()
    install.wait_policies(cloud.cluster, *install.BASE.glob("*.yaml"))
    mac = cloud.add_mac("mac-01", "--max-vm-count=4", "--heartbeat=2", **FAST_MAC)
    cloud.wait_for("ankanode/mac-01", "create", "condition=Ready")
    [template] = cloud.registry.templates if cloud.registry else []
    cloud.wait_for(f"ankatemplate/{template}", "create")
    answer = cloud.rest("POST", "/api/v1/vm", {"vmid": template, "count": 2})
    assert answer["status"] == "OK", answer
    for instance in answer["body"]:
        rest_until(charted, instance, "Started")
    vms, starts = cloud.vm_names(), [line for line in mac.command_log() if "start" in line["argv"]]
    assert len(vms) == 2

    before = versions(charted)
    assert len(before) > 30
    charted.upgrade()
    assert versions(charted) == before

    pods = living_pods(charted)
    charted.upgrade(logs={"level": "DEBUG"})
    assert not pods & set(
        cloud.kubectl.run("get", "pods", "-n", "anka-system", "-o", "name").replace("pod/", "").split()
    )
    assert len(cloud.urls) == 2
    for instance in answer["body"]:
        rest_until(charted, instance, "Started")
    assert cloud.vm_names() == vms
    assert [line for line in mac.command_log() if "start" in line["argv"]] == starts
    assert cloud.rest("DELETE", "/api/v1/vm", {"id": answer["body"][0]})["status"] == "OK"
    rest_until(charted, answer["body"][0], "Terminated")

    charted.helm.uninstall()
    assert len(cloud.vm_names()) == 1
    assert cloud.kubectl.run("get", "ankainstance", answer["body"][1], "-n", "anka-ci", "-o", "name").strip()
    assert "ankanodes.anka.veertu.com" in cloud.kubectl.run("get", "crds", "-o", "name")
    assert not cloud.kubectl.run("get", "deployments", "--all-namespaces", "-o", "name").strip()
