"""The agent's version rolls over Macs, one at a time; it goes back from a bad one; VMs keep running.

A scenario: what a Mac goes back to is the version that all had got before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev import agent_package
from anka_dev.cloud import LocalCloud
from support.cloud import FAST_MAC, TEMPLATE

pytestmark = [pytest.mark.e2e, pytest.mark.scenario]
MACS = ("mac-01", "mac-02", "mac-03")
GOOD, BROKEN, DAMAGED = "9.0.1", "9.0.2", "9.0.3"


@pytest.fixture(scope="module")
def site(make_cloud: Callable[[], LocalCloud], tmp_path_factory: pytest.TempPathFactory) -> LocalCloud:
    packages = tmp_path_factory.mktemp("pkg")
    agent_package.build(packages, GOOD)
    agent_package.build(packages, BROKEN, {"anka_agent/__main__.py": "raise SystemExit(3)\n"})
    damaged = agent_package.build(packages, DAMAGED)
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"123456789")
    cloud = make_cloud()
    cloud.start_operator("--agent-updates=1", "--agent-update-failures=1")
    cloud.start_shim(f"--pkg-dir={packages}", f"--agent-version={GOOD}")
    url = f"--package-url={cloud.url}/pkg/anka-agent-{{version}}.tar.gz"
    for name in MACS:
        cloud.add_mac(name, "--heartbeat=2", "--lease-duration=20", "--poll=0.5", url, launcher=True, **FAST_MAC)
    cloud.wait_ready()
    return cloud


def node(cloud: LocalCloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cloud.kubectl.run("get", "ankanode", name, "--output=json"))
    return found


def want(cloud: LocalCloud, name: str, version: str, checksum: str | None = None) -> None:
    patch = json.dumps({"spec": {"agentVersion": version, "agentChecksum": checksum}})
    cloud.kubectl.run("patch", "ankanode", name, "--type=merge", f"--patch={patch}")


def failure(cloud: LocalCloud, name: str, version: str) -> str:
    """Why it failed; returns once it is told, and the Mac takes VMs again."""
    cloud.wait_for(f"ankanode/{name}", "jsonpath={.status.agentUpdate.failed}=true", "jsonpath={.status.state}=Active")
    told = node(cloud, name)["status"]
    assert told["agentUpdate"]["version"] == version
    assert told["agentVersion"] == GOOD
    return str(told["agentUpdate"]["message"])


def test_rolls_over_three_macs_while_vms_run(site: LocalCloud) -> None:
    for name in MACS:
        manifest = {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": "AnkaInstance",
            "metadata": {"name": f"on-{name}", "namespace": "default"},
            "spec": {"template": TEMPLATE, "node": name},
        }
        site.kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
    for name in MACS:
        site.wait_for(f"ankainstance/on-{name}", "jsonpath={.status.phase}=Started")
    before = {name: site.macs[name].vms() for name in MACS}

    assert site.rest("PUT", "/api/v1/node/update", {})["status"] == "OK"
    most, states, end = 0, set(), time.monotonic() + 180
    while True:
        # One list is one moment: three questions would see the places as they are handed on.
        nodes = json.loads(site.kubectl.run("get", "ankanodes", "--output=json"))["items"]
        most = max(most, sum("updateApproved" in one["status"] for one in nodes))
        states |= {one["status"]["state"] for one in nodes}
        if all(one["status"]["agentVersion"] == GOOD for one in nodes):
            break
        assert time.monotonic() < end, [one["status"].get("agentUpdate") for one in nodes]
    assert most == 1
    assert "Updating" in states
    assert {name: site.macs[name].vms() for name in MACS} == before
    site.wait_ready()
    assert all(len(node(site, name)["spec"]["agentChecksum"]) == 64 for name in MACS)


def test_a_damaged_package_is_not_run(site: LocalCloud) -> None:
    before = site.macs["mac-01"].vms()
    want(site, "mac-01", DAMAGED)
    assert "it is damaged, or another package" in failure(site, "mac-01", DAMAGED)
    assert site.macs["mac-01"].vms() == before


def test_a_version_that_ends_at_once_is_gone_back_from_and_nobody_else_gets_it(site: LocalCloud) -> None:
    before = site.macs["mac-02"].vms()
    want(site, "mac-02", BROKEN)
    assert "ended 3 times before it came up" in failure(site, "mac-02", BROKEN)
    assert site.macs["mac-02"].vms() == before
    want(site, "mac-03", BROKEN)
    site.wait_for("ankanode/mac-03", "jsonpath={.status.agentUpdate.version}=" + BROKEN)
    assert "updateApproved" not in node(site, "mac-03")["status"]
    # The old agent does its work: it removes the VM.
    site.kubectl.run("delete", "ankainstance", "on-mac-02", "--timeout=60s")
    assert site.macs["mac-02"].vms() == []
    site.check()
