"""A morning in a small build cloud: a group is full, a Mac fails, a template is on its way. All of it happens."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from anka_crds.api.meta import GROUP
from anka_dev.cloud import LocalCloud
from anka_sim.mac import faults

IOS_MACS = ("mac-01", "mac-02", "mac-03")
GENERAL_MACS = ("mac-04", "mac-05", "mac-06")
FAILING_MAC = "mac-06"
FAILURES = 3
PULLING_MAC = "mac-05"
"""A slow download to it goes on while the pictures are taken."""
XCODE = "macos-15-xcode-16"
PLAIN = "macos-15"
OLD = "macos-14"
TAGS = {XCODE: ("16.2", "16.3", "16.4"), PLAIN: ("vanilla",), OLD: ("xcode-15.4",)}
SHOWN_INSTANCE = "ios-build-4711"
"""It downloads its template, and runs a script: every step of a start is in its timeline."""
LONGEST_WAITING = "ios-build-4717"
_TEMPLATE_BYTES = 6_000_000_000
_SLOW_BYTES_PER_SECOND = 50_000_000
# A Mac whose VMs take some seconds to start.
_MAC = {
    "delays": {
        "clone": 1.2,
        "start": [3.0, 5.0],
        "network": 1.0,
        "stop": 0.1,
        "pull_bytes_per_second": 1_500_000_000,
    },
    "ram_bytes": 32 << 30,
}
_SECONDS = 180.0
_SCRIPT = base64.b64encode(b"echo checked out at $(sw_vers -productVersion)\n").decode()
_PREPARE = base64.b64encode(b"echo tools installed\n").decode()

Manifest = dict[str, Any]


def make_manifest(kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return {"apiVersion": f"{GROUP}/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def make_instance(name: str, template: str, **spec: Any) -> Manifest:
    job = name.rsplit("-", 1)[-1]
    known = {"template": template, "externalId": f"https://ci.example.com/jobs/{job}", "metadata": {"team": "payments"}}
    return make_manifest("AnkaInstance", name, known | spec)


class Scenario:
    """Makes `cloud` worth looking at, step by step; each returns once what it is about is there."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud

    def bring_up(self) -> None:
        cloud = self.cloud
        cloud.install()
        registry = cloud.start_registry()
        for template, tags in TAGS.items():
            registry.add_template(template, tags, size=_TEMPLATE_BYTES)
        cloud.start_operator()
        cloud.start_shim()
        self._apply(
            make_manifest("NodeGroup", "general", {"description": "Macs for everybody"}),
            make_manifest("NodeGroup", "ios", {"displayName": "iOS", "description": "iOS builds and tests"}),
        )
        for group, names in (("ios", IOS_MACS), ("general", GENERAL_MACS)):
            for name in names:
                cloud.add_mac(name, f"--groups={group}", **_MAC)
        cloud.wait_ready(_SECONDS)

    def start_instances(self) -> None:
        """Group ios is full afterwards, group general has room."""
        script = {"content": _SCRIPT, "condition": "NetworkUp", "monitoring": True, "timeoutSeconds": 60}
        self._start(make_instance(SHOWN_INSTANCE, XCODE, group="ios", startupScript=script, priority=100))
        self._distribute("xcode-to-ios", {"template": XCODE, "group": "ios"})
        self._start(*(make_instance(f"ios-build-{number}", XCODE, group="ios") for number in range(4712, 4717)))
        self._start(
            make_instance("web-tests-901", PLAIN, node=GENERAL_MACS[0]),
            make_instance("web-tests-902", PLAIN, node=GENERAL_MACS[0]),
            make_instance("lint-88", OLD, node=PULLING_MAC),
        )

    def fail_on_one_mac(self) -> None:
        mac = self.cloud.macs[FAILING_MAC]
        fault = {"command": "start", "action": "fail", "message": "the disk of the VM cannot be opened", "code": 1}
        faults.add(mac.store, fault)
        names = [f"nightly-{number}" for number in range(31, 31 + FAILURES)]
        self._apply(*(make_instance(name, PLAIN, node=FAILING_MAC) for name in names))
        for name in names:
            self.cloud.wait_for(f"ankainstance/{name}", "jsonpath={.status.phase}=Error", seconds=_SECONDS)
        faults.clear(mac.store)

    def save_an_image(self) -> None:
        self._start(make_instance("golden-1", PLAIN, node=FAILING_MAC))
        saved = {"instance": "golden-1", "targetTemplate": PLAIN, "tag": "with-tools", "script": _PREPARE}
        self._apply(make_manifest("SaveImage", "golden", saved | {"description": "vanilla, with our tools"}))
        self.cloud.wait_for("saveimage/golden", "jsonpath={.status.phase}=Done", seconds=_SECONDS)

    def queue_up(self) -> None:
        """Three wait for a full group; a fourth can never run, because its template does not exist."""
        waiting = [
            make_instance(LONGEST_WAITING, XCODE, group="ios"),
            make_instance("ios-build-4718", XCODE, group="ios"),
            make_instance("release-12", XCODE, group="ios", priority=2000),
        ]
        for manifest in waiting:
            self._apply(manifest)
            self._await_reason(manifest, "Unschedulable")
        typo = make_instance("beta-tests-5", "macos-16")
        self._apply(typo)
        self._await_reason(typo, "TemplateNotFound")

    def pull_slowly(self) -> None:
        """One Mac has the template after some seconds, the other takes minutes."""
        self.cloud.macs[PULLING_MAC].configure(delays={"pull_bytes_per_second": _SLOW_BYTES_PER_SECOND})
        wanted = {"template": XCODE, "nodes": [GENERAL_MACS[0], PULLING_MAC]}
        self._apply(make_manifest("TemplateDistribution", "xcode-to-general", wanted))
        self.cloud.wait_for(
            "templatedistribution/xcode-to-general", "jsonpath={.status.nodes[?(@.done==true)].done}=true"
        )

    def id_of(self, name: str) -> str:
        """As the REST API and the portal's addresses have it."""
        found = self.cloud.kubectl.run("get", "ankainstance", name, "--output=jsonpath={.metadata.uid}")
        return found.strip()

    def _start(self, *manifests: Manifest) -> None:
        self._apply(*manifests)
        for manifest in manifests:
            name = manifest["metadata"]["name"]
            self.cloud.wait_for(f"ankainstance/{name}", "condition=Ready", seconds=_SECONDS)

    def _distribute(self, name: str, spec: dict[str, Any]) -> None:
        self._apply(make_manifest("TemplateDistribution", name, spec))
        self.cloud.wait_for(f"templatedistribution/{name}", "condition=Ready", seconds=_SECONDS)

    def _await_reason(self, manifest: Manifest, reason: str) -> None:
        name = manifest["metadata"]["name"]
        path = "{.status.conditions[?(@.type=='Scheduled')].reason}"
        self.cloud.wait_for(f"ankainstance/{name}", f"jsonpath={path}={reason}", seconds=_SECONDS)

    def _apply(self, *manifests: Manifest) -> None:
        self.cloud.kubectl.run("apply", "--filename=-", stdin=json.dumps(_as_list(manifests)))


def _as_list(manifests: Iterable[Manifest]) -> Manifest:
    return {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
