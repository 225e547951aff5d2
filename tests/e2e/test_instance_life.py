"""One life after another, by kubectl and by REST, on real processes."""

import base64
import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from support.cloud import TAG, TEMPLATE
from support.ssh import ssh

pytestmark = pytest.mark.e2e


def manifest(name: str, **spec: Any) -> str:
    return json.dumps(
        {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": "AnkaInstance",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"template": TEMPLATE, **spec},
        }
    )


def get(cloud: LocalCloud, name: str) -> dict[str, Any]:
    instance = json.loads(cloud.kubectl.run("get", "ankainstance", name, "--output=json"))
    assert isinstance(instance, dict)
    return instance


def test_applied_with_kubectl_it_runs_and_is_gone_when_delete_returns(cloud: LocalCloud, ssh_key: Path) -> None:
    before = cloud.vm_names()
    cloud.kubectl.run("apply", "--filename=-", stdin=manifest("life-1"))
    cloud.wait_for("ankainstance/life-1", "condition=Ready")

    instance = get(cloud, "life-1")
    status = instance["status"]
    assert status["phase"] == "Started"
    assert status["nodeName"] in cloud.macs
    assert status["template"] | {"name": TEMPLATE, "tag": TAG} == status["template"]
    assert {c["type"]: c["status"] for c in status["conditions"]} == {"Scheduled": "True", "Ready": "True"}
    assert all(c["observedGeneration"] == instance["metadata"]["generation"] for c in status["conditions"])
    [rule] = [rule for rule in status["vm"]["portForwarding"] if rule["guestPort"] == 22]

    answer = ssh(ssh_key, status["vm"]["hostIp"], rule["hostPort"], 'echo "$USER:$((6*7))"; exit 3')
    assert (answer.stdout, answer.returncode) == ("anka:42\n", 3)

    # A change that nobody has to act on is seen all the same: kubectl wait, Flux and Argo CD wait for that.
    cloud.kubectl.run("patch", "ankainstance", "life-1", "--type=merge", '--patch={"spec":{"displayName":"x"}}')
    cloud.wait_for("ankainstance/life-1", "jsonpath={.status.observedGeneration}=2", "condition=Ready")

    cloud.kubectl.run("delete", "ankainstance", "life-1")
    assert cloud.vm_names() == before


def test_kubectl_get_anka_shows_the_cloud_at_a_glance(cloud: LocalCloud) -> None:
    cloud.kubectl.run("apply", "--filename=-", stdin=manifest("glance"))
    cloud.wait_for("ankainstance/glance", "condition=Ready")
    table = cloud.kubectl.run("get", "anka", "--all-namespaces")
    [row] = [line for line in table.splitlines() if "/glance " in line]
    vm = get(cloud, "glance")["status"]["vm"]
    for word in ("default", "Started", "True", "mac-0", TEMPLATE, TAG, vm["ip"]):
        assert word in row
    assert "ankanode.anka.veertu.com/mac-01" in table
    assert "Active" in table
    cloud.kubectl.run("delete", "ankainstance", "glance")


def rest_until(cloud: LocalCloud, instance: str, state: str, seconds: float = 60) -> dict[str, Any]:
    """Polls as every client does."""
    deadline = time.monotonic() + seconds
    while True:
        answer = cloud.rest("GET", f"/api/v1/vm?id={instance}")
        if answer["status"] == "OK" and answer["body"]["instance_state"] == state:
            return dict(answer["body"])
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)


def test_the_same_by_rest(cloud: LocalCloud, ssh_key: Path) -> None:
    external = f"job-{uuid.uuid4()}"
    answer = cloud.rest("POST", "/api/v1/vm", {"vmid": cloud.registry.templates[0], "external_id": external})  # type: ignore[union-attr]
    assert (answer["status"], len(answer["body"])) == ("OK", 1)
    [instance] = answer["body"]
    listed = [item for item in cloud.rest("GET", "/api/v1/vm")["body"] if item["instance_id"] == instance]
    assert [item["external_id"] for item in listed] == [external]

    vm = rest_until(cloud, instance, "Started")
    [port] = [rule["host_port"] for rule in vm["vminfo"]["port_forwarding"] if rule["guest_port"] == 22]
    assert ssh(ssh_key, vm["vminfo"]["host_ip"], port, "echo hi").stdout == "hi\n"
    node = cloud.rest("GET", f"/api/v1/node?id={vm['node_id']}")["body"][0]
    assert (node["state"], node["host_arch"]) == ("Active", "arm64")
    assert node["vm_count"] >= 1

    # The id that the old API gave is the object's name: what a CI log shows, kubectl finds.
    assert cloud.kubectl.run("get", "ankainstance", instance, "--namespace=anka-ci", "--output=name").strip()
    assert cloud.rest("DELETE", "/api/v1/vm", {"id": instance})["status"] == "OK"
    assert rest_until(cloud, instance, "Terminated")["instance_state"] == "Terminated"
    assert not any(vm["vminfo"]["name"] in mac.vm_names() for mac in cloud.macs.values())


def script(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("handler", "left"), [("Stop", ["stopped"]), ("Keep", ["running"]), ("Delete", [])], ids=["stop", "keep", "delete"]
)
def test_a_failing_script_fails_the_instance_with_its_output(cloud: LocalCloud, handler: str, left: list[str]) -> None:
    name = f"script-{handler.lower()}"
    spec = {"content": script("echo out; echo err >&2; exit 7"), "monitoring": True, "failHandler": handler}
    cloud.kubectl.run("apply", "--filename=-", stdin=manifest(name, startupScript=spec))
    cloud.wait_for(f"ankainstance/{name}", "condition=Stalled")
    status = get(cloud, name)["status"]
    assert status["phase"] == "Error"
    assert {**status["startupScript"], "stdout": "out\n", "stderr": "err\n", "returnCode": 7} == status["startupScript"]
    assert "7" in status["message"]
    vm_name = status["vm"]["name"]
    assert [vm["status"] for mac in cloud.macs.values() for vm in mac.vms() if vm["name"] == vm_name] == left
    cloud.kubectl.run("delete", "ankainstance", name)
    assert vm_name not in cloud.vm_names()


def test_a_script_from_a_secret_runs_and_nobody_else_learns_it(cloud: LocalCloud) -> None:
    word = f"sesame-{uuid.uuid4()}"
    here = "--namespace=anka-ci"
    text = f"test -n '{word}' && echo done"
    cloud.kubectl.run("create", "secret", "generic", "ci-setup", here, f"--from-literal=setup={text}")
    wanted = json.loads(
        manifest("secretive", startupScript={"secretRef": {"name": "ci-setup", "key": "setup"}, "monitoring": True})
    )
    wanted["metadata"]["namespace"] = "anka-ci"
    cloud.kubectl.run("apply", "--filename=-", stdin=json.dumps(wanted))
    cloud.kubectl.run("wait", here, "--for=condition=Ready", "ankainstance/secretive", "--timeout=60s", timeout=70)
    shown = cloud.kubectl.run("get", "ankainstance", "secretive", here, "--output=json")
    status = json.loads(shown)["status"]
    assert (status["startupScript"]["stdout"], status["startupScript"]["returnCode"]) == ("done\n", 0)
    rights = ("get", "roles,rolebindings", here, "--selector=anka.veertu.com/secret-right", "--output=name")
    deadline = time.monotonic() + 60
    while cloud.kubectl.run(*rights).strip():
        assert time.monotonic() < deadline, "the right outlived the start"
    assert word not in shown
    assert word not in json.dumps(cloud.rest("GET", "/api/v1/vm"))
    assert word not in cloud.kubectl.run("get", "events", here, "--output=json")
    logs = [path for path in cloud.directory.rglob("*.log") if path.parent.name == "logs"]
    assert len(logs) >= 4
    assert [path.name for path in logs if word in path.read_text(errors="replace")] == []
    cloud.kubectl.run("delete", "ankainstance", "secretive", here)
    cloud.kubectl.run("delete", "secret", "ci-setup", here)


def test_a_large_script_of_many_instances_is_stored_once_and_goes_with_them(cloud: LocalCloud) -> None:
    here, count = "--namespace=anka-ci", 3
    content = base64.b64encode(b"echo done #" + b"x" * 200_000).decode()
    wanted = {"vmid": TEMPLATE, "count": count, "startup_script": content, "script_monitoring": True}
    ids = cloud.rest("POST", "/api/v1/vm", wanted)["body"]
    names = [f"ankainstance/{id_}" for id_ in ids]
    cloud.kubectl.run("wait", here, "--for=condition=Ready", *names, "--timeout=60s", timeout=70)
    for id_ in ids:
        shown = cloud.kubectl.run("get", "ankainstance", id_, here, "--output=json", "--show-managed-fields")
        assert json.loads(shown)["status"]["startupScript"]["stdout"] == "done\n"
        assert len(shown) < 20_000
    stored = ("get", "secrets", here, "--selector=app.kubernetes.io/created-by=anka-shim", "--output=name")
    assert len(cloud.kubectl.run(*stored).split()) == 1
    for id_ in ids:
        assert cloud.rest("DELETE", "/api/v1/vm", {"id": id_})["status"] == "OK"
    cloud.kubectl.run("wait", here, "--for=delete", *names, "--timeout=60s", timeout=70)
    # Garbage collection: it looks for new kinds every 30 s.
    deadline = time.monotonic() + 120
    while cloud.kubectl.run(*stored).strip():
        assert time.monotonic() < deadline, "the script outlived its instances"


def test_an_unknown_template_waits_and_says_why(cloud: LocalCloud) -> None:
    cloud.kubectl.run("apply", "--filename=-", stdin=manifest("nowhere", template="no-such-template"))
    cloud.wait_for("ankainstance/nowhere", "condition=Scheduled=False")
    [ready] = [c for c in get(cloud, "nowhere")["status"]["conditions"] if c["type"] == "Ready"]
    assert "no-such-template" in ready["message"]
    cloud.kubectl.run("delete", "ankainstance", "nowhere")


def test_an_instance_too_many_waits_and_starts_when_there_is_room(cloud: LocalCloud) -> None:
    names = [f"full-{number}" for number in range(9)]
    cloud.kubectl.run("apply", "--filename=-", stdin="\n---\n".join(manifest(name) for name in names))
    waiting = ""
    deadline = time.monotonic() + 60
    while not waiting:
        assert time.monotonic() < deadline
        states = {name: conditions(get(cloud, name)) for name in names}
        waiting = next((name for name in names if states[name].get("Scheduled") == "False"), "")
    message = next(c["message"] for c in get(cloud, waiting)["status"]["conditions"] if c["type"] == "Ready")
    assert message.startswith("0/2 nodes fit: 2 full")
    cloud.kubectl.run("delete", "ankainstance", next(name for name in names if name != waiting))
    cloud.wait_for(f"ankainstance/{waiting}", "condition=Ready")
    cloud.kubectl.run("delete", "ankainstance", "--all")


def conditions(instance: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in instance["status"]["conditions"]}
