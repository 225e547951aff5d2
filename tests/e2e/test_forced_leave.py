"""`disjoin --force` on a Mac that runs an instance: it does not wait, and what is left is named."""

from __future__ import annotations

import json
import re

import pytest

from anka_dev.cloud import LocalCloud
from support.agents import until
from support.cloud import FAST_MAC
from support.joining import Person

pytestmark = pytest.mark.e2e


def test_a_mac_leaves_by_force_while_an_instance_runs_on_it(cloud: LocalCloud) -> None:
    person = Person(cloud, "mac-forced", **FAST_MAC)
    person.joins("--heartbeat=2s", "--lease-duration=8")
    agent = person.starts_the_agent().wait_ready()
    cloud.wait_for("ankanode/mac-forced", "condition=Ready")
    assert cloud.registry is not None
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaInstance", "metadata": {"name": "stranded"},
        "spec": {"template": cloud.registry.templates[0], "node": "mac-forced"},
    }  # fmt: skip
    cloud.kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
    cloud.wait_for("ankainstance/stranded", "jsonpath={.status.phase}=Started")
    (vm,) = person.mac.vm_names()

    said = person.types("disjoin", "--force").stdout

    assert "Waiting for" not in said
    assert re.search(r"^Stopping the agent \(process \d+\)$", said, re.MULTILINE)
    assert f"Left on this Mac: VM {vm} (anka delete --yes {vm})" in said.splitlines()
    assert said.splitlines()[-1] == "Disjoined from the Anka Cloud Cluster"
    # Its process is no child of `disjoin`, which waits for what it held; who started it sees its end a moment later.
    until(lambda: not agent.running, seconds=60, what="the agent's process has ended")
    assert person.status() == {"status": "not joined"}
    assert not person.token.exists()
    assert cloud.kubectl.run("get", "ankanode", "mac-forced", "--ignore-not-found") == ""
    # Nobody on the Mac can write it any more: the operator does.
    cloud.wait_for("ankainstance/stranded", "jsonpath={.status.phase}=Error")
    cloud.kubectl.run("delete", "ankainstance", "stranded", "--timeout=60s")
    assert vm in person.mac.vm_names(), "what is left is the Mac's owner's to delete"

    # It leaves nothing behind that would keep the Mac from joining again.
    account = ("get", "serviceaccount", "node-mac-forced", "--namespace=anka-nodes", "--ignore-not-found")
    until(lambda: cloud.kubectl.run(*account) == "", seconds=60, what="its identity is gone")
    person.joins("--heartbeat=2s", "--lease-duration=8")
    person.starts_the_agent().wait_ready()
    cloud.wait_for("ankanode/mac-forced", "condition=Ready")
    until(lambda: vm not in person.mac.vm_names(), seconds=60, what="the agent removes the VM that is nobody's")
    person.types("disjoin")
    del cloud.macs["mac-forced"]
