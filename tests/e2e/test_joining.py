"""A Mac joins with a join token, works, renews its token, and leaves; its identity is worth nothing afterwards."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import ssl
import stat
import subprocess
import sys

import pytest

from anka_agent.identity.tokens import read_claims
from anka_crds.resources import NODES
from anka_dev.cloud import LocalCloud
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.credentials import StaticCredentials
from anka_kube.endpoint import Endpoint
from anka_kube.errors import NotFound, Unauthorized
from support.agents import until
from support.cloud import FAST_MAC
from support.joining import Person, join_token

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


def accounts(cloud: LocalCloud, namespace: str) -> list[str]:
    names = "--output=jsonpath={.items[*].metadata.name}"
    return cloud.kubectl.run("get", "serviceaccounts", f"--namespace={namespace}", names).split()


def test_a_mac_joins_works_and_leaves(cloud: LocalCloud) -> None:
    person = Person(cloud, "mac-03", **FAST_MAC)
    flags = ("--groups=ios", "--max-vm-count=4", "--heartbeat=2s", "--lease-duration=8", "--name=Mac 3")
    said = person.joins(*flags, token=join_token(cloud, "mac-03", freely=True))
    assert "Anka Cloud Cluster join success" in said.stdout
    assert stat.S_IMODE(person.token.stat().st_mode) == 0o600
    first = person.token.read_text()
    assert read_claims(first).account == "node-mac-03"
    assert person.status()["status"] == "not running"

    agent = person.starts_the_agent().wait_ready()
    # It renews when it starts, into the same file.
    until(lambda: person.token.read_text() != first, seconds=60, what="a new token")
    cloud.wait_for("ankanode/mac-03", "condition=Ready")
    # The join token is used up.
    until(lambda: "mac-03" not in accounts(cloud, "anka-joining"), seconds=60, what="the join token has ended")
    report = person.status()
    assert report["status"] == "running"
    assert report["config"]["groups"] == ["ios"]
    assert report["config"]["node_name"] == "Mac 3"
    assert report["node"] == {"state": "Active", "instances": 0, "machine": "this Mac"}
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
    said = person.types("disjoin", "--timeout=5", code=1)
    assert "1 instance still there after 5 s; this Mac goes on working" in said.stderr
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
        cloud.kubectl.run("delete", "ankainstance", "here", "--timeout=60s")
        assert "Disjoined from the Anka Cloud Cluster" in disjoin.communicate(timeout=60)[0]
        assert disjoin.returncode == 0
    until(lambda: not asyncio.run(reads_its_node(mine)), seconds=60, what="its token is refused")
    assert cloud.kubectl.run("get", "ankanode", "mac-03", "--ignore-not-found") == ""
    until(lambda: not agent.running, seconds=60, what="the agent's process has ended")
    assert person.mac.vm_names() == []
    assert person.status() == {"status": "not joined"}
    assert not person.token.exists()
    del cloud.macs["mac-03"]


FINALIZER = '--patch={"metadata": {"finalizers": ["example.com/mine"]}}'
NONE = '--patch={"metadata": {"finalizers": null}}'


class ShutOut:
    """A Mac that has a token and no agent; ``kept``: its AnkaNode hangs in its deletion for good."""

    def __init__(self, cloud: LocalCloud, name: str, *, joined: bool, kept: bool) -> None:
        self._kubectl, self._name, self._kept = cloud.kubectl, name, kept
        if joined:
            person = Person(cloud, name, **FAST_MAC)
            person.joins()
            token = person.token.read_text()
        else:
            account = (f"node-{name}", "--namespace=anka-nodes")
            cloud.kubectl.run("create", "serviceaccount", *account)
            token = cloud.kubectl.run("create", "token", *account, "--duration=24h").strip()
            manifest = {"apiVersion": NODES.api_version, "kind": NODES.kind, "metadata": {"name": name}, "spec": {}}
            cloud.kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
        # Not from the kubeconfig of the administrator, whose certificate would count beside the token.
        tls = ssl.create_default_context(cafile=str(cloud.cluster.ca_file))
        self._endpoint = Endpoint(cloud.cluster.server, StaticCredentials({"Authorization": f"Bearer {token}"}), tls)

    def delete(self) -> None:
        if self._kept:
            self._kubectl.run("patch", "ankanode", self._name, "--type=merge", FINALIZER)
        self._kubectl.run("delete", "ankanode", self._name, "--wait=false")

    def is_refused(self) -> bool:
        return not asyncio.run(reads_its_node(self._endpoint))

    def let_go(self) -> None:
        if self._kept:
            self._kubectl.run("patch", "ankanode", self._name, "--type=merge", NONE)


def test_who_is_shut_out_is_out_within_seconds(cloud: LocalCloud) -> None:
    """Whether it joined or a person made it, and whether its AnkaNode is gone or kept by a finalizer."""
    macs = {
        name: ShutOut(cloud, name, joined=name.startswith("joined"), kept=name.endswith("kept"))
        for name in ("joined-kept", "joined-gone", "made-kept", "made-gone")
    }
    for mac in macs.values():
        assert not mac.is_refused()
        mac.delete()
    for name, mac in macs.items():
        # The apiserver remembers for 10 s that it was valid.
        until(mac.is_refused, seconds=60, what=f"the token of {name} is refused")
        # Nor does it come back with the token that it joined with.
        until(lambda: name not in accounts(cloud, "anka-joining"), seconds=60, what="its join token has ended")  # noqa: B023
    for name, mac in macs.items():
        if name.endswith("kept"):
            cloud.wait_for(f"ankanode/{name}", "jsonpath={.status.state}=Offline")
        mac.let_go()


def test_who_was_shut_out_while_no_operator_ran(cloud: LocalCloud) -> None:
    mac = ShutOut(cloud, "mac-06", joined=True, kept=True)
    [operator] = cloud.operators
    operator.kill()
    mac.delete()
    assert not mac.is_refused()
    operator.start().wait_ready()
    until(mac.is_refused, seconds=60, what="its token is refused")
    mac.let_go()


def test_a_token_for_another_mac_says_so(cloud: LocalCloud) -> None:
    person = Person(cloud, "mac-07", **FAST_MAC)
    said = person.joins(token=join_token(cloud, "mac-08"), code=1).stderr
    assert "this join token lets in the Mac mac-08" in said
    assert "--node-id mac-08?" in said
    token = join_token(cloud, "mac-07")
    assert (
        "needs the verb join in namespace anka-joining, on each of NodeGroup ios"
        in person.joins("--groups=ios", token=token, code=1).stderr
    )
    assert "needs the verb join on ankanodes/capacity" in person.joins("--max-vm-count=3", token=token, code=1).stderr
