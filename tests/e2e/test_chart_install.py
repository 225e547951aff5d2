"""The chart by helm: installed, used, upgraded, uninstalled. Its pods are processes with their own ServiceAccounts.

One cluster lives through all of it, in the order of this file."""

from __future__ import annotations

import os
import signal

import pytest

from anka_dev.cloud import install
from support.chart import NAMESPACE, Charted
from support.cloud import FAST_MAC
from support.joining import Person

pytestmark = pytest.mark.e2e

MACS = {"mac-01": "ios", "mac-02": "general"}
AGENT = ("--max-vm-count=60", "--heartbeat=2", "--lease-duration=8")


def test_installed_it_is_ready_and_answers(charted: Charted) -> None:
    charted.upgrade()
    for part in ("operator", "shim"):
        assert len(charted.pods_of(part)) == 2
    assert "Phase:          Succeeded" in charted.helm.test()
    install.wait_policies(charted.cloud.cluster, *install.BASE.glob("*.yaml"))


def test_each_pod_is_its_own_service_account(charted: Charted) -> None:
    """Its token is bound to it, as a kubelet's would be."""
    seen = {
        (
            event["user"]["username"].rpartition(":")[2],
            event["user"]["extra"]["authentication.kubernetes.io/pod-name"][0],
        )
        for event in charted.asked()
        if event["user"]["username"].startswith(f"system:serviceaccount:{NAMESPACE}:")
    }
    assert seen == {
        (f"anka-{part}", pod["metadata"]["name"]) for part in ("operator", "shim") for pod in charted.pods_of(part)
    }


def test_a_pod_that_dies_is_started_again(charted: Charted) -> None:
    [first, second] = charted.pods.lives("anka-shim-")
    os.kill(first.pid, signal.SIGKILL)
    charted.until(lambda: first.restarts == 1, what="started again")
    assert second.restarts == 0
    charted.cloud.kubectl.run("wait", "--for=condition=Ready", f"pod/{first.name}", f"--namespace={NAMESPACE}")


def test_macs_join_as_the_notes_say(charted: Charted) -> None:
    notes = [line.strip() for line in charted.helm.notes().splitlines() if line.startswith("    ")]
    [make_token] = [line for line in notes if line.startswith("kubectl create token")]
    [join] = [line for line in notes if "anka-agent join" in line]
    assert join.split() == [
        "sudo",
        "anka-agent",
        "join",
        "https://API:6443",
        "--token",
        "TOKEN",
        "--ca-data",
        "CA",
        "--node-id",
        "mac-01",
    ]
    token = charted.cloud.kubectl.run(*make_token.split()[1:]).strip()
    for name, group in MACS.items():
        person = Person(charted.cloud, name, **FAST_MAC | {"max_running": 60})
        assert "join success" in person.joins(f"--groups={group}", *AGENT, token=token).stdout
        person.starts_the_agent()
    for name in MACS:
        charted.cloud.wait_for(f"ankanode/{name}", "create", "condition=Ready")
    charted.cloud.wait_for(f"ankatemplate/{charted.template}", "create")
    assert {node["node_id"] for node in charted.cloud.rest("GET", "/api/v1/node")["body"]} == set(MACS)
