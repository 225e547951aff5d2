"""A Mac joins with a join token, works, renews its token, and leaves; its identity is worth nothing afterwards."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import stat
import subprocess
import sys

import pytest

from anka_agent.identity import claims
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint, load_endpoint
from anka_crds.kube.credentials import StaticCredentials
from anka_crds.kube.errors import NotFound, Unauthorized
from anka_crds.kube.kinds import NODES
from anka_dev.cloud import LocalCloud
from support.agents import until
from support.cloud import FAST_MAC
from support.joining import Person

pytestmark = pytest.mark.e2e


async def reads_its_node(endpoint: Endpoint) -> bool:
    async with KubeClient(endpoint) as client:
        try:
            await client.get(NODES, "mac-03")
        except Unauthorized:
            return False
        except NotFound:
            pass
    return True


def test_a_mac_joins_works_and_leaves(cloud: LocalCloud) -> None:
    person = Person(cloud, "mac-03", **FAST_MAC)
    said = person.joins("--groups=ios", "--max-vm-count=4", "--heartbeat=2s", "--lease-duration=8", "--name=Mac 3")
    assert "Anka Cloud Cluster join success" in said.stdout
    assert stat.S_IMODE(person.token.stat().st_mode) == 0o600
    first = person.token.read_text()
    assert claims.read(first).account == "node-mac-03"
    assert person.status()["status"] == "not running"

    agent = person.starts_the_agent().wait_ready()
    # It renews when it starts, into the same file.
    until(lambda: person.token.read_text() != first, what="a new token")
    cloud.wait_for("ankanode/mac-03", "condition=Ready")
    report = person.status()
    assert report["status"] == "running"
    assert report["config"]["groups"] == ["ios"]
    assert report["config"]["node_name"] == "Mac 3"
    assert report["node"] == {"state": "Active", "instances": 0}
    examined = person.types("doctor", "--reserve-space=0").stdout
    assert "PROBLEM" not in examined
    assert "ok      token: anka-nodes/node-mac-03, until" in examined

    # An instance runs on it, and holds it back when it wants to leave.
    assert cloud.registry is not None
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaInstance", "metadata": {"name": "here"},
        "spec": {"template": cloud.registry.templates[0], "node": "mac-03"},
    }  # fmt: skip
    cloud.kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
    cloud.wait_for("ankainstance/here", "jsonpath={.status.phase}=Started")
    said = person.types("disjoin", "--timeout=3", code=1)
    assert "1 instance still there after 3 s; this Mac goes on working" in said.stderr
    cloud.wait_for("ankanode/mac-03", "jsonpath={.status.state}=Active")

    with subprocess.Popen(
        [sys.executable, "-m", "anka_agent", "disjoin", f"--state-dir={person.state}"],
        stdout=subprocess.PIPE, text=True,
    ) as disjoin:  # fmt: skip
        assert disjoin.stdout is not None
        assert disjoin.stdout.readline().startswith("Waiting for 1 instance to end")
        cloud.wait_for("ankanode/mac-03", "jsonpath={.status.state}=Drain Mode")
        identity = load_endpoint(person.state / "kubeconfig")
        mine = dataclasses.replace(
            identity, credentials=StaticCredentials({"Authorization": f"Bearer {person.token.read_text()}"})
        )
        assert asyncio.run(reads_its_node(mine))
        cloud.kubectl.run("delete", "ankainstance", "here", "--timeout=40s")
        assert "Disjoined from the Anka Cloud Cluster" in disjoin.communicate(timeout=40)[0]
        assert disjoin.returncode == 0
    until(lambda: not asyncio.run(reads_its_node(mine)), seconds=40, what="its token is refused")
    assert cloud.kubectl.run("get", "ankanode", "mac-03", "--ignore-not-found") == ""
    assert not agent.running
    assert person.mac.vm_names() == []
    assert person.status() == {"status": "not joined"}
    assert not person.token.exists()
    del cloud.macs["mac-03"]
