"""Saving instances to the registry: by REST and by kubectl, with everything that can stand in its way."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.cloud.macs import CloudMac
from anka_sim.mac import faults
from anka_sim.mac.store import FileStore, read_json
from support.cloud import FAST_MAC, TAG, TEMPLATE
from support.cluster import audit_events

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 60.0
OUTCOMES = ("done", "error")


class Rest:
    """A client, and its cloud of one operator, one shim and two Macs."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        assert cloud.registry is not None
        self.registry = cloud.registry
        self.template = cloud.registry.templates[0]

    def answer(self, method: str, path: str, **data: Any) -> dict[str, Any]:
        content = json.dumps(data) if data else None
        answer = httpx.request(method, self.cloud.urls[0] + path, content=content, timeout=30).json()
        assert isinstance(answer, dict)
        return answer

    def body(self, method: str, path: str, **data: Any) -> Any:
        answer = self.answer(method, path, **data)
        assert answer["status"] == "OK", answer
        return answer.get("body")

    def until(self, true: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := true()):
            assert time.monotonic() < deadline, f"{what}: {self.body('GET', '/api/v1/image')}"
            time.sleep(0.05)
        return found

    def start(self, **parameters: Any) -> str:
        """Of the seeded tag, unless another is asked for: what other tests save is the latest."""
        (id_,) = self.body("POST", "/api/v1/vm", **{"vmid": self.template, "tag": TAG, **parameters})
        self.until(lambda: self.state(id_) == "Started", f"instance {id_}")
        return str(id_)

    def state(self, id_: str) -> str:
        answer = self.answer("GET", f"/api/v1/vm?id={id_}")
        return str(answer["body"]["instance_state"] if answer["status"] == "OK" else answer["message"])

    def vm(self, id_: str) -> dict[str, Any]:
        found = self.body("GET", f"/api/v1/vm?id={id_}")
        assert isinstance(found, dict)
        return found

    def mac(self, id_: str) -> CloudMac:
        return self.cloud.macs[self.vm(id_)["node_id"]]

    def save(self, id_: str, **parameters: Any) -> str:
        return str(self.body("POST", "/api/v1/image", id=id_, **parameters)["request_id"])

    def image(self, request: str) -> dict[str, Any]:
        found = self.body("GET", f"/api/v1/image?id={request}")
        assert isinstance(found, dict)
        return found

    def ended(self, request: str) -> dict[str, Any]:
        self.until(lambda: self.image(request)["status"] in OUTCOMES, f"request {request}")
        return self.image(request)

    def tags(self, template: str) -> list[str]:
        if template not in [row["id"] for row in self.body("GET", "/api/v1/registry/vm")]:
            return []
        return [version["tag"] for version in self.body("GET", f"/api/v1/registry/vm?id={template}")["versions"]]

    def goes_on(self, id_: str) -> bool:
        """It is told by another object than the end of the save."""
        shown = self.vm(id_)
        return (shown["instance_state"], shown["vminfo"]["status"]) == ("Started", "running")

    def gone(self, id_: str) -> None:
        """Saved: instance and VM are away."""
        self.until(lambda: self.state(id_) == "Terminated", f"instance {id_}")

    def end(self, id_: str) -> None:
        self.body("DELETE", "/api/v1/vm", id=id_)
        self.gone(id_)


def script(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def rest(make_cloud: Callable[[], LocalCloud]) -> Rest:
    cloud = make_cloud()
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim()
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, "--max-vm-count=4", "--heartbeat=2", "--lease-duration=8", "--poll=0.5", **FAST_MAC)
    cloud.wait_ready()
    return Rest(cloud)


def commands(mac: CloudMac, *words: str) -> list[list[str]]:
    plain = [[word for word in entry["argv"] if not word.startswith("--machine")] for entry in mac.commands()]
    return [argv for argv in plain if argv[: len(words)] == list(words)]


def test_as_a_tag_with_a_script_and_a_start_from_it(rest: Rest) -> None:
    id_ = rest.start()
    vm = rest.vm(id_)
    request = rest.save(
        id_,
        target_vm_id=rest.template,
        tag="saved-1",
        description="with a file",
        script=script("echo made >> ~/made; cat ~/made; echo warn >&2"),
        do_suspend_sanity_test=True,
        cancel_on_script_failure=True,
    )
    assert request in [item["id"] for item in rest.body("GET", "/api/v1/image")]
    image = rest.ended(request)
    assert image["status"] == "done", image
    assert image["error"] is None
    assert image["script_result"] == {
        "stdout": "made\n", "stderr": "warn\n", "errors": None, "did_timeout": False, "return_code": 0,
    }  # fmt: skip
    asked = image["request"]
    assert asked["Timestamp"] > 1_700_000_000
    assert asked | {
        "RequestId": request, "InstanceID": id_, "VMID": vm["vminfo"]["uuid"], "NodeID": vm["node_id"],
        "TemplateID": rest.template, "Tag": "saved-1", "Suspend": True, "DoSuspendTest": True,
        "RegistryAddr": rest.registry.url, "CancelOnScriptFailure": True,
    } == asked  # fmt: skip
    rest.gone(id_)
    assert vm["vminfo"]["name"] not in rest.cloud.vm_names()

    rest.until(lambda: "saved-1" in rest.tags(rest.template), "the mirror")
    again = rest.start(
        tag="saved-1", script_monitoring=True, startup_script=script("cat ~/made"), startup_script_condition=0
    )
    assert rest.vm(again)["startup_script"]["stdout"] == "made\n"
    rest.end(again)


def test_as_a_new_template(rest: Rest) -> None:
    id_ = rest.start()
    uuid = rest.vm(id_)["vminfo"]["uuid"]
    image = rest.ended(rest.save(id_, new_template_name="with-xcode", tag="v1", suspend=False))
    assert image["status"] == "done", image
    assert (image["request"]["NewTemplateName"], image["request"]["TemplateID"]) == ("with-xcode", "")
    rest.gone(id_)
    assert all("with-xcode" not in [vm["name"] for vm in mac.run("list")] for mac in rest.cloud.macs.values())
    rest.until(lambda: rest.tags(uuid) == ["v1"], "the mirror")
    (again,) = rest.body("POST", "/api/v1/vm", vmid="with-xcode")
    rest.until(lambda: rest.state(again) == "Started", "an instance of the new template")
    assert rest.vm(again)["vmid"] == uuid
    rest.end(again)


def test_the_latest_tag_is_reverted_before_the_push(rest: Rest) -> None:
    template = rest.registry.add_template("reverting", ["old", "new"], size=1_000_000)
    rest.until(lambda: rest.tags(template) == ["old", "new"], "the mirror")
    id_ = rest.start()
    image = rest.ended(rest.save(id_, target_vm_id=template, tag="newer", revert_before_push=True))
    assert image["status"] == "done", image
    rest.until(lambda: rest.tags(template) == ["old", "newer"], "the mirror")
    rest.gone(id_)


def test_a_revert_of_what_is_not_there_is_none(rest: Rest) -> None:
    template = rest.registry.add_template("not-reverting", ["old"], size=1_000_000)
    rest.until(lambda: rest.tags(template) == ["old"], "the mirror")
    id_ = rest.start()
    image = rest.ended(
        rest.save(id_, target_vm_id=template, tag="new", revert_before_push=True, revert_tag="none-such")
    )
    assert image["status"] == "done", image
    rest.until(lambda: rest.tags(template) == ["old", "new"], "the mirror")
    rest.gone(id_)


def test_a_failing_script_cancels_and_the_instance_goes_on(rest: Rest) -> None:
    id_ = rest.start()
    request = rest.save(
        id_, target_vm_id=TEMPLATE, tag="never", script=script("fadsfsd"), cancel_on_script_failure=True
    )
    image = rest.ended(request)
    # See docs/reference/legacy-api.md#save-image-list.
    assert image["status"] == "error"
    assert image["error"] == {"Message": "Script execution failed", "Code": 0}
    assert image["script_result"]["return_code"] == 127
    assert "fadsfsd" in image["script_result"]["stderr"]
    rest.until(lambda: rest.goes_on(id_), "the instance goes on")
    assert "never" not in rest.tags(rest.template)
    assert commands(rest.mac(id_), "suspend", rest.vm(id_)["vminfo"]["uuid"]) == []
    rest.end(id_)


def test_a_failing_script_without_cancel_is_only_told(rest: Rest) -> None:
    id_ = rest.start()
    image = rest.ended(rest.save(id_, target_vm_id=TEMPLATE, tag="all-the-same", script=script("exit 3")))
    assert (image["status"], image["script_result"]["return_code"]) == ("done", 3)
    rest.gone(id_)


def test_a_tag_that_is_there_touches_nothing(rest: Rest) -> None:
    id_ = rest.start()
    before = rest.vm(id_)["vminfo"]
    image = rest.ended(rest.save(id_, target_vm_id=TEMPLATE, tag=TAG, script=script("touch ~/ran")))
    assert image["error"]["Type"] == "TagExists"
    assert TAG in image["error"]["Message"]
    assert image["script_result"] is None
    assert rest.vm(id_)["vminfo"]["start_date"] == before["start_date"]
    rest.end(id_)


def test_the_registry_is_away(rest: Rest) -> None:
    id_ = rest.start()
    mac = rest.mac(id_)
    # It goes when the VM is suspended already: the worst moment.
    faults.add(
        FileStore(str(mac.directory)),
        {"command": "suspend", "action": "hang", "when": "after", "code": 1, "message": "", "times": 1, "seconds": 4},
    )
    request = rest.save(id_, target_vm_id=TEMPLATE, tag="lost")
    rest.until(lambda: not read_json(str(mac.directory / "faults.json")), "anka suspend")
    rest.registry.stop()
    try:
        image = rest.ended(request)
    finally:
        rest.registry.start()
    assert image["status"] == "error", image
    assert image["error"]["Type"] == "PushFailed"
    assert "anka registry push" in image["error"]["Message"]
    rest.until(lambda: rest.goes_on(id_), "the instance goes on")
    rest.end(id_)


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_agent_is_killed_while_it_pushes(rest: Rest, when: str) -> None:
    id_ = rest.start()
    mac, uuid = rest.mac(id_), rest.vm(id_)["vminfo"]["uuid"]
    assert mac.agent is not None
    faults.add(
        FileStore(str(mac.directory)),
        {
            "command": "registry push", "action": "hang", "when": when,
            "code": 1, "message": "", "times": 1, "seconds": 2,
        },
    )  # fmt: skip
    request = rest.save(id_, target_vm_id=TEMPLATE, tag=f"killed-{when}", script=script("echo once >> ~/n; cat ~/n"))
    rest.until(lambda: not read_json(str(mac.directory / "faults.json")), "anka registry push")
    mac.agent.kill()
    mac.agent.start()
    image = rest.ended(request)
    assert image["status"] == "done", image
    assert image["script_result"]["stdout"] == "once\n"
    assert len([argv for argv in commands(mac, "registry") if "push" in argv and uuid in argv]) == 1
    rest.gone(id_)
    rest.until(lambda: rest.tags(rest.template).count(f"killed-{when}") == 1, "the mirror")


def test_by_kubectl_and_what_rest_shows_of_it(rest: Rest) -> None:
    kubectl = rest.cloud.kubectl
    manifests: list[dict[str, Any]] = [
        {"kind": "AnkaInstance", "metadata": {"name": "golden"}, "spec": {"template": TEMPLATE}},
        {
            "kind": "SaveImage",
            "metadata": {"name": "golden"},
            "spec": {"instance": "golden", "targetTemplate": TEMPLATE, "tag": "golden"},
        },
    ]
    made = [{"apiVersion": "anka.veertu.com/v1alpha1", **item} for item in manifests]
    applied = kubectl.run("apply", "--filename=-", "--output=json", stdin="\n---\n".join(map(json.dumps, made)))
    uid = json.loads(applied)["items"][0]["metadata"]["uid"]
    rest.cloud.wait_for("saveimage/golden", "condition=Ready")
    rest.cloud.wait_for("ankainstance/golden", "delete")
    save = json.loads(kubectl.run("get", "saveimage", "golden", "--output=json"))
    assert save["status"]["phase"] == "Done"

    def is_shown() -> bool:
        (shown,) = [item for item in rest.body("GET", "/api/v1/image") if item["id"] == save["metadata"]["uid"]]
        return (shown["status"], shown["request"]["InstanceID"]) == ("done", uid)

    rest.until(is_shown, "REST shows what kubectl does")


def test_what_is_refused_at_once(rest: Rest) -> None:
    def message(**data: Any) -> str:
        answer = rest.answer("POST", "/api/v1/image", **data)
        assert answer["status"] == "FAIL", answer
        return str(answer["message"])

    id_ = rest.start()
    assert message(id="none-such", tag="x", target_vm_id=TEMPLATE) == "Not found"
    assert message(id=id_, tag="x", target_vm_id="none-such") == "VM not in the registry"
    assert message(id=id_, tag="x", target_vm_id=TEMPLATE, script="%%") == "illegal base64 data at input byte 0"
    # Long enough for two more requests on a busy machine.
    slow = script("sleep 4")
    first = rest.save(id_, tag="twice", target_vm_id=TEMPLATE, script=slow)
    assert rest.save(id_, tag="twice", target_vm_id=TEMPLATE, script=slow) == first
    assert message(id=id_, tag="other", target_vm_id=TEMPLATE) == f"the VM is being saved already, as request {first}"
    assert rest.ended(first)["status"] == "done"
    rest.gone(id_)
    assert message(id=id_, tag="x", target_vm_id=TEMPLATE) == (
        "the VM can't be saved: it is Terminated, and must be Started"
    )


def test_a_save_costs_four_writes_and_one_more_of_its_instance(rest: Rest) -> None:
    def writes(name: str) -> list[tuple[str, str]]:
        events = audit_events(rest.cloud.cluster)
        return [
            (event["verb"], event["objectRef"].get("subresource", ""))
            for event in events
            if event["objectRef"].get("name") == name and event["verb"] in ("create", "update", "patch", "delete")
        ]

    id_ = rest.start()
    request = rest.save(id_, target_vm_id=TEMPLATE, tag="counted")
    assert rest.ended(request)["status"] == "done"
    rest.gone(id_)
    # The log is written behind the answers: the release of the instance comes last.
    rest.until(lambda: ("patch", "") in writes(id_), "the audit log")
    # Asked, taken up, pushed by the agent, Done once the AnkaTemplate shows it.
    assert writes(request) == [("create", ""), *[("patch", "status")] * 3]
    bind, started, pushing = [("update", "status")] * 3
    assert writes(id_) == [("create", ""), bind, started, pushing, ("delete", ""), ("patch", "")]
